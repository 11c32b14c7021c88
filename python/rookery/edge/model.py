"""What an edge service is made of, in the words and the numbers of Neuron.

Plain values: everything here may be kept, compared and passed on. What is checked about them stands in
:mod:`rookery.edge.checks`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from rookery.words import Words

NAME_LENGTH_MAX = 128
ADDRESS_LENGTH_MAX = 128
DESCRIPTION_LENGTH_MAX = 256
UNIT_LENGTH_MAX = 32
GROUPS_OF_DRIVER_MAX = 512
INTERVAL_MS_MIN = 100
INTERVAL_MS_MAX = 24 * 3_600_000
PRECISION_MAX = 17
BIAS_MAX = 1000.0
NODES_MAX = 1000
TAGS_MAX = 100_000
"""Of one service: bounds for memory, far above what one process can read every second."""


class NodeKind(enum.IntEnum):
    """Which side of the gateway."""

    DRIVER = 1
    APP = 2


class NodeState(enum.IntEnum):
    """How far a node is: its settings are missing, are there, it runs, somebody stopped it."""

    INIT = 1
    READY = 2
    RUNNING = 3
    STOPPED = 4


class LinkState(enum.IntEnum):
    """Whether the device, or the broker, answers."""

    DISCONNECTED = 0
    CONNECTED = 1


class NodeControl(enum.IntEnum):
    """What a node is told."""

    START = 0
    STOP = 1


class Attribute(enum.IntFlag):
    """What may be done with a tag. ``SUBSCRIBE``: applications are told when its value changes."""

    READ = 1
    WRITE = 2
    SUBSCRIBE = 4
    STATIC = 8


class TagType(enum.IntEnum):
    """Type of a value on the device."""

    INT8 = 1
    UINT8 = 2
    INT16 = 3
    UINT16 = 4
    INT32 = 5
    UINT32 = 6
    INT64 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BIT = 11
    BOOL = 12
    STRING = 13
    BYTES = 14
    WORD = 16
    DWORD = 17
    LWORD = 18


FLOATS = frozenset({TagType.FLOAT, TagType.DOUBLE})
TEXTS = frozenset({TagType.STRING, TagType.BYTES})
NUMBERS = frozenset(TagType) - TEXTS - {TagType.BOOL}

Value: TypeAlias = int | float | bool | str | bytes
"""Of a tag; ``bytes`` for that type alone. In JSON they are a list of numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One value of a device.

    Attributes:
        address: Where it is, in the driver's own notation; empty where it is static.
        decimal: What the device's number is multiplied by; 0: nothing.
        bias: What is added then.
        precision: Digits after the point that a floating point number is rounded to; 0: all.
        value: Of a static tag.
    """

    name: str
    type: TagType
    address: str = ""
    attribute: Attribute = Attribute.READ
    decimal: float = 0.0
    bias: float = 0.0
    precision: int = 0
    unit: str = ""
    description: str = ""
    value: Value | None = None

    @property
    def is_static(self) -> bool:
        return Attribute.STATIC in self.attribute

    @property
    def is_read(self) -> bool:
        """Whether the device is asked for it."""
        return bool(self.attribute & (Attribute.READ | Attribute.SUBSCRIBE)) and not self.is_static

    @property
    def is_writable(self) -> bool:
        return Attribute.WRITE in self.attribute


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Tags that are read together."""

    name: str
    interval_ms: int
    tags: Mapping[str, Tag] = field(default_factory=dict)

    def with_tags(self, tags: Mapping[str, Tag]) -> Group:
        return replace(self, tags=tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """An application gets what a group of a driver reads.

    Attributes:
        params: What the application knows of: ``topic``, ``static_tags`` …
    """

    app: str
    driver: str
    group: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A driver or an application.

    Attributes:
        setting: Checked, secrets in plain; none: nobody has set it up.
        is_wanted: Whether it shall run, also after a restart.
        order: Nodes are shown in the order in which they were made.
    """

    name: str
    plugin: str
    kind: NodeKind
    setting: Mapping[str, Any] | None = None
    is_wanted: bool = False
    log_level: str = "notice"
    order: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """How a node is at the moment.

    Attributes:
        rtt_ms: Last answer of the device took so long; 9999: there was none.
        reason: Why the link is down, for people.
        since_ms: When the link came to be as it is.
    """

    node: str
    state: NodeState
    link: LinkState = LinkState.DISCONNECTED
    rtt_ms: int = 0
    reason: Words | None = None
    since_ms: int = 0


@dataclass(frozen=True, slots=True)
class TagValue:
    """What is known of a tag: a value, or the number of the error instead of one.

    Attributes:
        timestamp_ms: When it was read.
    """

    name: str
    value: Value | None
    error: int = 0
    timestamp_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an application gets of one cycle of a group; nobody changes it.

    Attributes:
        values: Of tags that were read, after decimal, bias and precision.
        errors: Numbers of errors of those that could not be.
        tags: Of the group, for their types and units.
    """

    node: str
    group: str
    timestamp_ms: int
    values: Mapping[str, Value]
    errors: Mapping[str, int]
    tags: Mapping[str, Tag]


@dataclass(frozen=True, slots=True)
class Write:
    """One value for one tag."""

    group: str
    tag: str
    value: Any


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one write: 0, or the number of the error and why."""

    group: str
    tag: str
    error: int = 0
    reason: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Browsed:
    """One place in a device's own tree; of a variable also what a tag for it would be.

    Attributes:
        id: With which its children are asked for, and the tag's address.
    """

    id: str
    name: str
    has_children: bool
    type: TagType | None = None
    is_writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMetrics:
    """Figures of a group, since its node was started."""

    name: str
    tags_total: int
    interval_ms: int
    cycles_total: int
    missed_cycles_total: int
    last_cycle_ms: int
    last_error: int
    last_error_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMetrics:
    """Figures of a node, since it was started. Names in ``figures`` are Neuron's."""

    node: str
    kind: NodeKind
    plugin: str
    status: NodeStatus
    figures: Mapping[str, int | float]
    groups: tuple[GroupMetrics, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A kind of driver or application, as it is listed."""

    name: str
    kind: NodeKind
    title: Words
    description: Words
    schema: Mapping[str, Any]
    """Settings as Neuron describes them: what draws the form."""
    is_installed: bool = True
    missing: Words | None = None
    """What to install, where a package is not there."""
    can_browse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The whole configuration: what an export holds and an import replaces."""

    nodes: tuple[Node, ...]
    groups: Mapping[str, tuple[Group, ...]]
    """Of each driver."""
    subscriptions: tuple[Subscription, ...]
