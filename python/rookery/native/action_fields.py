"""What rules hand to actions, as plain values: which fields, the items, how they are buffered.

No compiled code is loaded for it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias


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


class JsonText(str):
    """An array, a map or a large number, as JSON."""

    __slots__ = ()


class Undefined(enum.Enum):
    """The only value of its kind: there is no such thing in the result."""

    UNDEFINED = "undefined"

    def __repr__(self) -> str:
        return self.name

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined.UNDEFINED

FieldValue: TypeAlias = bytes | str | int | float | bool | JsonText | Undefined | None
"""The value of a field: text is ``bytes`` when it is no UTF-8."""


class ActionItem(NamedTuple):
    """One result of one rule on its way to one action.

    Attributes:
        number: Names it towards its buffer.
        rule: Which rule it is of.
        key: Items with the same key other than 0 are sent in order.
        made_at_ms: When the rule made it, in milliseconds since 1970.
        fields: What the action asked for, in that order.
    """

    number: int
    rule: str
    key: int
    made_at_ms: int
    fields: tuple[FieldValue, ...]


Outcome: TypeAlias = Literal[
    "success",
    "failed",
    "expired",
    "queue_full",
    "resource_not_found",
    "resource_stopped",
    "other",
]
"""What became of an item; all but the first two are reasons why it was dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferSpec:
    """How much waits for an action, and where.

    Attributes:
        bytes_max: Most octets in memory.
        mode: Whether what does not fit there goes to disk.
        spill_dir: Where to, with ``volatile_offload``.
        spill_bytes_max: Most octets on disk.
        request_ttl_ms: How long an item may wait; 0: for ever.
    """

    bytes_max: int
    mode: Literal["memory_only", "volatile_offload"] = "memory_only"
    spill_dir: Path | None = None
    spill_bytes_max: int = 0
    request_ttl_ms: int = 0


class ActionCounters(NamedTuple):
    """What became of the items of a buffer, by EMQX's names.

    matched = success + failed + dropped + queuing + inflight holds in every answer.
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
