"""Where other control processes come to speak to the agents that are connected to this one.

What an agent answers goes back to whoever asked: a call is known by its id from its request to the
last byte, or until either side breaks it off.

**Bounds.** :data:`PEERS_MAX` connections, each :data:`FIRST_FRAME_S` old at most when its secret has
come, with at most :data:`CALLS_MAX` calls under way and :data:`UNSENT_BYTES_MAX` that it does not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Coroutine

from rookery.contracts.agent_v1 import (
    Cancel,
    Channel,
    Chunk,
    Message,
    MessageError,
    Reply,
    Request,
    parse,
)
from rookery.control.relay.frames import Frame, FrameError, read
from rookery.control.relay.identity import Identity
from rookery.control.relay.sender import Sender
from rookery.control.relay.tunnel import CALLS_MAX
from rookery.errors import RookeryError

_log = logging.getLogger("rookery.control.relay")

PEERS_MAX = 64
FIRST_FRAME_S = 5.0
UNSENT_BYTES_MAX = 64 << 20
SENT_CHANNELS = {Channel.REQUEST.value: Channel.REQUEST, Channel.DESIRED.value: Channel.DESIRED}


class Visitor:
    """Another process that speaks to agents of this one."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.calls: dict[str, str] = {}
        """The agents of its calls, by their id."""

    def say(self, frame: Frame) -> None:
        """Pass something on; who does not read loses the connection, and its calls with it."""
        transport = self.writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            _log.warning("a control process does not read, its connection is ended")
            transport.abort()
            return
        self.writer.write(frame.to_bytes())


class Door:
    """Lets other processes in. Lives on the event loop of the relay."""

    def __init__(self, identity: Identity, sender: Sender) -> None:
        """``sender`` carries messages to the agents of this process."""
        self._identity = identity
        self._sender = sender
        self._visitors: set[Visitor] = set()
        self._calls: dict[tuple[str, str], Visitor] = {}
        self._server: asyncio.Server | None = None
        self._cancelling: set[asyncio.Task[None]] = set()
        self.counters = {"peers.refused": 0, "peers.calls": 0}

    async def open(self, host: str, port: int) -> int:
        """Begin on the running loop; the port that it got.

        Raises:
            OSError: the address cannot be had.
        """
        self._server = await asyncio.start_server(
            self._serve, host, port, ssl=self._identity.server_context(), ssl_handshake_timeout=5.0
        )
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def close(self) -> None:
        """May be called twice."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for visitor in list(self._visitors):
            visitor.writer.transport.abort()
        await asyncio.gather(*self._cancelling, return_exceptions=True)

    def handle(self, agent_id: str, message: Message) -> bool:
        """Pass on what an agent answers; whether somebody else asked for it."""
        key = (agent_id, getattr(message, "id", ""))
        visitor = self._calls.get(key)
        if visitor is None:
            return False
        visitor.say(Frame("heard", {"agent": agent_id}, message.to_bytes()))
        if _is_the_end(message):
            self._forget(visitor, key)
        return True

    def lost(self, agent_id: str) -> None:
        """An agent's connection is gone: whoever waits for its answers is told."""
        for visitor in self._visitors:
            mine = [call for call, agent in visitor.calls.items() if agent == agent_id]
            if mine:
                visitor.say(Frame("lost", {"agent": agent_id}))
            for call in mine:
                self._forget(visitor, (agent_id, call))

    # -- inside --------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitor = Visitor(writer)
        try:
            if len(self._visitors) >= PEERS_MAX or not await self._is_known(reader):
                self.counters["peers.refused"] += 1
                return
            keep_alive(writer)
            self._visitors.add(visitor)
            visitor.say(Frame("welcome"))
            while (frame := await read(reader)) is not None:
                await self._take(visitor, frame)
        except (FrameError, MessageError) as error:
            _log.warning("a control process says what cannot be read: %s", error)
        except (ConnectionError, OSError) as error:
            _log.info("the connection of a control process broke: %s", error)
        finally:
            self._visitors.discard(visitor)
            for call, agent_id in list(visitor.calls.items()):
                self._forget(visitor, (agent_id, call))
                self._later(self._cancel(agent_id, call))
            writer.transport.abort()

    async def _is_known(self, reader: asyncio.StreamReader) -> bool:
        try:
            async with asyncio.timeout(FIRST_FRAME_S):
                first = await read(reader)
        except TimeoutError:
            return False
        return (
            first is not None
            and first.kind == "hello"
            and self._identity.lets_in(first.text("secret"))
        )

    async def _take(self, visitor: Visitor, frame: Frame) -> None:
        if frame.kind != "say":
            return  # of a later version
        agent_id = frame.text("agent")
        channel = SENT_CHANNELS.get(frame.text("channel"))
        if channel is None:
            raise FrameError("say: a channel that control does not speak on")
        message = parse(frame.body)
        is_here = self._sender.is_connected(agent_id)
        number = frame.number("number")
        if isinstance(message, Request) and is_here and number is None:
            self._remember(visitor, agent_id, message.id)
        elif isinstance(message, Cancel):
            self._forget(visitor, (agent_id, message.id))
        try:
            if is_here:
                correlation = getattr(message, "id", "").encode()
                await self._sender.send(
                    agent_id,
                    channel,
                    message,
                    expires_s=frame.number("expires"),
                    correlation=correlation or None,
                )
        except RookeryError as error:
            _log.warning("agent %s: %s", agent_id, error)
            is_here = False
        if number is not None:
            visitor.say(Frame("done", {"number": number, "ok": is_here}))
        elif not is_here:
            visitor.say(Frame("lost", {"agent": agent_id}))

    def _remember(self, visitor: Visitor, agent_id: str, call_id: str) -> None:
        if len(visitor.calls) >= CALLS_MAX:
            raise FrameError("more calls than a process may make")
        self.counters["peers.calls"] += 1
        visitor.calls[call_id] = agent_id
        self._calls[agent_id, call_id] = visitor

    def _forget(self, visitor: Visitor, key: tuple[str, str]) -> None:
        visitor.calls.pop(key[1], None)
        if self._calls.get(key) is visitor:
            del self._calls[key]

    async def _cancel(self, agent_id: str, call_id: str) -> None:
        if self._sender.is_connected(agent_id):
            with contextlib.suppress(RookeryError):
                gone = Cancel(call_id, "the control process that asked is gone")
                await self._sender.send(
                    agent_id, Channel.REQUEST, gone, expires_s=60, correlation=call_id.encode()
                )

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._cancelling.add(task)
        task.add_done_callback(self._cancelling.discard)


def _is_the_end(message: Message) -> bool:
    if isinstance(message, Reply):
        return not message.more
    return isinstance(message, Cancel) or (isinstance(message, Chunk) and message.last)


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """A machine that vanished is noticed within half a minute."""
    sock = writer.get_extra_info("socket")
    if sock is None:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    user_timeout = getattr(socket, "TCP_USER_TIMEOUT", None)
    if user_timeout is not None:
        sock.setsockopt(socket.IPPROTO_TCP, user_timeout, 25_000)
