"""One call over HTTP or HTTPS, with bounds on time and size. Proxies are not used."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rookery.agent.addresses import Addresses
from rookery.agent.failures import ANSWER, CallError, calling

TIMEOUT_S = 10.0
# While there are other addresses to be tried.
CONNECT_S = 3.0
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
    """Calls one address, or several that stand for the same; every call has its own connection."""

    def __init__(
        self,
        url: str,
        trust: Trust,
        *,
        timeout_s: float = TIMEOUT_S,
        others: Mapping[str, Trust] | None = None,
    ) -> None:
        """``others`` are asked where nobody takes a connection at ``url``."""
        self._trusts = {url: trust, **(others or {})}
        self._addresses = Addresses(self._trusts)
        self._timeout_s = timeout_s

    @property
    def url(self) -> str:
        """The address that is asked first."""
        return self._addresses.present

    def connected(self, timeout_s: float | None = None) -> http.client.HTTPConnection:
        """A connection to the first address that takes one.

        Raises:
            OSError: none does.
        """
        wait_s = self._timeout_s if timeout_s is None else timeout_s
        *others, last = self._addresses.in_turn()
        for url in others:
            with contextlib.suppress(OSError):
                return self._connected(url, min(wait_s, CONNECT_S), wait_s)
        return self._connected(last, wait_s, wait_s)

    def _connected(self, url: str, connect_s: float, wait_s: float) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection = http.client.HTTPConnection(host, parts.port, timeout=connect_s)
        if parts.scheme == "https":
            context = self._trusts[url].context()
            connection = http.client.HTTPSConnection(
                host, parts.port, timeout=connect_s, context=context
            )
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        connection.sock.settimeout(wait_s)
        self._addresses.found(url)
        return connection

    def silent(self, url: str) -> None:
        """Nothing came of a connection to that address: others are asked before it."""
        self._addresses.leave(url)

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
            connection = self.connected()
            url = self.url
            try:
                sent = {"accept": "application/json", **(headers or {})}
                if body is not None:
                    sent.setdefault("content-type", "application/json")
                connection.request(method, path, body, sent)
                answer = connection.getresponse()
                content = answer.read(ANSWER_BYTES_MAX + 1)
            except (socket.timeout, TimeoutError):  # two classes before Python 3.10
                self.silent(url)
                raise
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
