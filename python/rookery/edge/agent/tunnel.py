"""Answers calls of the control plane with the service's own interface and pages, inside this process.

No password of this service goes anywhere: the control plane says as what somebody asks, and this service
believes its own agent, which believes the relay that it was told to dial into.

**Bounds.** :data:`REQUESTS_MAX` calls at once; of each answer one window of chunks waits for the reader.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Scope
from starlette.types import Message as AsgiMessage

from rookery.contracts.agent_fields import MessageError
from rookery.contracts.agent_streams import Reassembler, Splitter
from rookery.contracts.agent_v1 import (
    CHUNK_BYTES_MAX,
    REQUESTS_MAX,
    Cancel,
    Chunk,
    Credit,
    Message,
    Reply,
    Request,
)
from rookery.ending import ended
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
_ROLES = {"key": "administrator", "viewer": "viewer"}


class Tunnel:
    """Calls under way. Lives on one event loop, as long as one connection."""

    def __init__(self, site: ASGIApp, say: Say) -> None:
        self._site = site
        self._say = say
        self._calls: dict[str, _Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, message: Message) -> None:
        """Take what the control plane says on its topic for requests."""
        if isinstance(message, Request):
            await self._begin(message)
        elif isinstance(message, (Chunk, Credit, Cancel)):
            call = self._calls.get(message.id)
            if call is not None:
                call.take(message)

    async def close(self) -> None:
        """End all of them."""
        await ended("calls through the tunnel", *self._tasks)

    async def _begin(self, request: Request) -> None:
        if request.id in self._calls:
            return  # delivered twice
        if request.upgrade:
            await self._say(
                Reply(request.id, 501, error="NOT_SUPPORTED: there is no WebSocket here")
            )
            return
        if request.credential not in _ROLES:
            await self._say(Reply(request.id, 403, error="REFUSED: nobody says who asks"))
            return
        if len(self._calls) >= REQUESTS_MAX:
            await self._say(Reply(request.id, 503, error="BUSY: too many calls at once"))
            return
        call = self._calls[request.id] = _Call(request, self._say)
        task = asyncio.create_task(call.run(self._site), name=f"call {request.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(request.id, done))

    def _ended(self, call_id: str, task: asyncio.Task[None]) -> None:
        self._calls.pop(call_id, None)
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a call of the control plane failed", exc_info=error)


class _BrokenError(Exception):
    """The other side broke it off, or what it sent cannot be."""


class _Call:
    """One of them, seen by the application that answers it."""

    def __init__(self, request: Request, say: Say) -> None:
        self._request = request
        self._say = say
        self._splitter = Splitter(request.id, request.credit)
        self._reassembler = Reassembler(request.id)
        self._chunks: deque[Chunk] = deque()
        self._news = asyncio.Event()
        self._is_body_told = False
        self._is_broken = False
        self._start: AsgiMessage | None = None
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
            async with asyncio.timeout(self._request.timeout_ms / 1000):
                await site(_scope(self._request), self._receive, self._send)
        except TimeoutError:
            status, reason = 504, "TIMEOUT: no answer in time"
        except _BrokenError:
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

    # -- what the application calls --------------------------------------------------------

    async def _receive(self) -> AsgiMessage:
        if not self._is_body_told:
            self._is_body_told = True
            request = self._request
            return {"type": "http.request", "body": request.body, "more_body": request.more}
        while not self._chunks:
            if self._is_broken:
                return {"type": "http.disconnect"}
            await self._waited()
        chunk = self._chunks.popleft()
        credit = self._reassembler.used()
        if credit is not None:
            await self._say(credit)
        return {"type": "http.request", "body": chunk.body, "more_body": not chunk.last}

    async def _send(self, message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        body: bytes = bytes(message.get("body", b""))
        has_more = bool(message.get("more_body", False))
        if not self._has_replied:
            body = await self._reply(body, has_more=has_more)
            if self._is_over:
                return
        if body:
            self._splitter.offer(body)
        if not has_more:
            self._splitter.finish()
        await self._flush()

    async def _reply(self, body: bytes, *, has_more: bool) -> bytes:
        """Begin the answer; what of the body did not go with it."""
        assert self._start is not None
        first, rest = body[:CHUNK_BYTES_MAX], body[CHUNK_BYTES_MAX:]
        is_whole = not rest and not has_more
        reply = Reply(
            self._request.id,
            self._start["status"],
            tuple(_headers(self._start.get("headers", ()))),
            more=not is_whole,
            body=first,
        )
        self._has_replied, self._is_over = True, is_whole
        await self._say(reply)
        return rest

    async def _flush(self) -> None:
        """Send what there is, as fast as the reader takes it."""
        while True:
            for chunk in self._splitter.take():
                await self._say(chunk)
            self._is_over = self._splitter.is_over
            if self._is_over or self._splitter.wants_more:
                return
            if self._is_broken:
                raise _BrokenError
            await self._waited()

    async def _waited(self) -> None:
        # Body and answer may both wait: whoever wakes looks again for itself.
        self._news.clear()
        await self._news.wait()


def _scope(request: Request) -> Scope:
    path, _, query = request.path.partition("?")
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in request.headers
        if name.lower() not in _HOP_BY_HOP
    ]
    caller = Caller(
        name=request.caller or "control",
        role=_ROLES[request.credential],  # type: ignore[arg-type]
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


def _headers(raw: Any) -> list[tuple[str, str]]:
    found = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
    return [(name, value) for name, value in found if name.lower() not in _HOP_BY_HOP][:64]
