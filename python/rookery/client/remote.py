"""A node elsewhere: HTTP or HTTPS to the port of its dashboard, with an API key."""

from __future__ import annotations

import base64
import contextlib
import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from rookery.client.http_client import NodeClient
from rookery.errors import BadRequestError

PORTS = {"http": 18083, "https": 18084}


class RemoteClient(NodeClient):
    """The REST interface at a URL such as ``https://broker.example:18084``."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        ca_file: Path | None = None,
        timeout_s: float = 5.0,
        language: str = "",
    ) -> None:
        """``api_key`` is ``KEY:SECRET``; ``ca_file`` holds who is trusted instead of the system's.

        Raises:
            BadRequestError: the URL, the key or the file cannot be used.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise BadRequestError(f"{url}: {error}") from None
        if parts.scheme not in PORTS or not parts.hostname or parts.query or parts.username:
            raise BadRequestError(
                f"{url}: not http://HOST:PORT or https://HOST:PORT",
                message_zh=f"{url}：应为 http://主机:端口 或 https://主机:端口",
            )
        key, colon, secret = api_key.partition(":")
        if not (key and colon and secret):
            raise BadRequestError(
                "the API key is not KEY:SECRET", message_zh="API 密钥的格式应为 KEY:SECRET"
            )
        self._scheme = parts.scheme
        self._host = parts.hostname
        self._port = PORTS[parts.scheme] if port is None else port
        self._timeout_s = timeout_s
        self._tls = _trust(ca_file) if parts.scheme == "https" else None
        pair = base64.b64encode(api_key.encode()).decode()
        headers = {"authorization": f"Basic {pair}"}
        if language:
            headers["accept-language"] = language
        # Somebody may paste the address of the interface itself.
        base = parts.path.rstrip("/").removesuffix("/api/v5")
        super().__init__(url, prefix=base, headers=headers)

    @contextlib.contextmanager
    def opened(self) -> Iterator[http.client.HTTPConnection]:
        if self._tls is None:
            yield http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        else:
            yield http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout_s, context=self._tls
            )


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise BadRequestError(f"{ca_file}: {error}") from None
