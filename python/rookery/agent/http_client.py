"""One call over HTTP or HTTPS, with bounds on time and size. Proxies are not used."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rookery.agent.failures import ANSWER, CallError, calling

TIMEOUT_S = 10.0
ANSWER_BYTES_MAX = 8 * 1024 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Trust:
    """Whose certificates are taken: those of one CA, of the system, or anybody's."""

    ca_file: Path | None = None
    is_insecure: bool = False

    def context(self) -> ssl.SSLContext:
        """For a client.

        Raises:
            CallError: the file of the CA cannot be used.
        """
        if self.is_insecure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca_file is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            with calling(str(self.ca_file)):
                context.load_verify_locations(cafile=str(self.ca_file))
        else:
            context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in small letters) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Calls one address; every call has its own connection."""

    def __init__(self, url: str, trust: Trust, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url
        self._trust = trust
        self._timeout_s = timeout_s

    def open(self, timeout_s: float | None = None) -> http.client.HTTPConnection:
        """A connection that connects at its first request."""
        parts = urlsplit(self.url)
        wait_s = self._timeout_s if timeout_s is None else timeout_s
        host = parts.hostname or ""
        if parts.scheme == "https":
            context = self._trust.context()
            return http.client.HTTPSConnection(host, parts.port, timeout=wait_s, context=context)
        return http.client.HTTPConnection(host, parts.port, timeout=wait_s)

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask and read the answer, whatever its status.

        Raises:
            CallError: none came, or one that is too long.
        """
        with calling(self.url):
            connection = self.open()
            try:
                sent = {"accept": "application/json", **(headers or {})}
                if body is not None:
                    sent.setdefault("content-type", "application/json")
                connection.request(method, path, body, sent)
                answer = connection.getresponse()
                content = answer.read(ANSWER_BYTES_MAX + 1)
            finally:
                connection.close()
        if len(content) > ANSWER_BYTES_MAX:
            raise CallError(ANSWER, f"{self.url}: more than {ANSWER_BYTES_MAX} bytes")
        named = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, named, content)


def is_local(url: str) -> bool:
    """Whether an address is this very machine."""
    return urlsplit(url).hostname in LOOPBACK


def bearer(token: str) -> dict[str, str]:
    """The header that says who asks."""
    return {"authorization": f"Bearer {token}"}
