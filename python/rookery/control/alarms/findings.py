"""What the facts of one cluster say about each kind of alarm. Pure.

Where nobody can know, nothing is found: an agent that is silent makes no rule of its cluster good again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rookery.control.alarms.catalogue import Kind, Rule
from rookery.control.clusters import pressure
from rookery.control.clusters.state import Condition, ConditionType

NAMES_TOLD_MAX = 10
"""An alarm about many objects names so many of them."""
NAME_LENGTH_TOLD = 100
OBJECT_KINDS: Mapping[str, Kind] = {
    "rule": Kind.RULE_ABNORMAL,
    "connector": Kind.CONNECTOR_ABNORMAL,
    "action": Kind.ACTION_ABNORMAL,
    "source": Kind.SOURCE_ABNORMAL,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a cluster.

    Attributes:
        cluster_id: Which.
        name: What people call it.
        reported_at_ms: When its last report came.
        interval_ms: How often one is due.
        conditions: What is wrong with it.
        connections: Clients of its last readable report, of
        connection_limit: so many that it may have.
        abnormal: Names of its objects that are not well, by the word for their kind.
        are_objects_known: Whether anything is known of its objects.
        nodes: Its nodes as they were reported, with their figures.
    """

    cluster_id: str
    name: str
    reported_at_ms: int | None = None
    interval_ms: int = 15_000
    conditions: Sequence[Condition] = ()
    connections: int | None = None
    connection_limit: int | None = None
    abnormal: Mapping[str, Sequence[str]] = field(default_factory=dict)
    are_objects_known: bool = True
    nodes: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        kind: About what.
        is_bad: What was found.
        at_ms: When that is from.
        gap_ms: Least time between two such checks.
        values: What the text of the alarm mentions.
    """

    kind: Kind
    is_bad: bool
    at_ms: int
    gap_ms: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)


_BY_CONDITION: Mapping[Kind, tuple[ConditionType, ...]] = {
    Kind.CLUSTER_UNREACHABLE: (ConditionType.CLUSTER_UNREACHABLE,),
    Kind.NODE_UNREACHABLE: (ConditionType.NODE_UNREACHABLE,),
    Kind.METRICS_UNAVAILABLE: (ConditionType.METRICS_UNAVAILABLE,),
    Kind.LOGS_UNAVAILABLE: (ConditionType.LOGS_UNAVAILABLE,),
    Kind.CLOCK_SKEWED: (ConditionType.CLOCK_SKEWED,),
}
_OF_CLUSTER: Mapping[Kind, tuple[ConditionType, ...]] = {
    Kind.NODES_DOWN: (ConditionType.NODES_DOWN,),
}
_SILENCE = (ConditionType.AGENT_LOST, ConditionType.REPORTS_MISSING)


def findings(seen: Seen, rules: Mapping[Kind, Rule], now_ms: int) -> Iterator[Finding]:
    """What a look at a cluster finds, for the kinds that are looked at.

    Args:
        seen: What is known.
        rules: What holds in the project.
        now_ms: The time; what nobody reports is found now.
    """
    for found in _all(seen, rules, now_ms):
        if rules[found.kind].is_enabled:
            yield found


def _all(seen: Seen, rules: Mapping[Kind, Rule], now_ms: int) -> Iterator[Finding]:
    told = {condition.type: condition for condition in seen.conditions}
    silence = _first(told, _SILENCE)
    yield _silent(Kind.AGENT_LOST, silence, seen, now_ms)
    if silence is not None or seen.reported_at_ms is None:
        return
    yield _silent(Kind.RELAY_UNREACHABLE, told.get(ConditionType.RELAY_UNREACHABLE), seen, now_ms)
    yield from _of_conditions(_BY_CONDITION, told, seen.reported_at_ms)
    if ConditionType.CLUSTER_UNREACHABLE in told:
        return
    yield from _of_conditions(_OF_CLUSTER, told, seen.reported_at_ms)
    yield from _connections(seen, rules, seen.reported_at_ms)
    yield from _pressure(seen, rules, seen.reported_at_ms)
    yield from _objects(seen, seen.reported_at_ms)


def _first(
    told: Mapping[ConditionType, Condition], types: Sequence[ConditionType]
) -> Condition | None:
    return next((told[each] for each in types if each in told), None)


def _silent(kind: Kind, condition: Condition | None, seen: Seen, now_ms: int) -> Finding:
    """Nobody reports it, so it is counted as often as a report would have come."""
    if condition is None:
        return Finding(kind, False, seen.reported_at_ms or now_ms)
    # A little less: the sweep is not on the dot.
    return Finding(kind, True, now_ms, seen.interval_ms * 9 // 10, _values(condition))


def _of_conditions(
    kinds: Mapping[Kind, tuple[ConditionType, ...]],
    told: Mapping[ConditionType, Condition],
    at_ms: int,
) -> Iterator[Finding]:
    for kind, types in kinds.items():
        condition = _first(told, types)
        values = {} if condition is None else _values(condition)
        yield Finding(kind, condition is not None, at_ms, values=values)


def _values(condition: Condition) -> dict[str, Any]:
    return {"condition": condition.to_json()}


def _connections(seen: Seen, rules: Mapping[Kind, Rule], at_ms: int) -> Iterator[Finding]:
    have, limit = seen.connections, seen.connection_limit
    if have is None:
        return
    percent = 100 * have / limit if limit else 0.0
    full = percent >= (rules[Kind.CONNECTIONS_FULL].threshold or 100)
    high = percent >= (rules[Kind.CONNECTIONS_HIGH].threshold or 100)
    values = {"connections": have, "limit": limit or 0, "percent": int(percent)}
    # The worse one says it already, if somebody wants to hear it.
    high = high and not (full and rules[Kind.CONNECTIONS_FULL].is_enabled)
    yield Finding(Kind.CONNECTIONS_HIGH, high, at_ms, values=values)
    yield Finding(Kind.CONNECTIONS_FULL, full, at_ms, values=values)


def _pressure(seen: Seen, rules: Mapping[Kind, Rule], at_ms: int) -> Iterator[Finding]:
    fullest = pressure.memory(seen.nodes)
    if fullest is not None:
        values = {"memory": fullest.value, "node": fullest.node[:NAME_LENGTH_TOLD]}
        full = fullest.value >= (rules[Kind.MEMORY_FULL].threshold or 100)
        high = fullest.value >= (rules[Kind.MEMORY_HIGH].threshold or 100)
        high = high and not (full and rules[Kind.MEMORY_FULL].is_enabled)
        yield Finding(Kind.MEMORY_HIGH, high, at_ms, values=values)
        yield Finding(Kind.MEMORY_FULL, full, at_ms, values=values)
    busiest = pressure.load(seen.nodes)
    if busiest is not None:
        values = {"load": busiest.value, "node": busiest.node[:NAME_LENGTH_TOLD]}
        is_high = busiest.value >= (rules[Kind.LOAD_HIGH].threshold or 100)
        yield Finding(Kind.LOAD_HIGH, is_high, at_ms, values=values)


def _objects(seen: Seen, at_ms: int) -> Iterator[Finding]:
    if not seen.are_objects_known:
        return
    for word, kind in OBJECT_KINDS.items():
        names = sorted(seen.abnormal.get(word, ()))
        told = [name[:NAME_LENGTH_TOLD] for name in names[:NAMES_TOLD_MAX]]
        yield Finding(kind, bool(names), at_ms, values={"names": told, "count": len(names)})


def is_news(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an alarm that goes on is about something else by now, such as one more rule."""
    return bool(set(after.get("names", ())) - set(before.get("names", ()))) or int(
        after.get("count", 0)
    ) > int(before.get("count", 0))
