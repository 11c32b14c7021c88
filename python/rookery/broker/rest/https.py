"""Reads the certificate of the HTTPS listener again when its file changes."""

from __future__ import annotations

import logging
from collections.abc import Callable

from rookery.config.snapshot import HttpsConfig
from rookery.errors import StartError
from rookery.file_watch import FileWatch
from rookery.web.tls import ServerTls

_log = logging.getLogger("rookery.web")


class CertificateWatch:
    """Watches the files. One that cannot be used is logged and changes nothing."""

    def __init__(
        self, tls: ServerTls, config: HttpsConfig, was_read: Callable[[str | None], None]
    ) -> None:
        """``was_read`` is told what was wrong, or none."""
        self._tls = tls
        self._was_read = was_read
        self._config = config
        self._watch = FileWatch(self._changed)

    def open(self) -> None:
        """Begin on the running loop."""
        self._watch.watch((self._config.certfile, self._config.keyfile))

    async def close(self) -> None:
        """May be called twice."""
        self._watch.close()

    def _changed(self) -> None:
        try:
            self._tls.reload()
        except StartError as error:
            _log.error("the certificate of dashboard.listeners.https stays as it was: %s", error)
            self._was_read(str(error))
        else:
            self._was_read(None)
