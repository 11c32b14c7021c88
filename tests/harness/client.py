"""A blocking MQTT client that shows every packet and hides none.

Nothing here waits for time to pass: a read ends with a packet, with the end of the stream,
or with a failure at the deadline. That nothing was sent is proved by a fence: a packet
whose answer has to come after whatever must not come.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import time
from collections import deque
from collections.abc import Collection, Iterable
from types import TracebackType
from typing import Self, TypeVar

from harness.packets import (
    Ack,
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    Subscription,
    UnsubAck,
    Unsubscribe,
    parse,
    split,
)
from harness.wire import Properties

P = TypeVar("P", bound=Packet)
# By when what must happen has happened. No test passes by it, so it is far beyond what a machine
# needs that does other things at the same time.
DEADLINE_S = float(os.environ.get("ROOKERY_TEST_DEADLINE_S", "60"))
# A reason code before closing is a SHOULD, which Mosquitto does not follow and we do.
_PEER_MAY_BE_SILENT = "ROOKERY_TEST_MOSQUITTO" in os.environ
_fence_numbers = itertools.count(1)
_opened: list[RawClient] = []


def drop_all() -> None:
    """Close every connection that a test left open."""
    while _opened:
        _opened.pop().drop()


class ClosedError(AssertionError):
    """The broker closed the connection while a packet was expected."""


class RawClient:
    """One network connection. ``level`` is 3, 4 or 5."""

    def __init__(self, host: str, port: int, level: int = 4) -> None:
        self.level = level
        self.client_id = ""
        self.connack = ConnAck()
        self._socket = self._open(host, port)
        self._buffer = bytearray()
        self._held: deque[Packet] = deque()
        self._packet_ids = itertools.cycle(range(1, 65_536))
        _opened.append(self)

    def _open(self, host: str, port: int) -> socket.socket:
        """The connection; others reach the broker through more than TCP."""
        opened = socket.create_connection((host, port), timeout=DEADLINE_S)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.drop()

    # -- bytes ---------------------------------------------------------------------------

    def send_raw(self, data: bytes) -> None:
        """Send ``data`` as it is."""
        self._socket.settimeout(DEADLINE_S)
        self._socket.sendall(data)

    def send_until_closed(self, data: bytes) -> None:
        """Send ``data`` to a broker that may stop reading and close half way."""
        with contextlib.suppress(ConnectionError):
            self.send_raw(data)

    def send_without_blocking(self, data: bytes) -> int:
        """Send what the kernel takes at once and say how much that was."""
        self._socket.setblocking(False)
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        finally:
            self._socket.settimeout(DEADLINE_S)

    def drop(self) -> None:
        """Close the connection without DISCONNECT."""
        self._socket.close()

    def end_of_input(self) -> None:
        """Tell the broker that nothing more will be sent; reading goes on."""
        self._socket.shutdown(socket.SHUT_WR)

    def send(self, *packets: Packet) -> None:
        """Send ``packets`` in one write."""
        self.send_raw(b"".join(packet.encode(self.level) for packet in packets))

    def _read_packet(self, deadline: float) -> Packet:
        while True:
            found = split(self._buffer)
            if found is not None:
                first, body, consumed = found
                del self._buffer[:consumed]
                return parse(first, body, self.level)
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError("no packet before the deadline")
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65_536)
            except TimeoutError as error:
                raise AssertionError("no packet before the deadline") from error
            except ConnectionError as error:
                raise ClosedError("connection reset") from error
            if not data:
                raise ClosedError("connection closed")
            self._buffer += data

    def read_raw(self, count: int) -> bytes:
        """The next ``count`` bytes, undecoded."""
        self._socket.settimeout(DEADLINE_S)
        while len(self._buffer) < count:
            data = self._socket.recv(65_536)
            if not data:
                raise ClosedError(f"connection closed after {bytes(self._buffer)!r}")
            self._buffer += data
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    # -- packets -------------------------------------------------------------------------

    def receive_packet(self) -> Packet:
        """The next packet, whatever it is.

        Raises:
            ClosedError: the broker closed the connection instead.
        """
        if self._held:
            return self._held.popleft()
        return self._read_packet(time.monotonic() + DEADLINE_S)

    def expect(self, kind: type[P], **fields: object) -> P:
        """The next packet, which has to be a ``kind`` with these field values."""
        packet = self.receive_packet()
        return _check(packet, kind, fields)

    def await_within(self, seconds: float) -> Packet | None:
        """The next packet, or ``None`` when none has come after ``seconds``."""
        if self._held:
            return self._held.popleft()
        try:
            return self._read_packet(time.monotonic() + seconds)
        except ClosedError:
            raise
        except AssertionError:
            return None

    def await_packet(self, kind: type[P], **fields: object) -> P:
        """The next packet that is not a PUBLISH; each PUBLISH before it is kept for later."""
        passed: list[Packet] = []
        while isinstance(packet := self.receive_packet(), Publish) and kind is not Publish:
            passed.append(packet)
        self._held.extendleft(reversed(passed))
        return _check(packet, kind, fields)

    def expect_closed(self, reason_codes: Collection[int] = ()) -> Packet | None:
        """The broker has to close now, after at most one CONNACK or DISCONNECT that says why.

        With ``reason_codes`` that packet has to be there and carry one of them.
        """
        notice: Packet | None = None
        try:
            notice = self.receive_packet()
            assert isinstance(notice, ConnAck | Disconnect), f"close expected, got {brief(notice)}"
            after = self.receive_packet()
        except ClosedError:
            code = getattr(notice, "reason_code", None)
            if reason_codes and not (code is None and _PEER_MAY_BE_SILENT):
                wanted = ", ".join(f"{item:#x}" for item in sorted(reason_codes))
                assert code is not None, f"closed without a reason code, wanted {wanted}"
                assert code in reason_codes, f"closed with {code:#x}, wanted {wanted}"
            elif code is not None:
                assert code != 0, f"closed after {notice}"
            return notice
        raise AssertionError(f"close expected, got {brief(notice)} and {brief(after)}")

    def fence(self) -> None:
        """Everything sent so far has been read by the broker, and answered in order."""
        self.send(PingReq())
        self.await_packet(PingResp)

    def expect_nothing(self) -> None:
        """No packet has come, and none was under way before the PINGRESP of a PINGREQ."""
        assert not self._held, f"nothing expected, got {brief(self._held)}"
        self.send(PingReq())
        self.expect(PingResp)

    def expect_nothing_from(self, publisher: RawClient, qos: int = 0) -> None:
        """No message of ``publisher`` is under way to this client.

        A marker message of the same QoS, published after whatever must not arrive, has to
        be the next thing that does.
        """
        topic_name = f"fence/{next(_fence_numbers)}"
        self.subscribe(topic_name, qos=qos)
        assert not self._held, f"nothing expected, got {brief(self._held)}"
        publisher.publish(topic_name, b"fence", qos=qos)
        self.receive(topic_name, b"fence")
        self.unsubscribe(topic_name)

    # -- exchanges -----------------------------------------------------------------------

    def connect(self, packet: Connect) -> ConnAck:
        """Send CONNECT and expect acceptance."""
        self.client_id = packet.client_id
        self.send(packet)
        self.connack = self.expect(ConnAck, reason_code=0)
        return self.connack

    def packet_id(self) -> int:
        """A packet identifier that this client has not used lately."""
        return next(self._packet_ids)

    def subscribe(
        self,
        *filters: str | Subscription,
        qos: int = 0,
        granted: Iterable[int] | None = None,
        properties: Properties | None = None,
    ) -> SubAck:
        """Subscribe and expect SUBACK; without ``granted`` the requested QoS everywhere."""
        entries = [Subscription(item, qos) if isinstance(item, str) else item for item in filters]
        packet_id = self.packet_id()
        self.send(Subscribe(packet_id, entries, properties or {}))
        wanted = [entry.qos for entry in entries] if granted is None else list(granted)
        return self.await_packet(SubAck, packet_id=packet_id, reason_codes=wanted)

    def unsubscribe(self, *filters: str) -> UnsubAck:
        """Unsubscribe and expect UNSUBACK."""
        packet_id = self.packet_id()
        self.send(Unsubscribe(packet_id, list(filters)))
        return self.await_packet(UnsubAck, packet_id=packet_id)

    def publish(
        self,
        topic_name: str,
        payload: bytes = b"",
        *,
        qos: int = 0,
        retain: bool = False,
        properties: Properties | None = None,
    ) -> Ack | None:
        """Publish and finish the exchange that ``qos`` asks for."""
        packet_id = self.packet_id() if qos else 0
        self.send(Publish(topic_name, payload, qos, packet_id, retain, False, properties or {}))
        if qos == 0:
            self.fence()
            return None
        if qos == 1:
            return self._good_ack(self.await_packet(PubAck, packet_id=packet_id))
        received = self._good_ack(self.await_packet(PubRec, packet_id=packet_id))
        self.send(PubRel(packet_id))
        self.await_packet(PubComp, packet_id=packet_id, reason_code=0)
        return received

    @staticmethod
    def _good_ack(ack: Ack) -> Ack:
        assert ack.reason_code < 0x80, f"refused: {ack}"
        return ack

    def receive(
        self, topic_name: str | None = None, payload: bytes | None = None, **fields: object
    ) -> Publish:
        """The next packet has to be this PUBLISH; it is acknowledged."""
        message = self.expect_publish(topic_name, payload, **fields)
        self.acknowledge(message)
        return message

    def expect_publish(
        self, topic_name: str | None = None, payload: bytes | None = None, **fields: object
    ) -> Publish:
        """The next packet has to be this PUBLISH; it is not acknowledged."""
        if topic_name is not None:
            fields["topic_name"] = topic_name
        if payload is not None:
            fields["payload"] = payload
        return self.expect(Publish, **fields)

    def acknowledge(self, message: Publish) -> None:
        """Answer ``message`` as its QoS asks, to the end of the exchange."""
        if message.qos == 1:
            self.send(PubAck(message.packet_id))
        elif message.qos == 2:
            self.send(PubRec(message.packet_id))
            self.await_packet(PubRel, packet_id=message.packet_id, reason_code=0)
            self.send(PubComp(message.packet_id))

    def disconnect(self, reason_code: int = 0, properties: Properties | None = None) -> None:
        """Send DISCONNECT and wait until the broker has closed."""
        self.send(Disconnect(reason_code, properties or {}))
        with contextlib.suppress(ClosedError):
            packet = self.receive_packet()
            while isinstance(packet, Publish):
                packet = self.receive_packet()
            raise AssertionError(f"close expected, got {brief(packet)}")
        self.drop()


def brief(value: object) -> str:
    """``repr`` without the middle of what is long."""
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:250]} … {text[-120:]}"


def _check(packet: Packet, kind: type[P], fields: dict[str, object]) -> P:
    wanted = f"{getattr(kind, '__name__', kind)} {brief(fields)}"
    assert isinstance(packet, kind), f"{wanted} expected, got {brief(packet)}"
    for name, value in fields.items():
        assert getattr(packet, name) == value, f"{wanted} expected, got {brief(packet)}"
    return packet
