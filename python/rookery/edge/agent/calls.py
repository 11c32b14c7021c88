"""A call of the control plane, seen by the application of this service that answers it."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Scope

from rookery.contracts.agent_fields import MessageError
from rookery.contracts.agent_streams import Reassembler, Splitter
from rookery.contracts.agent_v1 import (
    BODY_BYTES_MAX,
    Cancel,
    Chunk,
    Credit,
    Message,
    Reply,
    Request,
)
from rookery.web.caller import ASSERTED, Caller

_log = logging.getLogger("rookery.edge.agent")

Say = Callable[[Message], Awaitable[None]]
"""Says something to the control plane; nothing is said when the connection is gone."""

NOWHERE = ("0.0.0.0", 0)
"""Where calls come from: not this machine, whatever that is allowed."""
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "expect",
        "authorization",
        "origin",
        "forwarded",
        "x-forwarded-for",
        "x-real-ip",
        "via",
    }
)
ROLES = {"key": "administrator", "viewer": "viewer"}


class BrokenError(Exception):
    """The other side broke it off, or what it sent cannot be."""


class Call(ABC):
    """One of them. Bounded by credit in both directions."""

    def __init__(
        self, request: Request, say: Say, *, bytes_max: int | None = BODY_BYTES_MAX
    ) -> None:
        self._request = request
        self._say = say
        self._splitter = Splitter(request.id, request.credit)
        self._reassembler = Reassembler(request.id, bytes_max=bytes_max)
        self._chunks: deque[Chunk] = deque()
        self._news = asyncio.Event()
        self._deadline = asyncio.timeout(request.timeout_ms / 1000)
        self._is_broken = False
        self._has_replied = False
        self._is_over = False

    def take(self, message: Chunk | Credit | Cancel) -> None:
        """A part of the body, leave to send more, or the end of it."""
        try:
            if isinstance(message, Credit):
                self._splitter.grant(message.chunks)
            elif isinstance(message, Cancel):
                self._is_broken = True
            elif (chunk := self._reassembler.accept(message)) is not None:
                self._chunks.append(chunk)
        except MessageError:
            self._is_broken = True
        self._news.set()

    async def run(self, site: ASGIApp) -> None:
        """Have it answered."""
        status, reason = 502, "ANSWER: there was none"
        try:
            async with self._deadline:
                await self._answer(site)
        except TimeoutError:
            status, reason = 504, "TIMEOUT: no answer in time"
        except BrokenError:
            return
        except MessageError as error:
            reason = f"ANSWER: {error}"[:300]
        except Exception:  # noqa: BLE001 - the site answers its own; this is one after its answer began
            _log.exception("a call of the control plane failed")
            reason = "ANSWER: the request failed, the log says why"
        if not self._has_replied:
            await self._say(Reply(self._request.id, status, error=reason))
        elif not self._is_over:
            await self._say(Cancel(self._request.id, reason))

    @abstractmethod
    async def _answer(self, site: ASGIApp) -> None:
        """Call the application."""

    async def _next(self) -> Chunk | None:
        """What comes next; none: it was broken off."""
        while not self._chunks:
            if self._is_broken:
                return None
            await self._waited()
        chunk = self._chunks.popleft()
        credit = self._reassembler.used()
        if credit is not None:
            await self._say(credit)
        return chunk

    async def _flush(self) -> None:
        """Send what there is, as fast as the reader takes it."""
        while True:
            for chunk in self._splitter.take():
                await self._say(chunk)
            self._is_over = self._splitter.is_over
            if self._is_over or self._splitter.wants_more:
                return
            if self._is_broken:
                raise BrokenError
            await self._waited()

    async def _waited(self) -> None:
        # Body and answer may both wait: whoever wakes looks again for itself.
        self._news.clear()
        await self._news.wait()


def scope_of(request: Request) -> Scope:
    """Of a request over HTTP."""
    path, _, query = request.path.partition("?")
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in request.headers
        if name.lower() not in _HOP_BY_HOP
    ]
    caller = Caller(
        name=request.caller or "control",
        role=ROLES[request.credential],  # type: ignore[arg-type]
        via="control",
        address="control",
    )
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode("latin-1", "replace"),
        "query_string": query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [(b"host", b"edge"), *headers],
        "client": NOWHERE,
        "server": ("edge", 443),
        ASSERTED: caller,
    }
    return scope


def headers_of(raw: Any) -> list[tuple[str, str]]:
    """Those of an answer that the other side gets."""
    found = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
    return [(name, value) for name, value in found if name.lower() not in _HOP_BY_HOP][:64]
