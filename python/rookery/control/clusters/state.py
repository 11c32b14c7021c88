"""What state a cluster is in, and why: a function of what is known and of the time.

Nothing here reads a clock, a table or a socket. :func:`evaluate` also says until when its answer
holds if nothing is heard any more, so that whoever keeps states current looks again no earlier.

*Running* takes three things at once: the agent's connection to the relay stands, its last report
is fresh, and that report has nothing to say against the cluster. Whatever is missing is a condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

REPORTS_MISSED_MAX = 3
LOOK_MS = 3_000
"""It takes so long at most until somebody looks and it is shown."""
SLACK_MS = 5_000
"""With short intervals, so long after two of them."""
CLOCK_SKEW_MAX_MS = 60_000
REASON_LENGTH_MAX = 500


class State(StrEnum):
    """The state of an entry."""

    CREATED = "created"
    REGISTERING = "registering"
    RUNNING = "running"
    ABNORMAL = "abnormal"
    DELETING = "deleting"


class Presence(StrEnum):
    """What the relay knows of an agent's connection."""

    UNKNOWN = "unknown"
    ONLINE = "online"
    OFFLINE = "offline"


class ConditionType(StrEnum):
    """What can be wrong."""

    CLUSTER_UNREACHABLE = "ClusterUnreachable"
    NODE_UNREACHABLE = "NodeUnreachable"
    NODES_DOWN = "NodesDown"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    LOGS_UNAVAILABLE = "LogsUnavailable"
    RELAY_UNREACHABLE = "RelayUnreachable"
    AGENT_LOST = "AgentLost"
    REPORTS_MISSING = "ReportsMissing"
    CLOCK_SKEWED = "ClockSkewed"


WARNINGS = frozenset(
    {
        ConditionType.METRICS_UNAVAILABLE,
        ConditionType.LOGS_UNAVAILABLE,
        ConditionType.CLOCK_SKEWED,
    }
)
"""What is shown without making a cluster abnormal: its clients notice nothing of it."""

ERROR_CONDITIONS: Mapping[str, ConditionType] = {
    "cluster_fetch_error": ConditionType.CLUSTER_UNREACHABLE,
    "node_connect_error": ConditionType.NODE_UNREACHABLE,
    "metrics_fetch_error": ConditionType.METRICS_UNAVAILABLE,
    "logs_fetch_error": ConditionType.LOGS_UNAVAILABLE,
    "mqtt_connect_error": ConditionType.RELAY_UNREACHABLE,
}
"""The five causes an agent tells apart, by the names they have in a report."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong.

    Attributes:
        type: What.
        since_ms: Since when, milliseconds since 1970.
        reason: What the agent said about it, as it said it; empty where control found it out.
        numbers: What the text of the condition mentions, by name.
    """

    type: ConditionType
    since_ms: int
    reason: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_warning(self) -> bool:
        return self.type in WARNINGS

    def to_json(self) -> dict[str, object]:
        """How it is stored."""
        return {
            "type": str(self.type),
            "since": self.since_ms,
            "reason": self.reason,
            "numbers": dict(self.numbers),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Condition | None:
        """What was stored; none when a later version stored a type that this one does not know."""
        kind, since, numbers = stored.get("type"), stored.get("since"), stored.get("numbers")
        if kind not in _TYPES or not isinstance(since, int):
            return None
        return cls(
            ConditionType(str(kind)),
            since,
            str(stored.get("reason", "")),
            numbers if isinstance(numbers, dict) else {},
        )


_TYPES = frozenset(str(item) for item in ConditionType)


def report_age_max_ms(interval_ms: int) -> int:
    """How old a report may be, so that silence is shown within three intervals."""
    return max(REPORTS_MISSED_MAX * interval_ms - LOOK_MS, 2 * interval_ms + SLACK_MS)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an entry.

    Attributes:
        is_deleting: Somebody asked for its deletion.
        registered_at_ms: When its agent registered; none while it has none.
        presence: Whether the agent is connected to the relay.
        presence_at_ms: Since when that is so.
        is_relay_alive: Whether the process that said so still runs.
        listening_since_ms: Since when there is a relay at all: nobody is silent before that.
        reported_at_ms: When the last report arrived; none before the first.
        report_interval_ms: How often a report is due.
        errors: What the last report complained about, by the names in :data:`ERROR_CONDITIONS`.
        nodes_running: Nodes that run, of
        nodes_total: those the cluster has; 0 as long as nobody knows.
        clock_skew_ms: How far the agent's clock is ahead.
    """

    is_deleting: bool = False
    registered_at_ms: int | None = None
    presence: Presence = Presence.UNKNOWN
    presence_at_ms: int | None = None
    is_relay_alive: bool = True
    listening_since_ms: int = 0
    reported_at_ms: int | None = None
    report_interval_ms: int = 15_000
    errors: Mapping[str, str] = field(default_factory=dict)
    nodes_running: int = 0
    nodes_total: int = 0
    clock_skew_ms: int = 0

    @property
    def report_age_max_ms(self) -> int:
        """How old a report may be."""
        return report_age_max_ms(self.report_interval_ms)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The state at a time.

    Attributes:
        state: The state.
        conditions: What is wrong, worst first.
        holds_until_ms: When silence would change it; none: never.
    """

    state: State
    conditions: tuple[Condition, ...] = ()
    holds_until_ms: int | None = None


def evaluate(facts: Facts, now_ms: int, before: Sequence[Condition] = ()) -> Evaluation:
    """The state of an entry.

    Args:
        facts: What is known.
        now_ms: The time.
        before: The conditions so far: what goes on keeps the time it began.
    """
    if facts.registered_at_ms is None:
        return Evaluation(State.DELETING if facts.is_deleting else State.CREATED)
    since = {condition.type: condition.since_ms for condition in before}
    # The agent's own words say more than that it was not heard.
    silence = _silence(facts, now_ms, was_lost=ConditionType.AGENT_LOST in since)
    found = {item.type: item for item in [*silence, *_complaints(facts, now_ms)]}
    conditions = tuple(
        Condition(item.type, since.get(item.type, item.since_ms), item.reason, item.numbers)
        for item in found.values()
    )
    return Evaluation(_state(facts, conditions), conditions, _holds_until(facts, now_ms))


def _state(facts: Facts, conditions: Iterable[Condition]) -> State:
    if facts.is_deleting:
        return State.DELETING
    if any(not condition.is_warning for condition in conditions):
        return State.ABNORMAL
    # Without a connection there is no tunnel, whatever the reports say.
    is_known = facts.reported_at_ms is not None and facts.presence is Presence.ONLINE
    return State.RUNNING if is_known else State.REGISTERING


def _deadline(facts: Facts) -> int:
    """When the next sign of life is overdue."""
    heard = max(facts.reported_at_ms or 0, facts.registered_at_ms or 0, facts.listening_since_ms)
    return heard + facts.report_age_max_ms


def _first_report_due(facts: Facts) -> int:
    """When an agent that connected has to have reported."""
    return (facts.presence_at_ms or 0) + facts.report_age_max_ms


def _holds_until(facts: Facts, now_ms: int) -> int | None:
    times = [_deadline(facts), _first_report_due(facts)]
    if not facts.is_relay_alive:
        times.append(facts.listening_since_ms + facts.report_age_max_ms)
    return min((time for time in times if time > now_ms), default=None)


def _silence(facts: Facts, now_ms: int, *, was_lost: bool) -> list[Condition]:
    """What follows from what was not heard."""
    is_overdue = now_ms >= _deadline(facts)
    is_offline = facts.presence is Presence.OFFLINE
    reported_ms = facts.reported_at_ms or 0
    if is_offline and not is_overdue and reported_ms > (facts.presence_at_ms or 0):
        # It reports by the other way: only the tunnel is missing.
        return [Condition(ConditionType.RELAY_UNREACHABLE, facts.presence_at_ms or now_ms)]
    # A process that died took the connection along: the agent has until the deadline to come back.
    if is_offline or (is_overdue and not facts.is_relay_alive):
        return [Condition(ConditionType.AGENT_LOST, facts.presence_at_ms or now_ms)]
    if not is_overdue:
        return _without_relay(facts, now_ms)
    if facts.presence is Presence.UNKNOWN:
        return [Condition(ConditionType.AGENT_LOST, _deadline(facts))]
    if was_lost and now_ms < _first_report_due(facts):
        # It is back, and its report is on the way: that the last one is old is no news.
        return [Condition(ConditionType.AGENT_LOST, facts.presence_at_ms or now_ms)]
    age_s = (now_ms - (facts.reported_at_ms or facts.registered_at_ms or now_ms)) // 1000
    return [Condition(ConditionType.REPORTS_MISSING, _deadline(facts), numbers={"age_s": age_s})]


def _without_relay(facts: Facts, now_ms: int) -> list[Condition]:
    """It reports, but never came to the relay since it registered."""
    began_ms = max(facts.registered_at_ms or 0, facts.listening_since_ms)
    due_ms = began_ms + facts.report_age_max_ms
    if facts.presence is not Presence.UNKNOWN or now_ms < due_ms:
        return []
    return [Condition(ConditionType.RELAY_UNREACHABLE, facts.registered_at_ms or now_ms)]


def _complaints(facts: Facts, now_ms: int) -> list[Condition]:
    """What the last report says; an old one keeps saying it, nobody knows better."""
    at_ms = facts.reported_at_ms
    if at_ms is None:
        return []
    # One whose connection ended with a process of control is given time to find another.
    is_back_ms = facts.listening_since_ms + facts.report_age_max_ms
    is_given_time = facts.is_relay_alive or now_ms < is_back_ms
    is_connected = facts.presence is Presence.ONLINE and is_given_time
    found = [
        Condition(kind, at_ms, facts.errors[name][:REASON_LENGTH_MAX])
        for name, kind in ERROR_CONDITIONS.items()
        if facts.errors.get(name)
        # A complaint that is older than the connection it is about.
        and not (kind is ConditionType.RELAY_UNREACHABLE and is_connected)
    ]
    is_readable = not facts.errors.get("cluster_fetch_error")
    if is_readable and facts.nodes_running < facts.nodes_total:
        numbers = {"running": facts.nodes_running, "total": facts.nodes_total}
        found.append(Condition(ConditionType.NODES_DOWN, at_ms, numbers=numbers))
    if abs(facts.clock_skew_ms) > CLOCK_SKEW_MAX_MS:
        numbers = {"skew_s": facts.clock_skew_ms // 1000}
        found.append(Condition(ConditionType.CLOCK_SKEWED, at_ms, numbers=numbers))
    return found
