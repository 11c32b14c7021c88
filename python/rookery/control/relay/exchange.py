"""One call through the tunnel, from its request to the last byte of its answer.

A state machine with a queue: whoever reads slowly gives credit slowly, so that no more of a body
than one window lies in memory here, and none of it anywhere else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from rookery.contracts.agent_streams import Reassembler, Splitter
from rookery.contracts.agent_v1 import (
    Cancel,
    Chunk,
    Credit,
    Message,
    MessageError,
    Reply,
    Request,
)
from rookery.control.errors import OutOfReachError, Text
from rookery.control.relay.sender import Sender

BROKEN_OFF = Text("the agent broke the call off: {reason}", "代理中断了本次调用：{reason}")
BAD_CHUNK = Text("the agent's answer cannot be used: {reason}", "代理的应答无法使用：{reason}")
NO_REASON = "-"


class Exchange:
    """A request under way. Lives on one event loop."""

    def __init__(self, agent_id: str, request: Request, sender: Sender) -> None:
        """``sender`` is the way to the agent, for the whole of it."""
        self.agent_id = agent_id
        self.sender = sender
        self.id = request.id
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._outgoing = Splitter(request.id)
        self._incoming = Reassembler(request.id, request.credit, bytes_max=None)
        self._chunks: deque[Chunk] = deque()
        self._news = asyncio.Event()
        self._credit = asyncio.Event()
        self._failure: Exception | None = None
        self.is_answered = False

    # -- what the agent says -----------------------------------------------------------------

    def handle(self, message: Message) -> Message | None:
        """Take a message about this call; what has to be said to it, if anything."""
        if isinstance(message, Reply):
            if not self.reply.done():
                self.reply.set_result(message)
                self.is_answered = not message.more
        elif isinstance(message, Chunk):
            return self._take(message)
        elif isinstance(message, Credit):
            self._outgoing.grant(message.chunks)
            self._credit.set()
        elif isinstance(message, Cancel):
            self.fail(OutOfReachError(BROKEN_OFF, reason=message.reason or NO_REASON))
        return None

    def _take(self, chunk: Chunk) -> Message | None:
        try:
            fresh = self._incoming.accept(chunk)
        except MessageError as error:
            self.fail(OutOfReachError(BAD_CHUNK, reason=error.message))
            return Cancel(self.id, error.message)
        if fresh is not None:
            self._chunks.append(fresh)
            self.is_answered = fresh.last
            self._news.set()
        return None

    def fail(self, error: Exception) -> None:
        """There will be no more of it."""
        self._failure = self._failure or error
        if not self.reply.done():
            self.reply.set_exception(error)
            # Nobody may be waiting for it any more.
            self.reply.exception()
        self._news.set()
        self._credit.set()

    # -- what the caller does ----------------------------------------------------------------

    async def outgoing(self, body: AsyncIterator[bytes]) -> AsyncIterator[Chunk]:
        """The rest of a request's body, as fast as the agent wants it."""
        async for piece in body:
            if piece:
                self._outgoing.offer(piece)
            async for chunk in self.allowed():
                yield chunk
        self._outgoing.finish()
        async for chunk in self.allowed():
            yield chunk

    def offer(self, body: bytes, frame: str, *, final: bool = True, last: bool = False) -> None:
        """Add a message of a WebSocket, or a part of one; ``last``: nothing follows it."""
        self._outgoing.offer(body, frame, final=final)
        if last:
            self._outgoing.finish()

    async def allowed(self) -> AsyncIterator[Chunk]:
        """Chunks until the source is wanted again."""
        while True:
            for chunk in self._outgoing.take():
                yield chunk
            if self._outgoing.is_over or self._outgoing.wants_more:
                return
            self._credit.clear()
            await self._credit.wait()
            if self._failure is not None:
                raise self._failure

    async def incoming(self) -> AsyncIterator[tuple[Chunk, Credit | None]]:
        """The rest of the answer, each piece with the credit to give once it was used."""
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                credit = self._incoming.used()
                yield chunk, credit
                if chunk.last:
                    return
            if self._failure is not None:
                raise self._failure
            self._news.clear()
            await self._news.wait()
