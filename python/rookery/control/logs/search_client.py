"""Asks an Elasticsearch or OpenSearch over HTTP.

Speaks the interface that both have in common itself: Elasticsearch's own client refuses OpenSearch, by
name (since 7.14) and by the media types that it sends, and OpenSearch's refuses the other.
"""

from __future__ import annotations

import base64
import json
import ssl
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp

from rookery.access.errors import Words
from rookery.access.reasons import why_unreachable
from rookery.connectors.elasticsearch.answers import parsed, status_words, strange
from rookery.control.errors import OutOfReachError
from rookery.control.logs import texts
from rookery.control.logs.receiver import SearchServer

CONNECT_S = 10.0
ANSWER_S = 30.0
ANSWER_BYTES_MAX = 64 << 20
CONNECTIONS_MAX = 8


class Answer(NamedTuple):
    """What came back; ``found`` is empty where it was no object."""

    status: int
    found: dict[str, Any]
    body: bytes


class SearchClient:
    """A pool of connections to one address."""

    def __init__(self, server: SearchServer) -> None:
        self._server = server
        self._url = server.url.rstrip("/")
        parts = urlsplit(self._url)
        self.address = parts.netloc
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the pool; nothing is asked yet.

        Raises:
            OutOfReachError: the certificates cannot be used.
        """
        server = self._server
        headers = {}
        if server.username:
            pair = f"{server.username}:{server.password}".encode()
            headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX, ssl=_context(server)),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=ANSWER_S),
        )

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(
        self, method: str, path: str, body: Any = None, *, lines: bytes | None = None
    ) -> Answer:
        """Whatever is answered. ``lines`` are those of a bulk request.

        Raises:
            OutOfReachError: nothing is.
        """
        if self._session is None:
            raise out_of_reach(Words("closed", "已关闭"))
        sent = lines if body is None else json.dumps(body).encode()
        kind = "application/x-ndjson" if lines is not None else "application/json"
        headers = {"content-type": kind} if sent is not None else None
        try:
            async with self._session.request(
                method, f"{self._url}/{path}", data=sent, headers=headers, allow_redirects=False
            ) as answer:
                content = await _bounded(answer)
                return Answer(answer.status, parsed(content) or {}, content)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause = getattr(error, "os_error", None) or error
            raise out_of_reach(_why(self.address, cause)) from error

    async def get(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The object of a good answer.

        Raises:
            OutOfReachError: there is none.
        """
        answer = await self.ask(method, path, body)
        if answer.status not in (200, 201):
            raise out_of_reach(status_words(answer.status, answer.body))
        return answer.found

    async def check(self) -> None:
        """See whether one of both answers there.

        Raises:
            OutOfReachError: none does, or it lets nobody in.
        """
        answer = await self.ask("GET", "")
        if answer.status != 200:
            raise out_of_reach(status_words(answer.status, answer.body))
        if "version" not in answer.found:
            raise out_of_reach(strange(answer.body))


def out_of_reach(words: Words) -> OutOfReachError:
    """The error that says it in both languages."""
    return OutOfReachError(texts.SEARCH_FAILED, reason=words.en, reason_zh=words.zh)


def _why(address: str, error: Exception) -> Words:
    if isinstance(error, OSError):
        return why_unreachable(address, error)
    said = str(error) or type(error).__name__
    return Words(f"{address}: {said}", f"{address}：{said}")


def _context(server: SearchServer) -> ssl.SSLContext | bool:
    if not server.url.startswith("https:"):
        return True
    try:
        server.ca.encode("ascii")
        context = ssl.create_default_context(cadata=server.ca or None)
    except (ssl.SSLError, ValueError) as error:
        raise OutOfReachError(texts.BAD_CERTIFICATE, reason=error) from error
    if not server.is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > ANSWER_BYTES_MAX:
            raise ValueError(f"the answer has more than {ANSWER_BYTES_MAX} octets")
        parts.append(part)
    return b"".join(parts)
