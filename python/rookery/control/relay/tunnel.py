"""Calls to what stands behind an agent: HTTP requests and WebSockets through the relay.

A call to an agent that is not connected, here or at another control process, fails at once; nothing
waits for its return.

**Bounds.** At most :data:`REQUESTS_MAX` calls of one agent and :data:`CALLS_MAX` of this process
are under way; when these are scarce, :data:`SCARCE_MAX` of one agent, so that a few clusters that answer slowly keep
nobody else from theirs. Each holds at most one window of chunks, and each has a deadline for the whole of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rookery.contracts.agent_v1 import (
    CHUNK_BYTES_MAX,
    REQUESTS_MAX,
    TIMEOUT_MS_MAX,
    WINDOW_CHUNKS,
    Cancel,
    Channel,
    Chunk,
    Message,
    Reply,
    Request,
)
from rookery.control.errors import OutOfReachError, Text, TooManyError
from rookery.control.relay.exchange import Exchange
from rookery.control.relay.sender import Sender
from rookery.errors import TimedOutError

CALLS_MAX = 512
SCARCE_FROM = CALLS_MAX // 2
SCARCE_MAX = 4
TIMEOUT_S = 30.0
SWITCHING = 101
STATUS_MIN = 200
"""What is below is no answer yet."""

NOT_CONNECTED = Text("the agent is not connected: {agent_id}", "代理未连接：{agent_id}")
TOO_MANY = Text(
    "too many calls to this cluster are under way, try again", "对该集群的并发调用过多，请稍后重试"
)
CONNECTION_LOST = Text(
    "the connection to the agent was lost during the call", "调用过程中与代理的连接已断开"
)

ODD_STATUS = Text(
    "the cluster answered {status}, which ends no request",
    "集群返回 {status}，并非有效的最终应答",
)
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


class TunnelTimeoutError(TimedOutError):
    """The answer, or the rest of it, did not come in time."""

    def text(self, language: str = "en") -> str:
        """In the language of who reads it."""
        return "集群未在规定时间内应答" if language == "zh" else self.message


Way = Callable[[str], Awaitable[Sender]]
"""What carries messages to an agent, wherever it is connected."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked.

    Attributes:
        method: HTTP method.
        path: Path with query, as the agent is to ask for it.
        headers: Headers in order.
        target: ``api`` or ``dashboard`` of the cluster.
        credential: As whom: ``none``, ``key`` (the agent's own API key), ``viewer`` (its key that may
            only look) or ``user``.
        timeout_s: How long everything may take; of a WebSocket its handshake.
        caller: The name of who asks, for an edge service to write down.
    """

    method: str
    path: str
    headers: Sequence[tuple[str, str]] = ()
    target: str = "api"
    credential: str = "none"
    timeout_s: float = TIMEOUT_S
    caller: str = ""


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
class WebSocket:
    """A WebSocket behind an agent, after the handshake.

    Attributes:
        headers: Those of the handshake's answer.
    """

    exchange: Exchange
    headers: Sequence[tuple[str, str]]

    async def messages(self) -> AsyncIterator[Chunk]:
        """What comes, piece by piece: ``frame`` says of which kind, ``close`` is the last one.

        Raises:
            OutOfReachError: the connection broke.
        """
        async for chunk, credit in self.exchange.incoming():
            yield chunk
            if credit is not None:
                await say(self.exchange, credit)

    async def send(self, body: bytes, frame: str, *, final: bool = True) -> None:
        """Say something; waits while the other side is slow. ``close`` ends it.

        Raises:
            OutOfReachError: the connection broke.
        """
        self.exchange.offer(body, frame, final=final, last=frame == "close")
        async for chunk in self.exchange.allowed():
            await say(self.exchange, chunk)


class Asks(Protocol):
    """What asks something that has an agent, or an address."""

    def call(
        self, agent_id: str, call: Call, body: AsyncIterator[bytes] | None = None
    ) -> contextlib.AbstractAsyncContextManager[Answer]:
        """As :meth:`Tunnel.call`."""
        ...

    def web_socket(
        self, agent_id: str, call: Call
    ) -> contextlib.AbstractAsyncContextManager[Answer | WebSocket]:
        """As :meth:`Tunnel.web_socket`."""
        ...


@dataclass
class Tunnel:
    """Calls under way, by their id. Without ``way`` agents are reached here alone."""

    sender: Sender
    way: Way | None = None
    _calls: dict[str, Exchange] = field(default_factory=dict)
    _by_agent: dict[str, set[str]] = field(default_factory=dict)

    @property
    def counts(self) -> Mapping[str, int]:
        """Calls under way by agent."""
        return {agent_id: len(calls) for agent_id, calls in self._by_agent.items()}

    def handle(self, agent_id: str, message: Message) -> bool:
        """Take what an agent says on its topic for replies; whether it is about a call of here."""
        exchange = self._calls.get(getattr(message, "id", ""))
        # The topic says who speaks; an id of somebody else's call is worth nothing.
        if exchange is None or exchange.agent_id != agent_id:
            return False
        answer = exchange.handle(message)
        if answer is not None:
            say_later(exchange, answer)
        return True

    def lost(self, agent_id: str, sender: object | None = None) -> None:
        """The connection to an agent is gone: nobody waits for its answers any longer.

        ``sender`` is the way that found out; none: the agent was connected here.
        """
        for call_id in list(self._by_agent.get(agent_id, ())):
            if self._calls[call_id].sender is (sender or self.sender):
                self._calls[call_id].fail(OutOfReachError(CONNECTION_LOST))

    def lost_all(self, sender: object) -> None:
        """A way to agents is gone."""
        for exchange in list(self._calls.values()):
            if exchange.sender is sender:
                exchange.fail(OutOfReachError(CONNECTION_LOST))

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
        source = body or nothing()
        first, rest = await _first_piece(source)
        request = _request(call, body=first, more=rest is not None)
        feeding: asyncio.Task[None] | None = None
        async with self._exchange(agent_id, request) as exchange, within(call.timeout_s):
            await _ask(exchange, request, call.timeout_s)
            if rest is not None:
                feeding = asyncio.create_task(_feed(exchange, rest, source))
            try:
                reply = await exchange.reply
                if reply.status < STATUS_MIN:
                    raise OutOfReachError(ODD_STATUS, status=reply.status)
                body_of = _body(exchange, reply)
                yield Answer(reply.status, usable(reply.headers), reply.error, body_of)
            finally:
                if feeding is not None:
                    feeding.cancel()
                    await asyncio.gather(feeding, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def web_socket(self, agent_id: str, call: Call) -> AsyncIterator[Answer | WebSocket]:
        """Open a WebSocket behind an agent; an answer when the cluster refuses it.

        Raises:
            OutOfReachError: the agent is not connected.
            TooManyError: too many calls are under way.
            TunnelTimeoutError: the handshake took too long.
        """
        request = _request(call, upgrade="websocket")
        async with self._exchange(agent_id, request) as exchange:
            async with within(call.timeout_s):
                await _ask(exchange, request, call.timeout_s)
                reply = await exchange.reply
            if reply.status == SWITCHING and not reply.error:
                yield WebSocket(exchange, reply.headers)
            else:
                yield Answer(reply.status, reply.headers, reply.error, _body(exchange, reply))

    # -- inside --------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _exchange(self, agent_id: str, request: Request) -> AsyncIterator[Exchange]:
        exchange = await self._begin(agent_id, request)
        try:
            yield exchange
        finally:
            self._end(exchange)

    async def _begin(self, agent_id: str, request: Request) -> Exchange:
        sender = self.sender
        if not sender.is_connected(agent_id):
            if self.way is None:
                raise OutOfReachError(NOT_CONNECTED, agent_id=agent_id)
            sender = await self.way(agent_id)
        calls = self._by_agent.setdefault(agent_id, set())
        most = REQUESTS_MAX if len(self._calls) < SCARCE_FROM else SCARCE_MAX
        if len(calls) >= most or len(self._calls) >= CALLS_MAX:
            raise TooManyError(TOO_MANY)
        exchange = Exchange(agent_id, request, sender)
        calls.add(request.id)
        self._calls[request.id] = exchange
        return exchange

    def _end(self, exchange: Exchange) -> None:
        self._calls.pop(exchange.id, None)
        calls = self._by_agent.get(exchange.agent_id, set())
        calls.discard(exchange.id)
        if not calls:
            self._by_agent.pop(exchange.agent_id, None)
        if not exchange.is_answered and exchange.sender.is_connected(exchange.agent_id):
            say_later(exchange, Cancel(exchange.id, "nobody waits for it any more"))


def usable(headers: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Without what would make our own answer none: control characters, a length that is no number or is two."""
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    has_length = len(lengths) == 1 and _LENGTH.fullmatch(lengths[0]) is not None
    return [
        (name, value)
        for name, value in headers
        if _CONTROLS.search(value) is None and (has_length or name.lower() != "content-length")
    ]


def _request(call: Call, *, body: bytes = b"", more: bool = False, upgrade: str = "") -> Request:
    return Request(
        secrets.token_hex(16),
        call.method,
        call.path,
        max(1, min(round(call.timeout_s * 1000), TIMEOUT_MS_MAX)),
        target=call.target,
        credential=call.credential,
        headers=tuple(call.headers),
        upgrade=upgrade,
        credit=WINDOW_CHUNKS,
        more=more,
        body=body,
        caller=call.caller[:256],
    )


@contextlib.asynccontextmanager
async def within(timeout_s: float) -> AsyncIterator[None]:
    """The time that a call has.

    Raises:
        TunnelTimeoutError: it is over.
    """
    deadline = asyncio.timeout(timeout_s)
    try:
        async with deadline:
            yield
    except TimeoutError:
        if not deadline.expired():
            raise
        raise TunnelTimeoutError(f"the cluster did not answer within {timeout_s:g} s") from None


async def _ask(exchange: Exchange, request: Request, timeout_s: float) -> None:
    await say(exchange, request, expires_s=max(1, round(timeout_s)))


async def say(exchange: Exchange, message: Message, *, expires_s: int | None = None) -> None:
    """Say something about a call to its agent."""
    await exchange.sender.send(
        exchange.agent_id,
        Channel.REQUEST,
        message,
        expires_s=expires_s,
        correlation=exchange.id.encode(),
    )


def say_later(exchange: Exchange, message: Message) -> None:
    """The same, without waiting for it."""
    task = asyncio.ensure_future(say(exchange, message, expires_s=60))
    _SAYING.add(task)
    task.add_done_callback(_said)


async def _feed(exchange: Exchange, piece: bytes, rest: AsyncIterator[bytes]) -> None:
    try:
        async for chunk in exchange.outgoing(_after(piece, rest)):
            await say(exchange, chunk)
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001  -- whoever waits for the answer is told
        exchange.fail(error)


async def _body(exchange: Exchange, reply: Reply) -> AsyncIterator[bytes]:
    if reply.body:
        yield reply.body
    if not reply.more:
        return
    async for chunk, credit in exchange.incoming():
        if chunk.body:
            yield chunk.body
        if credit is not None:
            await say(exchange, credit)


# A task that nobody holds may be collected before it ran.
_SAYING: set[asyncio.Future[None]] = set()


def _said(task: asyncio.Future[None]) -> None:
    _SAYING.discard(task)
    if not task.cancelled():
        # The relay is stopping; what was to be cancelled is gone with it.
        task.exception()


async def nothing() -> AsyncIterator[bytes]:
    """A body that is empty."""
    empty: tuple[bytes, ...] = ()
    for part in empty:
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
