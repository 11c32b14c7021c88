"""What rules hand to actions, as plain values: which fields, the items, how they are buffered.

No compiled code is loaded for it.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

BufferMode: TypeAlias = Literal["memory_only", "volatile_offload"]
Outcome: TypeAlias = Literal[
    "success",
    "failed",
    "dropped.expired",
    "dropped.queue_full",
    "dropped.resource_not_found",
    "dropped.resource_stopped",
    "dropped.other",
]
"""What became of an item."""


@dataclass(frozen=True, slots=True)
class Text:
    """A field that is text: a template such as ``${clientid}/${payload.x}``."""

    template: str


@dataclass(frozen=True, slots=True)
class Value:
    """A field that keeps its type: exactly one placeholder, such as ``${payload.x}``."""

    template: str


@dataclass(frozen=True, slots=True)
class Row:
    """A field that is the whole result of the rule, as JSON."""


FieldSpec: TypeAlias = Text | Value | Row
"""One field that an action wants of every result."""


class ActionField(NamedTuple):
    """The same as it crosses to the native side.

    Attributes:
        kind: ``text``, ``value`` or ``row``.
        template: The text or placeholder; empty for ``row``.
    """

    kind: Literal["text", "value", "row"]
    template: str = ""


def action_field(spec: FieldSpec) -> ActionField:
    """A field as it crosses."""
    match spec:
        case Text(template):
            return ActionField("text", template)
        case Value(template):
            return ActionField("value", template)
        case Row():
            return ActionField("row")


class Undefined(enum.Enum):
    """The type of :data:`UNDEFINED`."""

    UNDEFINED = "undefined"

    def __repr__(self) -> str:
        return self.name

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined.UNDEFINED
"""A value that the row did not have; ``None`` is JSON's ``null``."""


class JsonText(str):
    """An array or a map of the row, or the whole row, as JSON."""

    __slots__ = ()

    def value(self) -> Any:
        """What the JSON says."""
        return json.loads(self)


FieldValue: TypeAlias = str | bytes | int | float | bool | JsonText | Undefined | None
"""``bytes`` is text that is not UTF-8."""


class ActionItem(NamedTuple):
    """One result of a rule, to be sent.

    Attributes:
        number: Its name in this buffer, for :meth:`ActionBuffer.settle`; later ones are higher.
        rule: The id of the rule.
        key: Items of one key come in their order, one batch at a time; 0: no order.
        made_at_ms: When the rule made it, since 1970.
        fields: What the action asked for, in its order.
    """

    number: int
    rule: str
    key: int
    made_at_ms: int
    fields: tuple[FieldValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferSpec:
    """How much an action may keep.

    Attributes:
        mode: ``volatile_offload`` writes what has no room in memory to files in ``spill_dir``,
            which are gone after a restart.
        max_buffer_bytes: Most bytes in memory.
        spill_dir: A directory of this buffer alone; what is in it is removed.
        max_spill_bytes: Most bytes on disk.
        request_ttl_ms: How long an item may wait before it is dropped; 0: for ever.
    """

    mode: BufferMode = "memory_only"
    max_buffer_bytes: int = 256 << 20
    spill_dir: str | None = None
    max_spill_bytes: int = 1 << 30
    request_ttl_ms: int = 45_000


class ActionCounters(NamedTuple):
    """What became of the items of an action, by EMQX's names with ``.`` as ``_``.

    ``matched`` is always the sum of ``success``, ``failed``, ``dropped``, ``queuing`` and
    ``inflight``.
    """

    matched: int
    success: int
    failed: int
    dropped: int
    dropped_queue_full: int
    dropped_expired: int
    dropped_resource_not_found: int
    dropped_resource_stopped: int
    dropped_other: int
    queuing: int
    inflight: int
    retried: int
    received: int
    queuing_bytes: int
    spilled_bytes: int
