"""What can become an alarm, and what holds for it as long as nobody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rookery.control.alarms.machine import Counts

COUNT_MAX = 10


class Severity(StrEnum):
    """How bad: 一般, 严重."""

    NORMAL = "normal"
    CRITICAL = "critical"


class Group(StrEnum):
    """Where a rule stands on the page."""

    COMMON = "common"
    CLUSTER = "cluster"
    EDGE = "edge"


class Kind(StrEnum):
    """What is wrong."""

    CLUSTER_UNREACHABLE = "cluster.unreachable"
    AGENT_LOST = "agent.lost"
    NODE_UNREACHABLE = "node.unreachable"
    NODES_DOWN = "nodes.down"
    RELAY_UNREACHABLE = "relay.unreachable"
    METRICS_UNAVAILABLE = "metrics.unavailable"
    LOGS_UNAVAILABLE = "logs.unavailable"
    CLOCK_SKEWED = "clock.skewed"
    CONNECTIONS_HIGH = "connections.high"
    CONNECTIONS_FULL = "connections.full"
    MEMORY_HIGH = "memory.high"
    MEMORY_FULL = "memory.full"
    LOAD_HIGH = "load.high"
    RULE_ABNORMAL = "rule.abnormal"
    CONNECTOR_ABNORMAL = "connector.abnormal"
    ACTION_ABNORMAL = "action.abnormal"
    SOURCE_ABNORMAL = "source.abnormal"
    EDGE_OFFLINE = "edge.offline"
    EDGE_RESTARTED = "edge.restarted"
    EDGE_DRIVER_ABNORMAL = "edge.driver.abnormal"
    EDGE_RULE_ABNORMAL = "edge.rule.abnormal"
    MAIL_FAILED = "mail.failed"
    WEBHOOK_FAILED = "webhook.failed"
    CUSTOM = "custom"


KINDS: Mapping[str, Kind] = {str(kind): kind for kind in Kind}
"""Those that this version knows, by their words."""
CUSTOM = Kind.CUSTOM
"""Raised by somebody else's program: no rule of ours decides about it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one kind in one project.

    Attributes:
        is_enabled: Whether it is looked at.
        triggers: Bad checks in a row that raise an alarm.
        recoveries: Good checks in a row that end it.
        severity: How bad it is.
        threshold: Percent, where the kind has one; of a load the load itself.
    """

    is_enabled: bool = True
    triggers: int = 3
    recoveries: int = 1
    severity: Severity = Severity.NORMAL
    threshold: int | None = None

    @property
    def counts(self) -> Counts:
        return Counts(self.triggers, self.recoveries)


_CRITICAL = Rule(severity=Severity.CRITICAL)
_NORMAL = Rule()

DEFAULTS: Mapping[Kind, Rule] = {
    Kind.CLUSTER_UNREACHABLE: _CRITICAL,
    Kind.AGENT_LOST: _CRITICAL,
    Kind.NODE_UNREACHABLE: _CRITICAL,
    Kind.NODES_DOWN: _CRITICAL,
    Kind.RULE_ABNORMAL: _CRITICAL,
    Kind.CONNECTOR_ABNORMAL: _CRITICAL,
    Kind.ACTION_ABNORMAL: _NORMAL,
    Kind.SOURCE_ABNORMAL: _NORMAL,
    Kind.CONNECTIONS_HIGH: Rule(threshold=80),
    Kind.CONNECTIONS_FULL: Rule(severity=Severity.CRITICAL, threshold=95),
    Kind.MEMORY_HIGH: Rule(triggers=5, threshold=80),
    Kind.MEMORY_FULL: Rule(triggers=5, severity=Severity.CRITICAL, threshold=95),
    # How much is too much depends on the processors, which nobody reports.
    Kind.LOAD_HIGH: Rule(is_enabled=False, triggers=5, threshold=16),
    Kind.RELAY_UNREACHABLE: _NORMAL,
    Kind.METRICS_UNAVAILABLE: _NORMAL,
    Kind.LOGS_UNAVAILABLE: _NORMAL,
    Kind.CLOCK_SKEWED: _NORMAL,
    Kind.EDGE_OFFLINE: Rule(recoveries=3, severity=Severity.CRITICAL),
    Kind.EDGE_DRIVER_ABNORMAL: Rule(recoveries=3, severity=Severity.CRITICAL),
    Kind.EDGE_RULE_ABNORMAL: Rule(triggers=1, severity=Severity.CRITICAL),
    # Of one moment: there is nothing to count.
    Kind.EDGE_RESTARTED: Rule(triggers=1, severity=Severity.CRITICAL),
    Kind.MAIL_FAILED: _NORMAL,
    Kind.WEBHOOK_FAILED: _NORMAL,
}
"""Every rule, in the order in which pages show them."""

OF_CONNECTIONS = frozenset({Kind.CONNECTIONS_HIGH, Kind.CONNECTIONS_FULL})
OF_MEMORY = frozenset({Kind.MEMORY_HIGH, Kind.MEMORY_FULL})
OF_LOAD = frozenset({Kind.LOAD_HIGH})
OF_EDGES = frozenset(
    {
        Kind.EDGE_OFFLINE,
        Kind.EDGE_RESTARTED,
        Kind.EDGE_DRIVER_ABNORMAL,
        Kind.EDGE_RULE_ABNORMAL,
    }
)
OF_PUSHES = frozenset({Kind.MAIL_FAILED, Kind.WEBHOOK_FAILED})


def group_of(kind: Kind) -> Group:
    """Where the rule stands."""
    if kind in OF_PUSHES:
        return Group.COMMON
    return Group.EDGE if kind in OF_EDGES else Group.CLUSTER
