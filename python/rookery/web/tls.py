"""TLS of the HTTPS listener. Free of the web framework: certificates are looked at before a start."""

from __future__ import annotations

import ssl

from rookery.config.snapshot import HttpsConfig
from rookery.errors import StartError


class ServerTls:
    """What a listener shows and asks for; its certificate can be read again while it serves."""

    def __init__(self, config: HttpsConfig) -> None:
        """Read the files.

        Raises:
            StartError: one cannot be used.
        """
        self._config = config
        self.certfile = config.certfile
        self.shown = b""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        try:
            if config.cacertfile is not None:
                self.context.load_verify_locations(config.cacertfile)
        except (OSError, ssl.SSLError) as error:
            raise StartError(f"{config.cacertfile}: {_reason(error)}") from error
        if config.verify_peer:
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.reload()

    def reload(self) -> None:
        """Read the certificate again, for connections from here on.

        Raises:
            StartError: it cannot be used; the one before goes on.
        """
        config = self._config
        password = config.password
        shown = b""
        # Into a context of its own first: a key that does not fit must not replace anything.
        for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self.context):
            try:
                context.load_cert_chain(
                    config.certfile,
                    config.keyfile,
                    # Without a function OpenSSL would ask the terminal.
                    password=lambda: password.reveal() if password else "",
                )
                shown = config.certfile.read_bytes()
            except (OSError, ssl.SSLError) as error:
                raise StartError(
                    f"{config.certfile}, {config.keyfile}: {_reason(error)}"
                ) from error
        self.shown = shown


def _reason(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or error)
