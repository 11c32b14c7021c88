"""What the core tells, as values with names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

from rookery.native.properties import (
    NO_PROPERTIES,
    Properties,
    decode_properties,
    encode_properties,
)
from rookery.native.rows import (
    AclDecisionRow,
    ClientRow,
    ListenerOutcomeRow,
    MessageRow,
    SubscriptionRow,
)


@dataclass(frozen=True, slots=True)
class Client:
    """A client's session and its latest connection.

    Of a session that a version without such facts stored, and whose client did not come back since,
    nothing is known about the latest connection: its facts are none.

    Attributes:
        client_id: Client Identifier, MQTT-5.0 section 3.1.3.1.
        username: User Name, if it sent one.
        is_connected: Whether a connection stands; a session can outlive it.
        peer: ``address:port`` of its latest connection.
        listener: The listener it came in by, such as ``tcp:default``.
        protocol_version: 3 (MQTT 3.1), 4 (3.1.1) or 5 (5.0).
        keep_alive_s: Keep Alive of its latest connection, seconds.
        clean_start: Clean Start (3.x: Clean Session) as sent then.
        session_expiry_interval_s: Seconds that the session lives on without a connection;
            4294967295 means for ever.
        created_at_ms: When the session was made, milliseconds since 1970.
        connected_at_ms: When that connection was made; none before it is.
        disconnected_at_ms: When it was lost; none while connected.
        generation: Rises with every connect of this client identifier on this node, so that
            notices can be put in order.
        subscriptions: Number of subscriptions.
        inflight: Messages sent and not acknowledged yet.
        queued: Messages waiting.
        dropped: Messages that the queue had no room for.
        awaiting_rel: QoS 2 packets that wait for PUBREL.
        is_durable: Whether the session survives the node.
        cert_common_name: CN of its certificate, or of the one a trusted PROXY header tells.
        cert_subject: Subject of its certificate.
        client_attrs: Attributes that authentication gave it, in order.
        is_superuser: Whether authentication said that nothing is denied to it.
        zone: The zone of its listener; none when no connection was made since the node started.
        mountpoint: What stands before every topic of it.
    """

    client_id: str
    username: str | None
    is_connected: bool
    peer: str | None
    listener: str | None
    protocol_version: int
    keep_alive_s: int | None
    clean_start: bool | None
    session_expiry_interval_s: int
    created_at_ms: int
    connected_at_ms: int | None
    disconnected_at_ms: int | None
    generation: int
    subscriptions: int
    inflight: int
    queued: int
    dropped: int
    awaiting_rel: int
    is_durable: bool
    cert_common_name: str | None = None
    cert_subject: str | None = None
    client_attrs: tuple[tuple[str, str], ...] = ()
    is_superuser: bool = False
    zone: str | None = None
    mountpoint: str = ""

    @classmethod
    def from_row(cls, row: ClientRow) -> Client:
        return cls(*row[:11], row[11] or None, *row[12:21], tuple(row[21]), *row[22:])


@dataclass(frozen=True, slots=True)
class SubscriptionInfo:
    """One subscription of a client, MQTT-5.0 section 3.8.3.1.

    Attributes:
        topic_filter: As the client wrote it, ``$share/…`` included.
        qos: The granted QoS.
        no_local: Whether the client's own messages are left out.
        retain_as_published: Whether RETAIN is passed on as it was published.
        retain_handling: 0, 1 or 2: when retained messages are sent.
    """

    topic_filter: str
    qos: int
    no_local: bool
    retain_as_published: bool
    retain_handling: int

    @classmethod
    def from_row(cls, row: SubscriptionRow) -> SubscriptionInfo:
        return cls(*row)

    def to_row(self) -> SubscriptionRow:
        """The tuple that the core takes."""
        return (
            self.topic_filter,
            self.qos,
            self.no_local,
            self.retain_as_published,
            self.retain_handling,
        )


class ConnAck(NamedTuple):
    """A CONNACK that was sent. ``client_id`` is empty when the CONNECT could not be read so far."""

    client_id: str
    peer: str
    listener: str
    reason_code: int


@dataclass(frozen=True, slots=True)
class Message:
    """An application message. A hook that changes one returns ``dataclasses.replace(message, …)``.

    Attributes:
        topic: Topic Name.
        payload: The payload.
        qos: For a subscriber the QoS it is delivered with, for a hook the QoS it was published with.
        retain: RETAIN as published.
        client_id: Client Identifier of the publisher; the node's own for its own messages.
        username: User Name of the publisher.
        properties: What the publisher said about it.
        id: 128-bit identity, the same for every receiver and on every node.
        timestamp_ms: When this cluster took it, milliseconds since 1970.
        expires_at_ms: When it expires, milliseconds since 1970; none: never.
        is_sys: Whether the node itself made it (``$SYS``).
        origin_node: The node of this cluster that took it, when that was another one.
        origin_link: The cluster link it came over, if it did.
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    client_id: str = ""
    username: str | None = None
    properties: Properties = NO_PROPERTIES
    id: int = 0
    timestamp_ms: int = 0
    expires_at_ms: int | None = None
    is_sys: bool = False
    origin_node: str | None = None
    origin_link: str | None = None

    @classmethod
    def from_row(cls, row: MessageRow, qos: int | None = None) -> Message:
        return cls(
            row[6],
            row[7],
            row[3] if qos is None else qos,
            row[4],
            row[9],
            row[10],
            decode_properties(row[8]),
            row[0],
            row[1],
            row[2] or None,
            row[5],
            row[11],
            row[12],
        )

    def replace(self, **changes: Any) -> Message:
        """The same message but for some attributes; a hook's fast :func:`dataclasses.replace`.

        Raises:
            TypeError: a message has no such attribute.
        """
        take = changes.pop
        made = Message(
            take("topic", self.topic),
            take("payload", self.payload),
            take("qos", self.qos),
            take("retain", self.retain),
            take("client_id", self.client_id),
            take("username", self.username),
            take("properties", self.properties),
            take("id", self.id),
            take("timestamp_ms", self.timestamp_ms),
            take("expires_at_ms", self.expires_at_ms),
            take("is_sys", self.is_sys),
            take("origin_node", self.origin_node),
            take("origin_link", self.origin_link),
        )
        if changes:
            raise TypeError(f"a message has no {', '.join(changes)}")
        return made

    def to_row(self) -> MessageRow:
        """The tuple that the core takes.

        Raises:
            BadRequestError: a property breaks a rule of MQTT.
        """
        return (
            self.id,
            self.timestamp_ms,
            self.expires_at_ms or 0,
            self.qos,
            self.retain,
            self.is_sys,
            self.topic,
            bytes(self.payload),
            encode_properties(self.properties),
            self.client_id,
            self.username,
            self.origin_node,
            self.origin_link,
        )


class Listener(NamedTuple):
    """A listener that stands, or that should: then ``error`` says in one line why it does not."""

    id: str
    address: str
    connections: int
    max_connections: int  # 0 = no bound
    kind: str = "tcp"
    error: str | None = None

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


class ListenerOutcome(NamedTuple):
    """What became of a listener when the list of them was applied.

    ``address`` is set when another program has it.
    """

    id: str
    what: Literal["unchanged", "started", "stopped", "restarted", "changed", "failed"]
    reason: str | None = None
    address: str | None = None

    @classmethod
    def from_row(cls, row: ListenerOutcomeRow) -> ListenerOutcome:
        return cls(row[0], cast("Any", row[1]), row[2], row[3])


class Certificate(NamedTuple):
    """A certificate in the files of a listener.

    ``field`` is the setting that names the file; ``subject`` is written as in RFC 4514;
    ``not_after_s`` counts seconds since 1970.
    """

    listener: str
    file: str
    field: str
    subject: str
    not_after_s: int


class CertificateOutcome(NamedTuple):
    """What became of the certificates of a listener when they were read again.

    With an ``error`` the old ones stay in use.
    """

    listener: str
    is_new: bool
    error: str | None = None


class SlowSubscription(NamedTuple):
    """A client and a topic whose messages take long to reach it."""

    client_id: str
    topic_name: str
    latency_ms: int
    last_update_ms: int


class Recovery(NamedTuple):
    """What a node found in its data directory. ``problems`` says what was damaged."""

    sessions: int
    retained: int
    messages: int
    problems: list[str]
    elapsed_s: float


class PublishOutcome(NamedTuple):
    """What became of a message: its identity and the number of sessions it went to."""

    id: int
    matched: int


class AclDecision(NamedTuple):
    """Whether somebody may do something, and who says so.

    ``verdict`` is ``ask`` when rules cannot tell: the source ``source`` has to be asked.
    ``line`` is the line of the rule in the source's file; 0 when there is none.
    """

    verdict: Literal["allow", "deny", "ask"]
    source: str
    line: int

    @classmethod
    def from_row(cls, row: AclDecisionRow) -> AclDecision:
        return cls(*row)
