"""The MQTT 5 connection to the relay: kept, and told about.

One thread connects, waits until the connection ends and waits again before the next try. Paho's
own thread reads and writes while there is a connection. Nothing is kept for a connection that is
not there: a report is of now, and who waits for an answer has gone by then.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rookery.agent.backoff import Backoff
from rookery.agent.failures import REFUSED, UNREACHABLE, CallError, calling
from rookery.agent.http_client import Trust
from rookery.clock import Clock
from rookery.contracts.agent_v1 import (
    KEEP_ALIVE_S,
    MESSAGE_BYTES_MAX,
    SESSION_EXPIRY_S,
    SUBSCRIBED_BY_AGENT,
    WILL_DELAY_S,
    Channel,
    Presence,
    topic_name,
)

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.properties import Properties

log = logging.getLogger(__name__)

FIRST_WAIT_S = 5.0
# A network that comes back after long is found, and the state true again, within three reports.
MOST_WAIT_S = 30.0
# After a refusal: nothing changes within seconds, and control is asked what is wrong meanwhile.
REFUSED_WAIT_S = 120.0
CONNECT_TIMEOUT_S = 10.0
DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}
# What paho keeps for the wire: a dozen chunks beside the reports.
QUEUED_MESSAGES_MAX = 256
IN_FLIGHT_MAX = 64
RECEIVE_MAX = 256
_TAKEN_OVER, _TOO_OFTEN = 0x8E, 0x9F


@dataclass(frozen=True)
class Identity:
    """As whom, and with which marks, an agent connects."""

    agent_id: str
    username: str
    password: str
    boot_id: str
    version: str
    capabilities: tuple[str, ...] = ()


class MqttLink:
    """Keeps the connection. ``on_message`` is called in paho's thread and must not wait."""

    def __init__(
        self,
        identity: Identity,
        servers: tuple[str, ...],
        trust: Trust,
        *,
        on_message: Callable[[Channel, bytes], None],
        on_up: Callable[[], None],
        on_down: Callable[[], None],
        on_refused: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._identity = identity
        self._servers = servers
        self._trust = trust
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._on_refused = on_refused
        self._clock = clock
        self._heard_s = clock.monotonic_s()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._is_up = False
        self._error = f"{UNREACHABLE}: not connected yet"
        self._is_refused = False
        self._thread = threading.Thread(target=self._keep, name="link", daemon=True)

    @property
    def is_up(self) -> bool:
        """Whether messages can be sent."""
        return self._is_up

    @property
    def error(self) -> str:
        """Why there is no connection; empty when there is one."""
        return "" if self._is_up else self._error

    def is_for(self, identity: Identity, servers: tuple[str, ...]) -> bool:
        """Whether it was made for just this."""
        return (identity, servers) == (self._identity, self._servers)

    def silence_s(self) -> float:
        """How long nothing has come from the relay, not even an acknowledgement."""
        return self._clock.monotonic_s() - self._heard_s

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Say goodbye and end. May be called twice."""
        with self._lock:
            self._stopping.set()
            client = self._client
        if client is not None and self._is_up:
            # The Will is for who vanishes; who leaves says it.
            self.send(Channel.PRESENCE, self._presence("offline"), retain=True, wait_s=timeout_s)
        if client is not None:
            client.disconnect()
        self._ended.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def break_off(self) -> None:
        """End the connection for another; the watchdog does this when nothing comes through."""
        client = self._client
        if client is not None:
            client.disconnect()
        self._ended.set()

    def send(
        self,
        channel: Channel,
        payload: bytes,
        *,
        retain: bool = False,
        properties: Properties | None = None,
        wait_s: float = 0.0,
    ) -> bool:
        """Hand a message over; False when there is no connection or no room."""
        client = self._client
        if client is None or not self._is_up:
            return False
        name = topic_name(self._identity.agent_id, channel)
        try:
            handed = client.publish(name, payload, qos=1, retain=retain, properties=properties)
            if handed.rc == 0 and wait_s > 0:
                handed.wait_for_publish(wait_s)
        except (ValueError, RuntimeError):
            return False
        return bool(handed.rc == 0)

    # -- the thread ------------------------------------------------------------------------

    def _keep(self) -> None:
        backoff = Backoff(FIRST_WAIT_S, MOST_WAIT_S)
        turn = tried = 0
        # The very first try is at once: who registers wants to see it run.
        wait_s = 0.0
        while not self._stopping.wait(wait_s):
            server = self._servers[turn % len(self._servers)]
            turn += 1
            tried += 1
            if self._one_connection(server):
                backoff.succeeded()
                turn -= 1
                tried = 0
            if self._stopping.is_set():
                return
            log.warning("no connection to the relay: %s", self.error)
            if 0 < tried < len(self._servers) and not self._is_refused:
                # Another relay may be well; when to begin was drawn by lot before the first.
                wait_s = 0.0
                continue
            tried = 0
            wait_s = backoff.next_s()
            if self._is_refused:
                self._on_refused()
                wait_s = max(wait_s, REFUSED_WAIT_S * (0.5 + wait_s / MOST_WAIT_S))

    def _one_connection(self, server: str) -> bool:
        """Connect and return when that is over; whether there was a connection."""
        self._ended.clear()
        self._is_refused = False
        was_up = threading.Event()
        client = self._made(server, was_up)
        parts = urlsplit(server)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        try:
            with calling(server):
                client.connect(
                    parts.hostname or "",
                    port,
                    keepalive=KEEP_ALIVE_S,
                    clean_start=False,
                    properties=_connect_properties(),
                )
        except (CallError, ValueError) as error:
            self._error = str(error)
            return False
        with self._lock:
            if self._stopping.is_set():
                client.disconnect()
                return False
            self._client = client
        client.loop_start()
        self._ended.wait()
        self._is_up = False
        with self._lock:
            self._client = None
        # Ends by itself when the connection has ended; else it is told to.
        client.disconnect()
        client.loop_stop()
        return was_up.is_set()

    def _made(self, server: str, was_up: threading.Event) -> Client:
        from paho.mqtt import client as mqtt  # noqa: PLC0415 - carried along, see the package
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion  # noqa: PLC0415
        from paho.mqtt.packettypes import PacketTypes  # noqa: PLC0415
        from paho.mqtt.properties import Properties  # noqa: PLC0415

        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._identity.agent_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_queued_messages_set(QUEUED_MESSAGES_MAX)
        client.max_inflight_messages_set(IN_FLIGHT_MAX)
        client.username_pw_set(self._identity.username, self._identity.password)
        if urlsplit(server).scheme == "mqtts":
            client.tls_set_context(self._trust.context())
        properties = Properties(PacketTypes.WILLMESSAGE)
        properties.WillDelayInterval = WILL_DELAY_S
        client.will_set(
            topic_name(self._identity.agent_id, Channel.PRESENCE),
            self._presence("offline", is_will=True),
            qos=1,
            retain=True,
            properties=properties,
        )

        def on_connect(client: Client, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
            if reason.is_failure:
                self._is_refused = reason.value in (0x86, 0x87, 0x8A)
                code = REFUSED if self._is_refused else UNREACHABLE
                self._error = f"{code}: {server}: the relay says {reason}"
                if reason.value == _TOO_OFTEN:
                    self._error += ": does a copy of this agent run somewhere?"
                return
            was_up.set()
            self._welcome(client)

        def on_disconnect(_client: Client, _data: Any, _flags: Any, reason: Any, _p: Any) -> None:
            was = self._is_up
            self._is_up = False
            if was or not self._error:
                self._error = f"{UNREACHABLE}: {server}: connection lost ({reason})"
            if was and reason is not None and getattr(reason, "value", 0) == _TAKEN_OVER:
                self._error = f"{REFUSED}: another agent connected with this one's credential"
                self._is_refused = True
            self._ended.set()
            if was:
                self._on_down()

        client.on_connect = on_connect
        client.on_disconnect = on_disconnect
        client.on_message = self._receive

        def on_publish(*_: Any) -> None:
            self._heard_s = self._clock.monotonic_s()

        client.on_publish = on_publish
        return client

    def _welcome(self, client: Client) -> None:
        for channel in sorted(SUBSCRIBED_BY_AGENT, key=lambda one: one.value):
            client.subscribe(topic_name(self._identity.agent_id, channel), qos=1)
        self._heard_s = self._clock.monotonic_s()
        self._is_up = True
        self.send(Channel.PRESENCE, self._presence("online"), retain=True)
        log.info("connected to the relay")
        self._on_up()

    def _receive(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._heard_s = self._clock.monotonic_s()
        prefix = topic_name(self._identity.agent_id, Channel.PRESENCE).rpartition("/")[0]
        head, _, last = message.topic.rpartition("/")
        for channel in SUBSCRIBED_BY_AGENT:
            if head == prefix and last == channel.value:
                self._on_message(channel, bytes(message.payload))

    def _presence(self, status: str, *, is_will: bool = False) -> bytes:
        return Presence(
            status,
            agent_version=self._identity.version,
            boot_id=self._identity.boot_id,
            clock_ms=None if is_will else self._clock.now_ms(),
            capabilities=self._identity.capabilities,
        ).to_bytes()


def _connect_properties() -> Properties:
    from paho.mqtt.packettypes import PacketTypes  # noqa: PLC0415
    from paho.mqtt.properties import Properties  # noqa: PLC0415

    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    properties.MaximumPacketSize = MESSAGE_BYTES_MAX + 1024
    properties.ReceiveMaximum = RECEIVE_MAX
    return properties
