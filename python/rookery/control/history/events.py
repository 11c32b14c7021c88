"""What a change of an entry means in events: no table, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

RUNNING = "running"


class Kind(StrEnum):
    """What can happen."""

    STATE_CHANGED = "stateChanged"
    CONDITION_BEGAN = "conditionBegan"
    CONDITION_ENDED = "conditionEnded"
    REGISTERED = "registered"
    RE_REGISTERED = "reRegistered"
    ADOPTED = "adopted"
    UNREGISTERED = "unregistered"
    VERSION_CHANGED = "versionChanged"
    NODE_JOINED = "nodeJoined"
    NODE_LEFT = "nodeLeft"
    NODE_STOPPED = "nodeStopped"
    NODE_STARTED = "nodeStarted"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; see :class:`rookery.control.history.store.EventRow`."""

    kind: Kind
    subject: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class Standing(Protocol):
    """How an entry stands: a row, or how it was."""

    @property
    def state(self) -> str: ...
    @property
    def conditions(self) -> Sequence[Any]: ...
    @property
    def version(self) -> str: ...
    @property
    def nodes(self) -> Sequence[Any]: ...
    @property
    def adopted_at(self) -> int | None: ...


def events_of(before: Standing, after: Standing, now_ms: int) -> Iterator[Event]:
    """What happened between the two."""
    if before.adopted_at is None and after.adopted_at is not None:
        yield Event(Kind.ADOPTED, details={"version": after.version})
    if before.state != after.state:
        yield Event(Kind.STATE_CHANGED, details={"from": before.state, "to": after.state})
    yield from _conditions(before.conditions, after.conditions, now_ms)
    if before.version and after.version and before.version != after.version:
        details = {"from": before.version, "to": after.version}
        yield Event(Kind.VERSION_CHANGED, details=details)
    # The first report finds all nodes, none of them joined.
    if before.nodes and after.nodes and before.nodes is not after.nodes:
        yield from _nodes(before.nodes, after.nodes)


def _conditions(before: Sequence[Any], after: Sequence[Any], now_ms: int) -> Iterator[Event]:
    if before == after:
        return
    old = {item["type"]: item for item in before}
    new = {item["type"]: item for item in after}
    for kind, item in new.items():
        if kind not in old:
            # As it is stored: its text is made for whoever reads it.
            yield Event(Kind.CONDITION_BEGAN, kind, {"condition": item})
    for kind, item in old.items():
        if kind not in new:
            lasted_ms = max(0, now_ms - int(item.get("since", now_ms)))
            yield Event(Kind.CONDITION_ENDED, kind, {"condition": item, "lastedMs": lasted_ms})


def _nodes(before: Sequence[Any], after: Sequence[Any]) -> Iterator[Event]:
    old = {item.get("node", ""): item.get("status", "") for item in before}
    new = {item.get("node", ""): item.get("status", "") for item in after}
    for name, status in new.items():
        was = old.get(name)
        if was is None:
            yield Event(Kind.NODE_JOINED, name)
        elif was == RUNNING != status:
            yield Event(Kind.NODE_STOPPED, name, {"status": status})
        elif status == RUNNING != was:
            yield Event(Kind.NODE_STARTED, name)
    for name in old:
        if name not in new:
            yield Event(Kind.NODE_LEFT, name)
