"""One MQTT connection on an event loop: paho's client, driven by the loop instead of a thread.

A connection is opened once; when it has ended another one is made. Publishing waits for a place in
the window and then for the acknowledgement. What arrives is acknowledged when the owner says so,
for QoS 2 that means the PUBREC: whoever dies before it gets the message again.

paho has no public way to hold back a PUBREC, and acknowledges a PUBREL for a message it does not
know only while it acknowledges by itself; so its two methods that send the first acknowledgement
are overridden here, see :class:`_Client`. ``tests/integration/connectors/mqtt`` would tell if they
were no longer called.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from rookery.access.errors import Words
from rookery.access.reasons import why_unreachable
from rookery.connectors.base import Unhealthy
from rookery.connectors.mqtt.reasons import reason_words

PROTOCOLS = {"v3": 3, "v4": 4, "v5": 5}
RECEIVED_MAX = 1000
"""Messages that wait for the owner; then no more is read from the connection."""
MISC_S_MAX = 5.0
SESSION_EXPIRY_NEVER = 0xFFFF_FFFF

_REFUSED = Words(
    "the broker at {address} refused the connection: {reason}",
    "服务器 {address} 拒绝了连接：{reason}",
)
_LOGIN = Words(
    "the broker at {address} does not let this node in ({reason}): check username and password, and "
    "what the user may do there",
    "服务器 {address} 不允许本节点登录（{reason}）：请检查用户名、密码及该用户的权限",
)
_LOGIN_NAMES = frozenset(
    {"Bad user name or password", "Not authorized", "Bad authentication method"}
)
_UNREACHABLE = Words("{address} cannot be reached: {reason}", "无法连接 {address}：{reason}")
_ENDED = Words("the connection ended: {reason}", "连接已断开：{reason}")
_CLOSED = Words("closed", "已关闭")
_LATE = Words("{address} did not answer in time", "{address} 未在规定时间内应答")
# MQTT-5.0 section 3.14.2.1: why it ends that has nothing to do with a message.
_OF_NO_MESSAGE = frozenset({0x89, 0x8B, 0x8D, 0x8E, 0x96, 0x97, 0x98, 0x9C, 0x9D, 0x9F, 0xA0})
_REFUSED_FILTER = Words(
    "the broker refused the subscription to {topic}: {reason}", "服务器拒绝订阅 {topic}：{reason}"
)


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes when the connection is lost."""

    topic: str
    payload: bytes
    qos: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to, and as whom."""

    host: str
    port: int
    client_id: str
    proto_ver: Literal["v3", "v4", "v5"]
    bridge_mode: bool
    username: str | None
    password: str | None
    clean_start: bool
    keepalive_s: int
    max_inflight: int
    connect_timeout_s: float
    acknowledge_s: float
    tls: ssl.SSLContext | None
    will: Will | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_v5(self) -> bool:
        return self.proto_ver == "v5"


class _Client(paho.Client):
    """Leaves the first acknowledgement of a message to the connection's owner."""

    def _send_puback(self, mid: int) -> MQTTErrorCode:
        del mid
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _send_pubrec(self, mid: int) -> MQTTErrorCode:
        # paho puts the message there when this returns, and calls back only at its PUBREL.
        self.event_loop.call_soon(self._arrived, mid)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _arrived(self, mid: int) -> None:
        message = self._in_messages.get(mid)
        if message is not None:
            self.arrived(message)

    def acknowledge(self, message: paho.MQTTMessage) -> None:
        """Send the PUBACK or PUBREC."""
        if message.qos == 1:
            super()._send_puback(message.mid)
        elif message.qos == 2:
            super()._send_pubrec(message.mid)

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        # paho leaves the socket open when the handshake fails.
        assert self.tls is not None
        wrapped = self.tls.wrap_socket(
            tcp_sock, server_hostname=self.host, do_handshake_on_connect=False
        )
        try:
            wrapped.settimeout(self.connect_timeout)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def drop(self) -> None:
        """Close the socket, whatever was not written."""
        self._sock_close()

    event_loop: asyncio.AbstractEventLoop
    arrived: Callable[[paho.MQTTMessage], None]
    tls: ssl.SSLContext | None


class Ended(Unhealthy):
    """The broker ended the connection, perhaps over what it was sent."""


Answer: TypeAlias = "asyncio.Future[ReasonCode | Unhealthy]"
"""What became of a published message. Never an exception: nobody may be left to take it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker allows."""

    window: int
    qos: int = 2
    retain: bool = True
    packet_bytes: int = 268_435_460


class Connection:
    """One connection. Belongs to one event loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.limits = Limits(endpoint.max_inflight or 65_535)
        self.session_present = False
        self.reason_code = 0
        """Of the CONNACK that refused, or of how the connection ended; 0: neither happened."""
        # paho takes both versions' words but not one's for the other.
        self._client = client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=endpoint.client_id,
            protocol=MQTTProtocolVersion(PROTOCOLS[endpoint.proto_ver]),
            clean_session=None if endpoint.is_v5 else endpoint.clean_start,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = False
        client.connect_timeout = endpoint.connect_timeout_s
        client.max_inflight_messages = 0  # the window is kept here: paho's ignores the broker's
        if endpoint.bridge_mode and not endpoint.is_v5:
            client.enable_bridge_mode()
        if endpoint.username is not None or endpoint.password is not None:
            client.username_pw_set(endpoint.username, endpoint.password)
        if endpoint.will is not None:
            client.will_set(endpoint.will.topic, endpoint.will.payload, endpoint.will.qos)
        client.tls = endpoint.tls
        if endpoint.tls is not None:
            client.tls_set_context(endpoint.tls)
        self.released: Callable[[int], None] = lambda _mid: None
        self._loop = client.event_loop = asyncio.get_running_loop()
        client.arrived = self._arrived
        self._received: asyncio.Queue[paho.MQTTMessage | None] = asyncio.Queue()
        self._pending: dict[int, tuple[float, Answer]] = {}
        self._subscribing: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._connected.add_done_callback(_seen)  # whoever waited may have been cancelled
        self._window = asyncio.Semaphore(self.limits.window)
        self._socket: Any = None
        self._is_paused = self._is_closing = False
        self._misc: asyncio.TimerHandle | None = None
        self.failure: Unhealthy | None = None

    # -- life ----------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect.

        Raises:
            Unhealthy: the broker cannot be reached, or refused.
        """
        client = self._client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        # With one of its own paho leaves writing to whoever has the loop.
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        client.on_socket_close = self._on_socket_close
        # Resolving, connecting and the handshake of TLS block.
        connecting = self._loop.run_in_executor(None, self._connect)
        try:
            async with asyncio.timeout(2 * self.endpoint.connect_timeout_s):
                await asyncio.shield(connecting)
                self._adopt()
                await asyncio.shield(self._connected)
        except TimeoutError:
            self._abandon(connecting)
            raise Unhealthy(_LATE.format(address=self.endpoint.address)) from None
        except (OSError, ValueError) as error:
            self._abandon(connecting)
            raise Unhealthy(self._unreachable(error)) from error
        except BaseException:
            self._abandon(connecting)
            raise

    def _unreachable(self, error: OSError | ValueError) -> Words:
        address = self.endpoint.address
        if isinstance(error, OSError):
            return why_unreachable(address, error)
        return _UNREACHABLE.format(address=address, reason=_said(error))

    def _connect(self) -> None:
        endpoint = self.endpoint
        more: dict[str, Any] = {}
        if endpoint.is_v5:
            properties = Properties(PacketTypes.CONNECT)
            if not endpoint.clean_start:
                properties.SessionExpiryInterval = SESSION_EXPIRY_NEVER
            properties.ReceiveMaximum = endpoint.max_inflight or 65_535
            more = {"clean_start": endpoint.clean_start, "properties": properties}
        self._client.connect(endpoint.host, endpoint.port, endpoint.keepalive_s, **more)

    def _adopt(self) -> None:
        """The socket is there: from here on the loop drives it."""
        self._socket = self._client.socket()
        if self._socket is None:
            raise ConnectionError("closed at once")
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.add_reader(self._socket, self._read)
        if self._client.want_write():
            self._loop.add_writer(self._socket, self._write)
        self._misc = self._loop.call_later(self._misc_s, self._on_time)

    def _abandon(self, connecting: asyncio.Future[None]) -> None:
        def end(_future: asyncio.Future[None]) -> None:
            _seen(connecting)  # it has been told already, or nobody wants it
            self.close()

        if connecting.done():
            end(connecting)
        else:
            connecting.add_done_callback(end)

    def close(self) -> None:
        """Disconnect. May be called twice."""
        self._is_closing = True
        if self._client.socket() is not None:
            self._client.disconnect()
            if self._socket is not None:
                self._client.loop_write()
        self._end(Unhealthy(_ENDED.format(reason=_CLOSED)))
        self._client.drop()

    @property
    def is_open(self) -> bool:
        return self.failure is None and self._connected.done()

    # -- out -----------------------------------------------------------------------------

    async def publish(
        self, topic: str, payload: bytes, qos: int, retain: bool, properties: Properties | None
    ) -> Answer:
        """Publish when there is room in the window; in the order of the calls.

        The answer comes with the broker's acknowledgement, for QoS 0 when it was written.

        Raises:
            Unhealthy: the connection has ended.
            ValueError: this can be no message.
        """
        await self._window.acquire()
        try:
            if self.failure is not None:
                raise self.failure
            info = self._client.publish(topic, payload, qos, retain, properties)
        except BaseException:
            self._window.release()
            raise
        answer: Answer = self._loop.create_future()
        answer.add_done_callback(lambda _answer: self._window.release())
        self._pending[info.mid] = (self._loop.time(), answer)
        return answer

    async def subscribe(self, topic_filter: str, qos: int) -> None:
        """Subscribe.

        Raises:
            Unhealthy: the broker refused, or the connection has ended.
        """
        if self.failure is not None:
            raise self.failure
        try:
            _, mid = self._client.subscribe(topic_filter, qos)
        except ValueError as error:
            words = _REFUSED_FILTER.format(topic=topic_filter, reason=reason_words(error))
            raise Unhealthy(words) from error
        future = self._subscribing[mid or 0] = self._loop.create_future()
        try:
            async with asyncio.timeout(self.endpoint.connect_timeout_s):
                codes = await future
        except TimeoutError:
            raise Unhealthy(_LATE.format(address=self.endpoint.address)) from None
        finally:
            self._subscribing.pop(mid or 0, None)
        refused = [code for code in codes if code.is_failure]
        if refused:
            reason = reason_words(refused[0])
            raise Unhealthy(_REFUSED_FILTER.format(topic=topic_filter, reason=reason))

    # -- in ------------------------------------------------------------------------------

    async def receive(self) -> paho.MQTTMessage:
        """The next message, in the order of the broker.

        Raises:
            Unhealthy: the connection has ended; messages that wait come before, all the same.
        """
        message = await self._received.get()
        if message is None:
            assert self.failure is not None
            raise self.failure
        if self._is_paused and self._received.qsize() <= RECEIVED_MAX // 2:
            self._is_paused = False
            if self._socket is not None:
                self._loop.add_reader(self._socket, self._read)
                # What TLS has decrypted already makes no socket readable.
                self._loop.call_soon(self._read)
        return message

    def acknowledge(self, message: paho.MQTTMessage) -> None:
        """Say that a message is taken care of; nothing when the connection has ended."""
        if self.failure is None:
            self._client.acknowledge(message)

    # -- what paho calls -----------------------------------------------------------------

    def _on_connect(
        self, _client: object, _data: object, flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if self._connected.done():
            return
        if reason.is_failure:
            self.reason_code = reason.value
            words = _LOGIN if reason.getName() in _LOGIN_NAMES else _REFUSED
            words = words.format(address=self.endpoint.address, reason=reason_words(reason))
            self._connected.set_exception(Unhealthy(words))
            return
        self.session_present = bool(flags.session_present)
        if self.endpoint.is_v5 and properties is not None:
            self.limits = _limits(properties, self.limits.window)
            self._window = asyncio.Semaphore(self.limits.window)
        self._connected.set_result(None)

    def _on_disconnect(
        self, _client: object, _data: object, _flags: object, reason: ReasonCode, _more: object
    ) -> None:
        self.reason_code = self.reason_code or reason.value
        kind = Unhealthy if self._is_closing or reason.value in _OF_NO_MESSAGE else Ended
        self._end(kind(_ENDED.format(reason=reason_words(reason))))

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if message.qos == 2:
            self.released(message.mid)  # its PUBREL: it was handed over when it came
        else:
            self._arrived(message)

    def _arrived(self, message: paho.MQTTMessage) -> None:
        self._received.put_nowait(message)
        if self._received.qsize() >= RECEIVED_MAX and not self._is_paused:
            self._is_paused = True
            if self._socket is not None:
                self._loop.remove_reader(self._socket)

    def _on_publish(
        self, _client: object, _data: object, mid: int, reason: ReasonCode, _more: object
    ) -> None:
        _, answer = self._pending.pop(mid, (0.0, None))
        if answer is not None and not answer.done():
            answer.set_result(reason)

    def _on_subscribe(
        self, _client: object, _data: object, mid: int, reasons: list[ReasonCode], _more: object
    ) -> None:
        future = self._subscribing.get(mid)
        if future is not None and not future.done():
            future.set_result(reasons)

    def _on_register_write(self, _client: object, _data: object, sock: Any) -> None:
        if self._socket is not None:
            self._loop.add_writer(sock, self._write)

    def _on_unregister_write(self, _client: object, _data: object, sock: Any) -> None:
        if self._socket is not None:
            self._loop.remove_writer(sock)

    def _on_socket_close(self, _client: object, _data: object, sock: Any) -> None:
        if self._socket is not None:
            self._socket = None
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    # -- what the loop calls -------------------------------------------------------------

    def _read(self) -> None:
        while self._socket is not None and not self._is_paused:
            self._client.loop_read()
            sock = self._socket
            if not isinstance(sock, ssl.SSLSocket) or not sock.pending():
                return

    def _write(self) -> None:
        self._client.loop_write()

    def _on_time(self) -> None:
        self._client.loop_misc()
        # Acknowledgements come in order: the first one is the oldest.
        since, _ = next(iter(self._pending.values()), (math.inf, None))
        if self._loop.time() - since > self.endpoint.acknowledge_s:
            self._end(Unhealthy(_LATE.format(address=self.endpoint.address)))
            self._client.drop()
        if self._socket is not None:
            self._misc = self._loop.call_later(self._misc_s, self._on_time)

    @property
    def _misc_s(self) -> float:
        return min(MISC_S_MAX, self.endpoint.keepalive_s / 4, self.endpoint.acknowledge_s / 2)

    def _end(self, why: Unhealthy) -> None:
        if self.failure is not None:
            return
        self.failure = why
        if self._misc is not None:
            self._misc.cancel()
        if not self._connected.done():
            self._connected.set_exception(why)
        for _, answer in self._pending.values():
            if not answer.done():
                answer.set_result(why)
        self._pending.clear()
        for future in self._subscribing.values():
            if not future.done():
                future.set_exception(why)
        self._received.put_nowait(None)


def _limits(properties: Any, window: int) -> Limits:
    """What the CONNACK of MQTT 5 says."""
    values = properties.json()
    return Limits(
        window=min(window, int(values.get("ReceiveMaximum", 65_535))),
        qos=int(values.get("MaximumQoS", 2)),
        retain=bool(values.get("RetainAvailable", 1)),
        packet_bytes=int(values.get("MaximumPacketSize", 268_435_460)),
    )


def _seen(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return str(getattr(error, "strerror", None) or error)
