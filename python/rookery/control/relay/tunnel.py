"""Calls to what stands behind an agent: HTTP requests through the relay.

A call to an agent that is not connected fails at once; nothing waits for its return.

**Bounds.** At most :data:`REQUESTS_MAX` calls of one agent and :data:`CALLS_MAX` of this process
are under way. Each holds at most one window of chunks, and each has a deadline for the whole of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rookery.contracts.agent_v1 import (
    CHUNK_BYTES_MAX,
    REQUESTS_MAX,
    TIMEOUT_MS_MAX,
    WINDOW_CHUNKS,
    Cancel,
    Channel,
    Message,
    Reply,
    Request,
)
from rookery.control.errors import OutOfReachError, Text, TooManyError
from rookery.control.relay.exchange import Exchange
from rookery.errors import TimedOutError

CALLS_MAX = 512
TIMEOUT_S = 30.0

NOT_CONNECTED = Text("the agent is not connected: {agent_id}", "代理未连接：{agent_id}")
TOO_MANY = Text(
    "too many calls to this cluster are under way, try again", "对该集群的并发调用过多，请稍后重试"
)
CONNECTION_LOST = Text(
    "the connection to the agent was lost during the call", "调用过程中与代理的连接已断开"
)


class TunnelTimeoutError(TimedOutError):
    """The answer, or the rest of it, did not come in time."""

    def text(self, language: str) -> str:
        """In the language of who reads it."""
        return "集群未在规定时间内应答" if language == "zh" else self.message


class Sender(Protocol):
    """What carries messages to agents."""

    def is_connected(self, agent_id: str) -> bool: ...

    async def send(
        self,
        agent_id: str,
        channel: Channel,
        message: Message | None,
        *,
        retain: bool = False,
        expires_s: int | None = None,
        correlation: bytes | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked.

    Attributes:
        method: HTTP method.
        path: Path with query, as the agent is to ask for it.
        headers: Headers in order.
        target: ``api`` or ``dashboard`` of the cluster.
        credential: As whom: ``none``, ``key`` (the agent's own API key) or ``user``.
        timeout_s: How long everything may take.
    """

    method: str
    path: str
    headers: Sequence[tuple[str, str]] = ()
    target: str = "api"
    credential: str = "none"
    timeout_s: float = TIMEOUT_S


@dataclass(slots=True)
class Answer:
    """What came back; its body is read once.

    Attributes:
        status: HTTP status.
        headers: Headers in order.
        error: Why the cluster did not answer; empty when it did.
        body: The body, piece by piece.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    error: str
    body: AsyncIterator[bytes]

    async def read(self, longest: int) -> bytes:
        """The body whole.

        Raises:
            TooManyError: it is longer than ``longest``.
        """
        parts, length = [], 0
        async for part in self.body:
            length += len(part)
            if length > longest:
                raise TooManyError(TOO_LONG, longest=longest)
            parts.append(part)
        return b"".join(parts)


TOO_LONG = Text("the answer is longer than {longest} bytes", "应答超过 {longest} 字节")


@dataclass
class Tunnel:
    """Calls under way, by their id."""

    sender: Sender
    _calls: dict[str, Exchange] = field(default_factory=dict)
    _by_agent: dict[str, set[str]] = field(default_factory=dict)

    @property
    def counts(self) -> Mapping[str, int]:
        """Calls under way by agent."""
        return {agent_id: len(calls) for agent_id, calls in self._by_agent.items()}

    def handle(self, agent_id: str, message: Message) -> None:
        """Take what an agent says on its topic for replies."""
        exchange = self._calls.get(getattr(message, "id", ""))
        # The topic says who speaks; an id of somebody else's call is worth nothing.
        if exchange is None or exchange.agent_id != agent_id:
            return
        answer = exchange.handle(message)
        if answer is not None:
            self._say_later(exchange, answer)

    def lost(self, agent_id: str) -> None:
        """The connection to an agent is gone: nobody waits for its answers any longer."""
        for call_id in list(self._by_agent.get(agent_id, ())):
            self._calls[call_id].fail(OutOfReachError(CONNECTION_LOST))

    @contextlib.asynccontextmanager
    async def call(
        self, agent_id: str, call: Call, body: AsyncIterator[bytes] | None = None
    ) -> AsyncIterator[Answer]:
        """Ask what stands behind an agent. The answer can be read inside the block.

        Raises:
            OutOfReachError: the agent is not connected, or its connection was lost meanwhile.
            TooManyError: too many calls are under way.
            TunnelTimeoutError: the answer took too long.
        """
        source = body or _nothing()
        first, has_more = await _first_piece(source)
        request = Request(
            secrets.token_hex(16),
            call.method,
            call.path,
            max(1, min(round(call.timeout_s * 1000), TIMEOUT_MS_MAX)),
            target=call.target,
            credential=call.credential,
            headers=tuple(call.headers),
            credit=WINDOW_CHUNKS,
            more=has_more is not None,
            body=first,
        )
        exchange = self._begin(agent_id, request)
        feeding: asyncio.Task[None] | None = None
        deadline = asyncio.timeout(call.timeout_s)
        try:
            async with deadline:
                await self._say(exchange, request, expires_s=max(1, round(call.timeout_s)))
                if has_more is not None:
                    feeding = asyncio.create_task(self._feed(exchange, has_more, source))
                reply = await exchange.reply
                yield Answer(reply.status, reply.headers, reply.error, self._body(exchange, reply))
        except TimeoutError:
            if not deadline.expired():
                raise
            raise TunnelTimeoutError(
                f"the cluster did not answer within {call.timeout_s:g} s"
            ) from None
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
            self._end(exchange)

    # -- inside --------------------------------------------------------------------------------

    def _begin(self, agent_id: str, request: Request) -> Exchange:
        if not self.sender.is_connected(agent_id):
            raise OutOfReachError(NOT_CONNECTED, agent_id=agent_id)
        calls = self._by_agent.setdefault(agent_id, set())
        if len(calls) >= REQUESTS_MAX or len(self._calls) >= CALLS_MAX:
            raise TooManyError(TOO_MANY)
        exchange = Exchange(agent_id, request)
        calls.add(request.id)
        self._calls[request.id] = exchange
        return exchange

    def _end(self, exchange: Exchange) -> None:
        self._calls.pop(exchange.id, None)
        calls = self._by_agent.get(exchange.agent_id, set())
        calls.discard(exchange.id)
        if not calls:
            self._by_agent.pop(exchange.agent_id, None)
        if not exchange.is_answered and self.sender.is_connected(exchange.agent_id):
            self._say_later(exchange, Cancel(exchange.id, "nobody waits for it any more"))

    async def _say(
        self, exchange: Exchange, message: Message, *, expires_s: int | None = None
    ) -> None:
        await self.sender.send(
            exchange.agent_id,
            Channel.REQUEST,
            message,
            expires_s=expires_s,
            correlation=exchange.id.encode(),
        )

    def _say_later(self, exchange: Exchange, message: Message) -> None:
        task = asyncio.ensure_future(self._say(exchange, message, expires_s=60))
        _SAYING.add(task)
        task.add_done_callback(_said)

    async def _feed(self, exchange: Exchange, piece: bytes, rest: AsyncIterator[bytes]) -> None:
        try:
            async for chunk in exchange.outgoing(_after(piece, rest)):
                await self._say(exchange, chunk)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  -- whoever waits for the answer is told
            exchange.fail(error)

    async def _body(self, exchange: Exchange, reply: Reply) -> AsyncIterator[bytes]:
        if reply.body:
            yield reply.body
        if not reply.more:
            return
        async for piece, credit in exchange.incoming():
            if piece:
                yield piece
            if credit is not None:
                await self._say(exchange, credit)


# A task that nobody holds may be collected before it ran.
_SAYING: set[asyncio.Future[None]] = set()


def _said(task: asyncio.Future[None]) -> None:
    _SAYING.discard(task)
    if not task.cancelled():
        # The relay is stopping; what was to be cancelled is gone with it.
        task.exception()


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for part in nothing:
        yield part


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _first_piece(source: AsyncIterator[bytes]) -> tuple[bytes, bytes | None]:
    """What goes with the request, and what comes after it; none: nothing does."""
    held = bytearray()
    async for piece in source:
        held += piece
        if len(held) > CHUNK_BYTES_MAX:
            return bytes(held[:CHUNK_BYTES_MAX]), bytes(held[CHUNK_BYTES_MAX:])
    return bytes(held), None
