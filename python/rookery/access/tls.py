"""TLS towards services and databases: EMQX's ``ssl`` block of a client."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rookery.access.errors import SettingError, Words
from rookery.types import Secret

_BAD_FILE = Words("ssl.{name}: {path}: {reason}", "ssl.{name}：{path}：{reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """``ssl``.

    Attributes:
        enable: Whether TLS is spoken.
        verify: Whether the service's certificate is verified. EMQX does not unless told to.
        cacertfile: Who may sign it; none: what the system trusts.
        certfile: Our own certificate, where the service wants one.
        keyfile: Its key.
        password: The key's password.
        server_name_indication: The name that the certificate must have, if not the URL's.
    """

    enable: bool = False
    verify: Literal["verify_peer", "verify_none"] = "verify_peer"
    cacertfile: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    password: Secret | None = None
    server_name_indication: str | None = None

    def context(self) -> ssl.SSLContext:
        """Read the files.

        Raises:
            SettingError: one cannot be used.
        """
        name, path = "cacertfile", self.cacertfile
        try:
            context = ssl.create_default_context(
                cafile=str(self.cacertfile) if self.cacertfile else None
            )
            name, path = "certfile", self.certfile
            if self.certfile is not None:
                password = self.password
                context.load_cert_chain(
                    self.certfile,
                    self.keyfile,
                    # Without a function OpenSSL would ask the terminal.
                    password=lambda: password.reveal() if password else "",
                )
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or error.strerror or str(error)
            raise SettingError(_BAD_FILE.format(name=name, path=path, reason=reason)) from error
        if self.verify == "verify_none":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
