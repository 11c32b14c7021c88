"""Runs the relay and passes on what agents say.

An agent reaches its own topics and no others, by rules that the core itself applies. What control
sends goes in without a client connection, and what it wants to hear comes out the same way.

**Bounds.** :data:`INBOX_MAX` messages and :data:`INBOX_BYTES_MAX` bytes of each kind wait to be read; the oldest
report gives way beyond that (the next one says the same), while replies are bounded by the credit that was given for them. What one
agent sends is read no faster than :data:`MESSAGES_RATE` and :data:`BYTES_RATE`, so that one that has
gone wrong holds up none of the others; of what it says of its own accord more than its budget
(:mod:`rookery.control.relay.budget`) is not even looked at, and one that connects more often than that
allows is refused with *Connection rate exceeded*. A connection that may do nothing but enrol has a
Client Identifier of its own kind, which no agent has.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rookery.access.seldom import SeldomLog
from rookery.clock import Clock
from rookery.contracts.agent_edge import ENROL_ID, ENROL_PREFIX, is_enrol_id
from rookery.contracts.agent_v1 import (
    MESSAGE_BYTES_MAX,
    PREFIX,
    PUBLISHED_BY_AGENT,
    REPORT_INTERVAL_S,
    SUBSCRIBED_BY_AGENT,
    Channel,
    Message,
    MessageError,
    UnknownMessageError,
    parse,
    parse_topic,
    topic_name,
)
from rookery.control.relay.budget import Budgets, Connects
from rookery.engine.broker import Broker
from rookery.engine.hooks import BAD_USER_NAME_OR_PASSWORD, Deny
from rookery.engine.subscription import Subscription
from rookery.errors import RookeryError, UnavailableError
from rookery.native.models import Client
from rookery.native.models import Message as MqttMessage

_log = logging.getLogger("rookery.control.relay")

INBOX_MAX = 20_000
INBOX_BYTES_MAX = 64 * 1024 * 1024
"""Of each kind of message: ten thousand agents that come back at once have 30 MB to report."""
LOG_INBOX_MAX = 512
"""Messages with logs that wait; those that give way are not confirmed, and are sent again."""
MESSAGES_RATE = "500/s"
BYTES_RATE = "16MB/s"
PACKET_BYTES_MAX = MESSAGE_BYTES_MAX + 4096
"""A message with its topic and properties."""
AT_ONCE, BYTES_AT_ONCE = 50, 64 * 1024
"""Messages of agents, and bytes of them, that are taken before the event loop does something else."""
CONNECTION_RATE_EXCEEDED = 0x9F
_QOS = 1
_ANSWERS = frozenset({Channel.REPLY, Channel.LOG})
"""Of these there is no more than was asked for, or confirmed."""


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where the relay listens.

    Attributes:
        tcp: ``address:port`` without encryption; none: not at all.
        tls: ``address:port`` with it; none: not at all.
        ssl_options: Certificates for ``tls``, as a listener has them.
        workers: Threads that serve agents.
        report_interval_s: How often agents report: so many bytes may they say.
    """

    tcp: str | None = "0.0.0.0:31883"
    tls: str | None = None
    ssl_options: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 1
    report_interval_s: float = REPORT_INTERVAL_S


class Agents(Protocol):
    """Who knows agents and hears of them. Every method is called on the relay's event loop."""

    async def may_enrol(self, client_id: str, username: str, password: bytes, address: str) -> int:
        """Whether somebody may ask for a name: 0, or the reason code that refuses."""
        ...

    async def may_connect(self, agent_id: str, secret: str) -> bool:
        """Whether it is that agent."""
        ...

    def connected(self, agent_id: str) -> None:
        """Its connection stands."""
        ...

    def disconnected(self, agent_id: str) -> None:
        """Its connection is lost; it may come back any moment."""
        ...

    def heard(self, agent_id: str, channel: Channel, message: Message) -> None:
        """It said something."""
        ...


class Relay:
    """The broker of agents. Runs from :meth:`start` to :meth:`stop`."""

    def __init__(self, settings: RelaySettings, agents: Agents, clock: Clock) -> None:
        self._settings = settings
        # Whoever says one thing that cannot be read says thousands.
        self._unreadable = SeldomLog(_log, clock)
        self._agents = agents
        self._connected: dict[str, int] = {}
        self._budgets = Budgets(clock, settings.report_interval_s)
        self._connects = Connects(clock)
        self._too_often = SeldomLog(_log, clock)
        self._readers: list[asyncio.Task[None]] = []
        self._subscriptions: list[Subscription] = []
        self.certificate_problem = ""
        """Why files that changed were not taken; empty: nothing is wrong with them."""
        self.counters = {"relay.refused": 0, "relay.unreadable": 0, "relay.failed": 0}
        self.counters |= {"relay.over_budget": 0, "relay.too_often": 0}
        self._broker = Broker(
            listeners=_listeners(settings),
            hooks=[
                _hook("on_authenticate", self._on_authenticate),
                _hook("on_connected", self._on_connected),
                _hook("on_disconnected", self._on_disconnected),
            ],
            config=_config(settings),
            workers=settings.workers,
            node_name="rookery-relay@127.0.0.1",
        )

    async def start(self) -> None:
        """Open its listeners.

        Raises:
            PortInUseError: an address is taken.
            StartError: an address or the certificate cannot be used.
        """
        await self._broker.start()
        self._broker.watch_certificates(self._certificates_read)
        others = (*sorted(PUBLISHED_BY_AGENT - {Channel.REPLY}, key=str), Channel.ENROL)
        for channels in ((Channel.REPLY,), others):
            for channel in channels:
                queue_max = LOG_INBOX_MAX if channel is Channel.LOG else INBOX_MAX
                subscription = self._broker.subscribe(
                    f"{PREFIX}/+/{channel.value}",
                    qos=_QOS,
                    queue_max=queue_max,
                    queue_bytes_max=INBOX_BYTES_MAX,
                )
                subscription.open()
                self._subscriptions.append(subscription)
                self._readers.append(asyncio.create_task(self._read(subscription)))

    async def stop(self) -> None:
        """Close everything. May be called twice."""
        await self._broker.stop()
        readers, self._readers = self._readers, []
        await asyncio.gather(*readers, return_exceptions=True)
        self._connected.clear()

    async def take_certificate(self) -> None:
        """Show what the files of the certificate hold now, if it runs."""
        if self._broker.is_running:
            self.certificate_problem = ""
            await self._broker.reload_certificates()

    def _certificates_read(self, _listener: str, problem: str | None) -> None:
        self.certificate_problem = problem or ""
        if problem:
            _log.warning(
                "the certificates of the relay were not read again, the old ones hold: %s", problem
            )
        else:
            _log.info("the relay shows the certificate that its files hold now")

    @property
    def addresses(self) -> Mapping[str, tuple[str, int]]:
        """Where it listens, by ``tcp`` and ``tls``; nothing while it does not run."""
        if not self._broker.is_running:
            return {}
        names = {"tcp:agents": "tcp", "ssl:agents": "tls"}
        return {names[item.id]: (item.host, item.port) for item in self._broker.listeners}

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports that it got, by ``tcp`` and ``tls``."""
        names = {"tcp:agents": "tcp", "ssl:agents": "tls"}
        return {names[item.id]: item.port for item in self._broker.listeners}

    def is_connected(self, agent_id: str) -> bool:
        """Whether a connection of the agent stands in this process."""
        return agent_id in self._connected

    @property
    def connected_ids(self) -> Sequence[str]:
        """The agents that are connected to this process."""
        return list(self._connected)

    @property
    def connected_count(self) -> int:
        """Agents that are connected to this process."""
        return len(self._connected)

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
        """Say something to an agent.

        Args:
            agent_id: To whom.
            channel: On which of its topics.
            message: What; none takes back what was retained.
            retain: Whether it is for the agent also when it comes back.
            expires_s: Seconds after which it is of no use.
            correlation: Correlation Data of a request.

        Raises:
            UnavailableError: the relay is not running.
        """
        is_request = channel is Channel.REQUEST
        await self._broker.publish(
            topic_name(agent_id, channel),
            b"" if message is None else message.to_bytes(),
            qos=_QOS,
            retain=retain,
            message_expiry_interval=expires_s,
            response_topic=topic_name(agent_id, Channel.REPLY) if is_request else None,
            correlation_data=correlation,
        )

    async def drop(self, agent_id: str) -> None:
        """End an agent's connection, if it has one here."""
        await self._broker.kick(agent_id)

    # -- what the broker asks and tells ------------------------------------------------------

    async def _on_authenticate(self, client: Client, password: bytes | None) -> bool | Deny:
        if client.client_id.startswith(ENROL_PREFIX):
            return await self._on_enrol(client, password)
        if client.username != client.client_id or password is None:
            return self._refuse()
        try:
            secret = password.decode("ascii")
        except UnicodeDecodeError:
            return self._refuse()
        if not self._connects.allows(client.client_id):
            # Each connection takes the place of the one before, and all who look are told of both.
            self.counters["relay.too_often"] += 1
            self._too_often.warning(
                "agent %s connects too often and is refused: does a copy of it run somewhere?",
                client.client_id,
            )
            return Deny(CONNECTION_RATE_EXCEEDED)
        if not await self._agents.may_connect(client.client_id, secret):
            return self._refuse()
        self._connects.count(client.client_id)
        return True

    async def _on_enrol(self, client: Client, password: bytes | None) -> bool | Deny:
        if not is_enrol_id(client.client_id) or not client.username or password is None:
            return self._refuse()
        address = (client.peer or "").rpartition(":")[0]
        code = await self._agents.may_enrol(
            client.client_id, client.username, password, address.strip("[]")
        )
        if code:
            self.counters["relay.refused"] += 1
        return Deny(code) if code else True

    def _refuse(self) -> Deny:
        self.counters["relay.refused"] += 1
        return Deny(BAD_USER_NAME_OR_PASSWORD)

    def _on_connected(self, client: Client) -> None:
        self._connected[client.client_id] = client.generation
        self._agents.connected(client.client_id)

    def _on_disconnected(self, client: Client, _reason: str) -> None:
        # The notice about an older connection may come after the one about its successor.
        if self._connected.get(client.client_id, -1) <= client.generation:
            self._connected.pop(client.client_id, None)
            self._budgets.forget(client.client_id)
            self._agents.disconnected(client.client_id)

    async def _read(self, subscription: Subscription) -> None:
        taken = taken_bytes = 0
        async for message in subscription:
            taken_bytes += self._take(message)
            taken += 1
            if taken >= AT_ONCE or taken_bytes >= BYTES_AT_ONCE:
                # Reading a queue that is not empty does not wait, and others are to have a turn.
                taken = taken_bytes = 0
                await asyncio.sleep(0)

    def _take(self, message: MqttMessage) -> int:
        """How many bytes of it were read."""
        try:
            topic = parse_topic(message.topic)
            if topic.channel not in _ANSWERS and not self._budgets.allows(
                topic.agent_id, len(message.payload)
            ):
                self.counters["relay.over_budget"] += 1
                return 0
            said = parse(message.payload)
        except UnknownMessageError:
            return len(message.payload)
        except MessageError as error:
            self.counters["relay.unreadable"] += 1
            self._unreadable.warning("%s: a message that cannot be read: %s", message.topic, error)
            return len(message.payload)
        try:
            self._agents.heard(topic.agent_id, topic.channel, said)
        except RookeryError as error:
            self.counters["relay.failed"] += 1
            _log.warning("agent %s: %s", topic.agent_id, error)
        return len(message.payload)


def _hook(name: str, callback: object) -> object:
    """An object with one hook, which is how a method of another name becomes one."""
    return type("RelayHook", (), {"__slots__": (), name: staticmethod(callback)})()  # type: ignore[arg-type]


def _listeners(settings: RelaySettings) -> dict[str, str]:
    listeners = {}
    if settings.tcp is not None:
        listeners["tcp:agents"] = settings.tcp
    if settings.tls is not None:
        listeners["ssl:agents"] = settings.tls
    if not listeners:
        raise UnavailableError("the relay has no listener")
    return listeners


def _config(settings: RelaySettings) -> dict[str, object]:
    config: dict[str, object] = {
        "authorization.no_match": "deny",
        "authorization.deny_action": "ignore",
        "authorization.sources": [{"type": "file", "enable": True, "rules": _rules()}],
        "mqtt.max_packet_size": f"{PACKET_BYTES_MAX}B",
    }
    for kind, address in (("tcp", settings.tcp), ("ssl", settings.tls)):
        if address is not None:
            config[f"listeners.{kind}.agents.bind"] = address
            config[f"listeners.{kind}.agents.messages_rate"] = MESSAGES_RATE
            config[f"listeners.{kind}.agents.bytes_rate"] = BYTES_RATE
    if settings.tls is not None:
        config["listeners.ssl.agents.ssl_options"] = dict(settings.ssl_options)
    return config


def _rules() -> str:
    """An agent's own topics; the core puts its Client Identifier in."""

    def own(channels: frozenset[Channel]) -> str:
        names = sorted(f'"{PREFIX}/${{clientid}}/{channel.value}"' for channel in channels)
        return ", ".join(names)

    enrolling = f'{{clientid, {{re, "^{ENROL_ID}$"}}}}'
    return (
        f"{{allow, {enrolling}, publish, [{own(frozenset({Channel.ENROL}))}]}}.\n"
        f"{{allow, {enrolling}, subscribe, [{own(frozenset({Channel.ENROLLED}))}]}}.\n"
        f'{{deny, {enrolling}, all, ["#"]}}.\n'
        f"{{allow, all, publish, [{own(PUBLISHED_BY_AGENT)}]}}.\n"
        f"{{allow, all, subscribe, [{own(SUBSCRIBED_BY_AGENT)}]}}.\n"
        "{deny, all}.\n"
    )
