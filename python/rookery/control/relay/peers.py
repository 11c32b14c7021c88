"""The way to agents that are connected to another control process.

Which process that is stands in the database. One connection to each is made when it is wanted first,
and serves all calls; what it carries has the credit and the deadlines of the calls themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rookery.contracts.agent_v1 import Channel, Message, MessageError, parse
from rookery.control.errors import OutOfReachError, Text
from rookery.control.relay.door import UNSENT_BYTES_MAX, keep_alive
from rookery.control.relay.frames import Frame, FrameError, read
from rookery.control.relay.identity import Identity, client_context, is_pinned

_log = logging.getLogger("rookery.control.relay")

CONNECT_S = 5.0
DONE_S = 5.0
NO_PROCESS = Text(
    "the control process that the agent is connected to cannot be reached",
    "无法访问代理所连接的控制面进程",
)


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Where another process is, as its row says."""

    process_id: str
    host: str
    port: int
    certificate_sha256: str
    secret: str


class Listener(Protocol):
    """Who made calls: what comes back is for it."""

    def handle(self, agent_id: str, message: Message) -> bool: ...

    def lost(self, agent_id: str, sender: object | None = None) -> None: ...

    def lost_all(self, sender: object) -> None: ...


class PeerLink:
    """A connection to another process: carries messages to the agents it has."""

    def __init__(self, writer: asyncio.StreamWriter, listener: Listener) -> None:
        self._writer = writer
        self._listener = listener
        self._numbers = itertools.count(1)
        self._awaited: dict[int, asyncio.Future[bool]] = {}
        self.is_closed = False

    def is_connected(self, _agent_id: str) -> bool:
        """Whether messages may get there; the process itself says so when they cannot."""
        return not self.is_closed

    async def send(
        self,
        agent_id: str,
        channel: Channel,
        message: Message | None,
        *,
        retain: bool = False,
        expires_s: int | None = None,
        correlation: bytes | None = None,
    ) -> None:
        """As the relay's own.

        Raises:
            OutOfReachError: the connection is lost.
        """
        assert message is not None
        assert not retain
        await self._say(agent_id, channel, message, {"expires": expires_s})

    async def deliver(
        self, agent_id: str, channel: Channel, message: Message, expires_s: int | None
    ) -> bool:
        """Pass a message on; whether the agent was there to be told.

        Raises:
            OutOfReachError: the connection is lost.
        """
        number = next(self._numbers)
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._awaited[number] = done
        try:
            await self._say(agent_id, channel, message, {"expires": expires_s, "number": number})
            async with asyncio.timeout(DONE_S):
                return await done
        except TimeoutError:
            raise OutOfReachError(NO_PROCESS) from None
        finally:
            self._awaited.pop(number, None)

    async def _say(
        self, agent_id: str, channel: Channel, message: Message, more: dict[str, int | None]
    ) -> None:
        if self.is_closed:
            raise OutOfReachError(NO_PROCESS)
        fields = {"agent": agent_id, "channel": channel.value, **more}
        self._writer.write(Frame("say", fields, message.to_bytes()).to_bytes())
        if self._writer.transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self.close()
        try:
            await self._writer.drain()
        except ConnectionError:
            raise OutOfReachError(NO_PROCESS) from None

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Hear what comes back, to the end of the connection."""
        try:
            while (frame := await read(reader)) is not None:
                self._take(frame)
        except (FrameError, MessageError, OSError) as error:
            _log.warning("the connection to a control process broke: %s", error)
        finally:
            self.close()

    def _take(self, frame: Frame) -> None:
        if frame.kind == "heard":
            self._listener.handle(frame.text("agent"), parse(frame.body))
        elif frame.kind == "lost":
            self._listener.lost(frame.text("agent"), self)
        elif frame.kind == "done":
            done = self._awaited.get(frame.number("number") or 0)
            if done is not None and not done.done():
                done.set_result(frame.fields.get("ok") is True)

    def close(self) -> None:
        """Whoever waits for something of it is told. May be called twice."""
        if self.is_closed:
            return
        self.is_closed = True
        self._writer.transport.abort()
        for done in self._awaited.values():
            if not done.done():
                done.set_exception(OutOfReachError(NO_PROCESS))
        self._listener.lost_all(self)


class Peers:
    """The connections to other processes."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._listener: Listener | None = None
        self._links: dict[str, PeerLink] = {}
        self._connecting: dict[str, asyncio.Lock] = {}
        self._reading: set[asyncio.Task[None]] = set()

    def use(self, listener: Listener) -> None:
        """Say who makes calls; before the first."""
        self._listener = listener

    async def to(self, address: PeerAddress) -> PeerLink:
        """A connection to a process.

        Raises:
            OutOfReachError: it cannot be reached, or is another one.
        """
        lock = self._connecting.setdefault(address.process_id, asyncio.Lock())
        async with lock:
            link = self._links.get(address.process_id)
            if link is None or link.is_closed:
                link = self._links[address.process_id] = await self._connect(address)
        return link

    async def close(self) -> None:
        """May be called twice."""
        for link in self._links.values():
            link.close()
        self._links.clear()
        await asyncio.gather(*self._reading, return_exceptions=True)

    # -- inside --------------------------------------------------------------------------------

    async def _connect(self, address: PeerAddress) -> PeerLink:
        assert self._listener is not None
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(
                    address.host, address.port, ssl=client_context()
                )
                try:
                    await self._introduce(address, reader, writer)
                except BaseException:
                    writer.transport.abort()
                    raise
        except (OSError, TimeoutError, FrameError) as error:
            reason = str(error) or type(error).__name__
            _log.warning("control process %s cannot be reached: %s", address.process_id, reason)
            raise OutOfReachError(NO_PROCESS) from error
        keep_alive(writer)
        link = PeerLink(writer, self._listener)
        task = asyncio.create_task(link.read(reader), name=f"peer {address.process_id}")
        self._reading.add(task)
        task.add_done_callback(self._forget(address.process_id, link))
        return link

    async def _introduce(
        self, address: PeerAddress, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        tls = writer.get_extra_info("ssl_object")
        shown = None if tls is None else tls.getpeercert(binary_form=True)
        # Before a secret is said.
        if not is_pinned(shown, address.certificate_sha256):
            raise FrameError("another process answers there")
        hello = {"process": self._identity.process_id, "secret": address.secret}
        writer.write(Frame("hello", hello).to_bytes())
        answer = await read(reader)
        if answer is None or answer.kind != "welcome":
            raise FrameError("it does not let this process in")

    def _forget(self, process_id: str, link: PeerLink) -> Callable[[asyncio.Task[None]], None]:
        def forget(task: asyncio.Task[None]) -> None:
            self._reading.discard(task)
            if self._links.get(process_id) is link:
                del self._links[process_id]
                self._connecting.pop(process_id, None)
            with contextlib.suppress(asyncio.CancelledError):
                task.exception()

        return forget
