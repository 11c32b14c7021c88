"""Answers calls of the control plane with the service's own interface and pages, inside this process.

No password of this service goes anywhere: the control plane says as what somebody asks, and this service
believes its own agent, which believes the relay that it was told to dial into.

**Bounds.** :data:`REQUESTS_MAX` calls at once; of each answer one window of chunks waits for the reader.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.types import ASGIApp
from starlette.types import Message as AsgiMessage

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
from rookery.edge.agent.calls import ROLES, Call, Say, headers_of, scope_of
from rookery.edge.agent.web_socket import WebSocketCall
from rookery.ending import ended

_log = logging.getLogger("rookery.edge.agent")


class Tunnel:
    """Calls under way. Lives on one event loop, as long as one connection."""

    def __init__(self, site: ASGIApp, say: Say) -> None:
        self._site = site
        self._say = say
        self._calls: dict[str, Call] = {}
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
        if request.credential not in ROLES:
            await self._say(Reply(request.id, 403, error="REFUSED: nobody says who asks"))
            return
        if len(self._calls) >= REQUESTS_MAX:
            await self._say(Reply(request.id, 503, error="BUSY: too many calls at once"))
            return
        kind = WebSocketCall if request.upgrade else _HttpCall
        call = self._calls[request.id] = kind(request, self._say)
        task = asyncio.create_task(call.run(self._site), name=f"call {request.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(request.id, done))

    def _ended(self, call_id: str, task: asyncio.Task[None]) -> None:
        self._calls.pop(call_id, None)
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a call of the control plane failed", exc_info=error)


class _HttpCall(Call):
    """A request and its answer."""

    def __init__(self, request: Request, say: Say) -> None:
        super().__init__(request, say)
        self._is_body_told = False
        self._start: AsgiMessage | None = None

    async def _answer(self, site: ASGIApp) -> None:
        await site(scope_of(self._request), self._receive, self._send)

    async def _receive(self) -> AsgiMessage:
        if not self._is_body_told:
            self._is_body_told = True
            request = self._request
            return {"type": "http.request", "body": request.body, "more_body": request.more}
        chunk = await self._next()
        if chunk is None:
            return {"type": "http.disconnect"}
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
            tuple(headers_of(self._start.get("headers", ()))),
            more=not is_whole,
            body=first,
        )
        self._has_replied, self._is_over = True, is_whole
        await self._say(reply)
        return rest
