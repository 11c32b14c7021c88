"""An asyncio MQTT 5 client that forgets nothing: its session state outlives its connections.

Made for load that is interrupted. Messages are identified by their payload; what was sent,
acknowledged and received is written to a :class:`harness.history.History`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable

from harness.history import History
from harness.packets import (
    ConnAck,
    Connect,
    Packet,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    Subscription,
    Will,
    parse,
    split,
)
from harness.wire import Properties

LEVEL = 5
EXPIRY_S = 3600


@dataclasses.dataclass
class _Sent:
    """A message under way to the broker."""

    message: Publish
    is_received: bool = False  # PUBREC has come, so PUBREL is what has to be sent again


class DurableClient:
    """One session. ``on_packet`` is told of every packet that arrives."""

    def __init__(
        self,
        client_id: str,
        history: History,
        on_packet: Callable[[], None],
        *,
        window: int = 20,
        will: Will | None = None,
    ) -> None:
        self.client_id = client_id
        self.session_present = False
        self.is_known = False  # the broker has acknowledged a session of this client
        self._history = history
        self._on_packet = on_packet
        self._will = will
        self._window = asyncio.Semaphore(window)
        self._outgoing: dict[int, _Sent] = {}
        self._unreleased: set[int] = set()  # QoS 2 identifiers received and not yet released
        self._next_id = 0
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[Packet] | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    # -- connection ----------------------------------------------------------------------

    async def connect(self, host: str, port: int) -> None:
        """Connect, resume the session and send again what was not acknowledged."""
        await self.lost()
        reader, self._writer = await asyncio.open_connection(host, port)
        self._reading = asyncio.create_task(self._read(reader))
        try:
            await self._resume()
        except BaseException:
            await self.drop()
            raise

    async def _resume(self) -> None:
        properties: Properties = {"session_expiry_interval": EXPIRY_S, "receive_maximum": 50}
        packet = Connect(self.client_id, False, 0, self._will, properties=properties)
        answer = await self._ask(packet)
        assert isinstance(answer, ConnAck), answer
        assert answer.reason_code == 0, answer
        if self.is_known and not answer.session_present:
            self._history.report(f"{self.client_id}: the session is gone")
        self.session_present = answer.session_present
        self.is_known = True
        for packet_id, sent in self._outgoing.items():
            if sent.is_received:
                self._write(PubRel(packet_id))
            else:
                self._write(dataclasses.replace(sent.message, dup=True))

    async def _ask(self, packet: Packet) -> Packet:
        """Send a packet whose answer is awaited."""
        self._answer = asyncio.get_running_loop().create_future()
        self._write(packet)
        return await self._answer

    async def subscribe(self, topic_filter: str, qos: int) -> None:
        answer = await self._ask(Subscribe(65_535, [Subscription(topic_filter, qos)]))
        assert isinstance(answer, SubAck), answer
        assert answer.reason_codes == [qos], answer

    async def lost(self) -> None:
        """Wait until the connection has ended, and forget it."""
        if self._reading is not None:
            with contextlib.suppress(ConnectionError):
                await self._reading
            self._reading = None
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def drop(self) -> None:
        """End the connection from this side, without DISCONNECT."""
        if self._writer is not None:
            self._writer.transport.abort()
        await self.lost()

    # -- messages ------------------------------------------------------------------------

    async def publish(self, topic_name: str, key: str, qos: int, *, retain: bool = False) -> None:
        """Begin to publish ``key``; waits for a place in the window only."""
        await self._window.acquire()
        self._next_id = self._next_id % 60_000 + 1
        message = Publish(topic_name, key.encode(), qos, self._next_id, retain)
        self._outgoing[self._next_id] = _Sent(message)
        self._idle.clear()
        self._history.published(key, qos)
        self._write(message)

    async def all_acknowledged(self) -> None:
        """Wait until nothing is under way to the broker."""
        await self._idle.wait()

    def _finished(self, packet_id: int) -> None:
        sent = self._outgoing.pop(packet_id, None)
        if sent is None:
            return
        self._history.acknowledged(sent.message.payload.decode())
        self._window.release()
        if not self._outgoing:
            self._idle.set()

    # -- packets -------------------------------------------------------------------------

    def _write(self, packet: Packet) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(packet.encode(LEVEL))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        buffer = bytearray()
        try:
            while data := await reader.read(65_536):
                buffer += data
                while (found := split(buffer)) is not None:
                    first, body, consumed = found
                    del buffer[:consumed]
                    self._handle(parse(first, body, LEVEL))
                    self._on_packet()
        except ConnectionError:
            pass
        finally:
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(ConnectionResetError("closed before the answer"))

    def _handle(self, packet: Packet) -> None:
        match packet:
            case ConnAck() | SubAck():
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(packet)
            case PubAck(packet_id=packet_id):
                self._finished(packet_id)
            case PubRec(packet_id=packet_id):
                if packet_id in self._outgoing:
                    self._outgoing[packet_id].is_received = True
                    self._history.accepted(self._outgoing[packet_id].message.payload.decode())
                self._write(PubRel(packet_id))
            case PubComp(packet_id=packet_id):
                self._finished(packet_id)
            case PubRel(packet_id=packet_id):
                self._unreleased.discard(packet_id)
                self._write(PubComp(packet_id))
            case Publish():
                self._handle_publish(packet)
            case _:
                self._history.report(f"{self.client_id}: unexpected {packet}")

    def _handle_publish(self, message: Publish) -> None:
        if message.qos == 2:
            if message.packet_id not in self._unreleased:
                self._unreleased.add(message.packet_id)
                self._history.received(self.client_id, message)
            self._write(PubRec(message.packet_id))
            return
        self._history.received(self.client_id, message)
        if message.qos == 1:
            self._write(PubAck(message.packet_id))
