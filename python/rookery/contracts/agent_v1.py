"""What agents and the control plane say to each other over MQTT, version 1.

Both kinds of agent speak it: one beside a cluster of brokers, and an edge service. All topics
begin with ``agents/v1/{agent}/``:

    presence   agent → control   :class:`Presence`, retained; the Will says *offline*
    report     agent → control   :class:`Report`, every 15 s
    req        control → agent   :class:`Request`, :class:`Chunk`, :class:`Credit`, :class:`Cancel`,
                                 :class:`Command`
    rsp        agent → control   :class:`Reply`, :class:`Chunk`, :class:`Credit`, :class:`Cancel`
    evt        agent → control   :class:`Event`, :class:`CommandState`
    desired    control → agent   :class:`Desired`, retained; also the last word to a deleted agent
    reported   agent → control   :class:`Reported`, retained
    log        agent → control   :class:`LogBatch`; see :mod:`rookery.contracts.agent_logs`
    logack     control → agent   :class:`LogAck`, for each batch

What edge services say beside it stands in :mod:`rookery.contracts.agent_edge`.

A message is one JSON object; where a body belongs to it, a line feed and the bytes follow. A
request has its ``id`` as MQTT's Correlation Data, too, and the topic ``rsp`` as Response Topic.
A body longer than :data:`CHUNK_BYTES_MAX` continues in chunks, and each side sends only as many as
the other has given credit for: see :mod:`rookery.contracts.agent_streams`.

Fields and types are only added; who receives ignores fields that it does not know and takes
:class:`UnknownMessageError` as *not for me*. Nothing else than :class:`MessageError` comes out of
bytes, whoever made them.

This module runs on Python 3.9 with the standard library alone.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from rookery.contracts.agent_fields import (
    Body,
    Flag,
    Integer,
    Listing,
    Mapped,
    MessageError,
    Number,
    Pair,
    Part,
    Record,
    Rule,
    Text,
    UnknownMessageError,
    Word,
    parse_object,
    write_object,
)

__all__ = [
    "CHUNK_BYTES_MAX",
    "REPORT_INTERVAL_S",
    "WINDOW_CHUNKS",
    "Cancel",
    "Channel",
    "Chunk",
    "ClusterFacts",
    "ClusterNode",
    "Command",
    "CommandState",
    "Credit",
    "Desired",
    "Event",
    "Integration",
    "LogAck",
    "LogBatch",
    "Message",
    "MessageError",
    "Presence",
    "Reply",
    "Report",
    "Reported",
    "Request",
    "Topic",
    "UnknownMessageError",
    "parse",
    "parse_topic",
    "topic_name",
]

VERSION = 1
PREFIX = "agents/v1"

# -- how the link is kept
REPORT_INTERVAL_S = 15
KEEP_ALIVE_S = 30
SESSION_EXPIRY_S = 3600
WILL_DELAY_S = 10

# -- what an agent may say of itself in ``Presence.capabilities``
VIEWER_KEY = "viewer-key"

# -- bounds
CHUNK_BYTES_MAX = 128 * 1024
HEADER_BYTES_MAX = 64 * 1024
MESSAGE_BYTES_MAX = HEADER_BYTES_MAX + 1 + CHUNK_BYTES_MAX
# Chunks that may be under way in one direction of one request, unless more was given.
WINDOW_CHUNKS = 8
WINDOW_CHUNKS_MAX = 64
# Requests of one agent under way at once.
REQUESTS_MAX = 64
BODY_BYTES_MAX = 64 * 1024 * 1024
TIMEOUT_MS_MAX = 300_000
COMMAND_MS_MAX = 90 * 86_400_000
NODES_MAX = 256
METRICS_MAX = 512
NODE_FIGURES_MAX = 32
# A report tells of so many objects one by one, and of the others how many there are.
INTEGRATIONS_MAX = 500
INTEGRATION_KINDS = ("rule", "connector", "action", "source")
# A report has no body, so that its object may take the place of one.
REPORT_BYTES_MAX = 176 * 1024
ERROR_CHARS_MAX = 512
# Batches of log records under way at once, unless control says otherwise.
LOG_WINDOW = 4
LOG_WINDOW_MAX = 16
_TIME_MAX = 1 << 53

AGENT_ID = r"[A-Za-z0-9_-]{1,64}"
_AGENT_ID = re.compile(AGENT_ID)


class Channel(enum.Enum):
    """The last level of a topic name."""

    PRESENCE = "presence"
    REPORT = "report"
    REQUEST = "req"
    REPLY = "rsp"
    EVENT = "evt"
    DESIRED = "desired"
    REPORTED = "reported"
    LOG = "log"
    LOG_ACK = "logack"
    ENROL = "enrol"
    ENROLLED = "enrolled"


# What an agent may do with its own topics; nothing with those of another.
PUBLISHED_BY_AGENT = frozenset(
    {
        Channel.PRESENCE,
        Channel.REPORT,
        Channel.REPLY,
        Channel.EVENT,
        Channel.REPORTED,
        Channel.LOG,
    }
)
SUBSCRIBED_BY_AGENT = frozenset({Channel.REQUEST, Channel.DESIRED, Channel.LOG_ACK})


@dataclass(frozen=True)
class Topic:
    """Whose topic it is and what it carries."""

    agent_id: str
    channel: Channel


def topic_name(agent_id: str, channel: Channel) -> str:
    """The topic name of an agent.

    Raises:
        MessageError: that is no name of an agent.
    """
    if _AGENT_ID.fullmatch(agent_id) is None:
        raise MessageError("agent: not an identifier")
    return f"{PREFIX}/{agent_id}/{channel.value}"


def parse_topic(name: str) -> Topic:
    """Take a topic name apart.

    Raises:
        MessageError: it is none of an agent.
    """
    head, _, channel = name.rpartition("/")
    prefix, _, agent_id = head.rpartition("/")
    if prefix != PREFIX or _AGENT_ID.fullmatch(agent_id) is None:
        raise MessageError("topic: none of an agent")
    try:
        return Topic(agent_id, Channel(channel))
    except ValueError:
        raise UnknownMessageError("topic: of a later version") from None


_M = TypeVar("_M", bound="Message")


class Message(Record):
    """A message; ``to_bytes`` and ``from_bytes`` are each other's inverse."""

    TYPE: ClassVar[str] = ""
    HEADER_MAX: ClassVar[int] = HEADER_BYTES_MAX

    def to_bytes(self) -> bytes:
        """As it travels.

        Raises:
            MessageError: its fields together are longer than a message may be.
        """
        header = write_object({"v": VERSION, "type": self.TYPE, **self.written()})
        if len(header) > self.HEADER_MAX:
            raise MessageError(f"more than {self.HEADER_MAX} bytes without the body")
        for name, rule in self.SHAPE.items():
            if isinstance(rule, Body):
                body: bytes = getattr(self, name)
                return header + b"\n" + body if body else header
        return header

    @classmethod
    def from_bytes(cls: type[_M], data: bytes) -> _M:
        """Read a message that must be of this type.

        Raises:
            MessageError: it is another, or none.
        """
        message = parse(data)
        if not isinstance(message, cls):
            raise MessageError(f"type: not {cls.TYPE}")
        return message


# -- rules that many have

_ID = Text(64, shortest=1, pattern=r"[A-Za-z0-9_.-]+")
_NAME = Text(256)
_VERSION = Text(64)
_ERROR = Text(ERROR_CHARS_MAX)
_TIME = Integer(0, _TIME_MAX)
_COUNT = Integer(0, _TIME_MAX)
_KIND = Word(*INTEGRATION_KINDS)
_BY_STATUS = Mapped(_COUNT, 16, name=Text(32, shortest=1))
_HEADERS = Listing(
    Pair(
        Text(128, shortest=1, pattern=r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"),
        Text(8192, pattern=r"[^\r\n]*"),
    ),
    64,
)
# Without line ends and spaces: it becomes part of the first line of a request.
_PATH = Text(8192, shortest=1, pattern=r"/[\x21-\x5b\x5d-\x7e]*")
_BODY = Body(CHUNK_BYTES_MAX)


# -- how the agent is


@dataclass(frozen=True)
class Presence(Message):
    """Whether the agent is connected. ``boot_id`` is another one for each start of the agent."""

    status: str
    kind: str = "cluster"
    agent_version: str = ""
    boot_id: str = ""
    clock_ms: int | None = None
    capabilities: tuple[str, ...] = ()

    TYPE: ClassVar[str] = "presence"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "status": Word("online", "offline"),
        "kind": Word("cluster", "edge"),
        "agent_version": _VERSION,
        "boot_id": Text(64),
        "clock_ms": _TIME,
        "capabilities": Listing(Text(64, shortest=1), 64),
    }
    NAMES: ClassVar[Mapping[str, str]] = {"clock_ms": "clock"}


@dataclass(frozen=True)
class ClusterNode(Record):
    """One node of the cluster; ``figures`` are its own, by the names of the cluster's metrics."""

    node: str
    status: str = "running"
    uptime_ms: int | None = None
    version: str = ""
    connections: int | None = None
    role: str = ""
    figures: Mapping[str, float] | None = None

    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "node": Text(256, shortest=1),
        "status": Text(32),
        "uptime_ms": _COUNT,
        "version": _VERSION,
        "connections": _COUNT,
        "role": Text(32),
        "figures": Mapped(Number(), NODE_FIGURES_MAX, name=Text(64, shortest=1)),
    }
    NAMES: ClassVar[Mapping[str, str]] = {"uptime_ms": "uptime"}


@dataclass(frozen=True)
class ClusterFacts(Record):
    """What is known of the cluster; None is what it did not tell."""

    started_at_ms: int | None = None
    version: str = ""
    edition: str = ""
    connections: int | None = None
    connection_limit: int | None = None
    # Whether the limit can be set by the control plane, and why not.
    limit_is_settable: bool | None = None
    limit_reason: str = ""
    rates: Mapping[str, float] = field(default_factory=dict)
    # What was set as the limit, where ``connection_limit`` is what holds: a licence may say less.
    limit_setting: int | None = None

    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "started_at_ms": _TIME,
        "version": _VERSION,
        "edition": Text(64),
        "connections": _COUNT,
        "connection_limit": _COUNT,
        "limit_is_settable": Flag(),
        "limit_reason": _ERROR,
        "rates": Mapped(Number(), 64, name=Text(64, shortest=1)),
        "limit_setting": _COUNT,
    }
    NAMES: ClassVar[Mapping[str, str]] = {"started_at_ms": "startedAt"}


@dataclass(frozen=True)
class Integration(Record):
    """A rule, connector, action or source that is not in a normal state.

    ``id`` is what the cluster's own interface names it by. ``status`` is ``stopped`` where somebody
    switched it off, ``abnormal`` of a rule with an output that does not work, else the cluster's word.
    """

    kind: str
    id: str
    status: str
    name: str = ""
    type: str = ""
    reason: str = ""

    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "kind": Word(*INTEGRATION_KINDS),
        "id": Text(300, shortest=1),
        "status": Text(32, shortest=1),
        "name": _NAME,
        "type": Text(64),
        "reason": Text(300),
    }


@dataclass(frozen=True)
class Report(Message):
    """The state of the cluster as the agent sees it; each error is empty when all is well.

    It is also the body of the HTTP call, which is made while there is no MQTT connection.
    ``clock_ms`` is the agent's own clock; ``round_trip_ms`` how long the last fetch took.

    ``integration_counts`` says of each kind how many have which status. A kind that is not there was
    not read: ``integration_errors`` says why, and nothing where the cluster has no such kind.
    ``integrations`` are those in no normal state, without ``integrations_left_out`` more.
    """

    agent_version: str
    clock_ms: int
    sequence: int = 0
    node_id: str = ""
    boot_id: str = ""
    cluster_nodes: tuple[ClusterNode, ...] = ()
    facts: ClusterFacts | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    dashboard_enabled: bool = False
    round_trip_ms: int | None = None
    cluster_fetch_error: str = ""
    metrics_fetch_error: str = ""
    logs_fetch_error: str = ""
    node_connect_error: str = ""
    mqtt_connect_error: str = ""
    integration_counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    integrations: tuple[Integration, ...] = ()
    integrations_left_out: int = 0
    integration_errors: Mapping[str, str] = field(default_factory=dict)

    TYPE: ClassVar[str] = "report"
    HEADER_MAX: ClassVar[int] = REPORT_BYTES_MAX
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "agent_version": _VERSION,
        "clock_ms": _TIME,
        "sequence": _COUNT,
        "node_id": _NAME,
        "boot_id": Text(64),
        "cluster_nodes": Listing(Part(ClusterNode), NODES_MAX),
        "facts": Part(ClusterFacts),
        "metrics": Mapped(Number(), METRICS_MAX, name=Text(96, shortest=1)),
        "dashboard_enabled": Flag(),
        "round_trip_ms": _COUNT,
        "cluster_fetch_error": _ERROR,
        "metrics_fetch_error": _ERROR,
        "logs_fetch_error": _ERROR,
        "node_connect_error": _ERROR,
        "mqtt_connect_error": _ERROR,
        "integration_counts": Mapped(_BY_STATUS, len(INTEGRATION_KINDS), name=_KIND),
        "integrations": Listing(Part(Integration), INTEGRATIONS_MAX),
        "integrations_left_out": _COUNT,
        "integration_errors": Mapped(_ERROR, len(INTEGRATION_KINDS), name=_KIND),
    }
    NAMES: ClassVar[Mapping[str, str]] = {"clock_ms": "clock"}


@dataclass(frozen=True)
class Event(Message):
    """Something happened at the agent; ``id`` is the same when it is sent again."""

    id: str
    at_ms: int
    kind: str
    level: str = "info"
    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    TYPE: ClassVar[str] = "event"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "id": _ID,
        "at_ms": _TIME,
        "kind": Text(64, shortest=1, pattern=r"[a-z0-9_.-]+"),
        "level": Word("debug", "info", "warning", "error"),
        "text": Text(2048),
        "fields": Mapped(Text(1024), 32, name=Text(64, shortest=1)),
    }
    NAMES: ClassVar[Mapping[str, str]] = {"at_ms": "at"}


# -- the tunnel


@dataclass(frozen=True)
class Request(Message):
    """A call that the agent makes for somebody at the control plane.

    ``timeout_ms`` is what was left of the time when it was sent: clocks of two machines differ,
    and what waits too long in the relay is dropped there by MQTT's Message Expiry Interval.
    ``credential`` says as whom: *none* passes the headers on as they are, *key* adds the agent's
    own API key, *viewer* its key that may only look (of agents that have :data:`VIEWER_KEY`), *user*
    the token of the dashboard user that the agent was given.
    ``credit`` is how many chunks of the answer may come before more is given. ``caller`` is the name of who
    asks, for the log of an edge service.
    """

    id: str
    method: str
    path: str
    timeout_ms: int
    target: str = "api"
    credential: str = "none"
    headers: tuple[tuple[str, str], ...] = ()
    upgrade: str = ""
    credit: int = WINDOW_CHUNKS
    more: bool = False
    body: bytes = b""
    caller: str = ""

    TYPE: ClassVar[str] = "request"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "id": _ID,
        "method": Word("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
        "path": _PATH,
        "timeout_ms": Integer(1, TIMEOUT_MS_MAX),
        "target": Word("api", "dashboard"),
        "credential": Word("none", "key", "viewer", "user"),
        "headers": _HEADERS,
        "upgrade": Word("", "websocket"),
        "credit": Integer(0, WINDOW_CHUNKS_MAX),
        "more": Flag(),
        "body": _BODY,
        "caller": _NAME,
    }


@dataclass(frozen=True)
class Reply(Message):
    """The answer. ``error`` is empty when it came from the cluster, else why none came.

    Then ``status`` is 502 (not reachable, refused), 503 (too many at once) or 504 (too late).
    """

    id: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    error: str = ""
    more: bool = False
    body: bytes = b""

    TYPE: ClassVar[str] = "reply"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "id": _ID,
        "status": Integer(100, 599),
        "headers": _HEADERS,
        "error": _ERROR,
        "more": Flag(),
        "body": _BODY,
    }


@dataclass(frozen=True)
class Chunk(Message):
    """More of a body, or a message of a WebSocket. ``sequence`` counts from 1 in each direction.

    Of a WebSocket ``frame`` says what the message is and ``final`` whether it ends here.
    """

    id: str
    sequence: int
    last: bool = False
    frame: str = ""
    final: bool = True
    body: bytes = b""

    TYPE: ClassVar[str] = "chunk"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "id": _ID,
        "sequence": Integer(1, _TIME_MAX),
        "last": Flag(),
        "frame": Word("", "text", "binary", "close"),
        "final": Flag(),
        "body": _BODY,
    }


@dataclass(frozen=True)
class Credit(Message):
    """So many chunks more may be sent."""

    id: str
    chunks: int

    TYPE: ClassVar[str] = "credit"
    SHAPE: ClassVar[Mapping[str, Rule]] = {"id": _ID, "chunks": Integer(1, WINDOW_CHUNKS_MAX)}


@dataclass(frozen=True)
class Cancel(Message):
    """Whoever says it wants no more of this request; after a reply it means *broken off*."""

    id: str
    reason: str = ""

    TYPE: ClassVar[str] = "cancel"
    SHAPE: ClassVar[Mapping[str, Rule]] = {"id": _ID, "reason": _ERROR}


# -- what is to be done, once


@dataclass(frozen=True)
class Command(Message):
    """Something that changes the cluster. It is sent again until its result has arrived.

    The agent remembers the ``id`` over restarts: what it has done it does not do again, but says
    how it went. ``time_left_ms`` is what was left of the time when it was sent.
    """

    id: str
    kind: str
    time_left_ms: int
    attempt: int = 1
    arguments: Mapping[str, str] = field(default_factory=dict)

    TYPE: ClassVar[str] = "command"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "id": _ID,
        "kind": Text(64, shortest=1, pattern=r"[a-z0-9_.]+"),
        "time_left_ms": Integer(1, COMMAND_MS_MAX),
        "attempt": Integer(1, 1 << 31),
        "arguments": Mapped(Text(1024), 16, name=Text(64, shortest=1)),
    }


@dataclass(frozen=True)
class CommandState(Message):
    """How far a command is. After *retry* the agent has forgotten it: it may be sent once more.

    ``code`` is for programs, ``text`` for people; ``fields`` what came of it.
    """

    id: str
    state: str
    at_ms: int
    code: str = ""
    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    TYPE: ClassVar[str] = "commandState"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "id": _ID,
        "state": Word("acknowledged", "running", "succeeded", "failed", "retry"),
        "at_ms": _TIME,
        "code": Text(64, pattern=r"[A-Z0-9_]*"),
        "text": Text(1024),
        "fields": Mapped(Text(256), 16, name=Text(64, shortest=1)),
    }
    NAMES: ClassVar[Mapping[str, str]] = {"at_ms": "at"}


# -- what should be, what is


@dataclass(frozen=True)
class Desired(Message):
    """How the control plane wants it.

    With ``unregister`` the agent was removed, and why: it forgets its credential and comes back
    only with a new registration token.
    """

    version: int
    unregister: str = ""
    report_interval_s: int = REPORT_INTERVAL_S
    hash: str = ""

    TYPE: ClassVar[str] = "desired"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "version": _COUNT,
        "unregister": _ERROR,
        "report_interval_s": Integer(1, 3600),
        "hash": Text(128),
    }


@dataclass(frozen=True)
class Reported(Message):
    """The version of what is desired that the agent has put into force."""

    version: int
    hash: str = ""
    error: str = ""

    TYPE: ClassVar[str] = "reported"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "version": _COUNT,
        "hash": Text(128),
        "error": _ERROR,
    }


# -- logs


@dataclass(frozen=True)
class LogBatch(Message):
    """Records of one log file, in their order.

    ``id`` is the same when it is sent again. ``stream`` names the file as long as it lives, whatever
    its name becomes; ``dropped_bytes`` is what the agent could not read of it before it was gone.
    """

    id: str
    stream: str
    file: str
    node: str = ""
    dropped_bytes: int = 0
    body: bytes = b""

    TYPE: ClassVar[str] = "log"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "id": _ID,
        "stream": _ID,
        "file": Text(256, shortest=1),
        "node": _NAME,
        "dropped_bytes": _COUNT,
        "body": _BODY,
    }


@dataclass(frozen=True)
class LogAck(Message):
    """What became of a batch.

    It is kept, or (``is_kept`` false) it is to be sent again after ``retry_ms``, and ``error`` says
    why. ``window`` batches may be under way from here on.
    """

    id: str
    is_kept: bool = True
    window: int = LOG_WINDOW
    retry_ms: int = 0
    error: str = ""

    TYPE: ClassVar[str] = "log_ack"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "id": _ID,
        "is_kept": Flag(),
        "window": Integer(1, LOG_WINDOW_MAX),
        "retry_ms": Integer(0, 3_600_000),
        "error": _ERROR,
    }


TYPES: dict[str, type[Message]] = {
    kind.TYPE: kind
    for kind in (
        Presence,
        Report,
        Event,
        Request,
        Reply,
        Chunk,
        Credit,
        Cancel,
        Command,
        CommandState,
        Desired,
        Reported,
        LogBatch,
        LogAck,
    )
}


def parse(data: bytes) -> Message:
    """Read a message of any type.

    Raises:
        UnknownMessageError: it is of a type or version that is not known here.
        MessageError: it is no message.
    """
    if len(data) > MESSAGE_BYTES_MAX:
        raise MessageError(f"more than {MESSAGE_BYTES_MAX} bytes")
    header, feed, body = data.partition(b"\n")
    value = parse_object(header, REPORT_BYTES_MAX)
    if value.get("v") != VERSION:
        raise UnknownMessageError("v: of another version")
    name = value.get("type")
    kind = TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise UnknownMessageError("type: not known")
    if len(header) > kind.HEADER_MAX:
        raise MessageError(f"more than {kind.HEADER_MAX} bytes")
    if feed and not any(isinstance(rule, Body) for rule in kind.SHAPE.values()):
        raise MessageError("something follows the message")
    return kind.read(value, body=body)
