"""Which figures are kept, and where a report has them.

The numbers are what is stored: one that was given is never given to another figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rookery.contracts.agent_edge import EdgeReport
from rookery.contracts.agent_v1 import Report

Unit: TypeAlias = Literal["count", "perSecond", "bytesPerSecond", "bytes", "ms", "load"]
Values: TypeAlias = Mapping[str, float]

NODES_MAX = 32
"""Of so many nodes figures are kept."""
_FLOAT_MAX = 3.0e38


@dataclass(frozen=True, slots=True)
class Series:
    """A figure over time.

    Attributes:
        code: Its number in what is stored.
        name: Its name in the REST interface.
        unit: What it counts.
        sources: The names that a report has it by, best first.
    """

    code: int
    name: str
    unit: Unit
    sources: tuple[str, ...] = ()


OF_CLUSTER: tuple[Series, ...] = (
    Series(1, "connections", "count", ("connections", "connections.count")),
    Series(2, "liveConnections", "count", ("live_connections", "live_connections.count")),
    Series(3, "sessions", "count", ("sessions.count",)),
    Series(4, "subscriptions", "count", ("subscriptions", "subscriptions.count")),
    Series(5, "sharedSubscriptions", "count", ("shared_subscriptions",)),
    Series(6, "topics", "count", ("topics", "topics.count")),
    Series(7, "retained", "count", ("retained_msg_count", "retained.count")),
    Series(8, "received", "perSecond", ("received_msg_rate",)),
    Series(9, "sent", "perSecond", ("sent_msg_rate",)),
    Series(10, "dropped", "perSecond", ("dropped_msg_rate",)),
    Series(11, "persisted", "perSecond", ("persisted_rate",)),
    Series(12, "receivedBytes", "bytesPerSecond", ("received_bytes_rate",)),
    Series(13, "sentBytes", "bytesPerSecond", ("sent_bytes_rate",)),
)
"""Of what a report calls metrics."""

DERIVED: tuple[Series, ...] = (
    Series(20, "connectionLimit", "count"),
    Series(21, "nodesRunning", "count"),
    Series(22, "latency", "ms"),
    Series(23, "rulesRunning", "count"),
    Series(24, "rulesStopped", "count"),
    Series(25, "connectorsConnected", "count"),
    Series(26, "connectorsDisconnected", "count"),
)
"""Of the rest of a report."""

OF_NODE: tuple[Series, ...] = (
    Series(2, "liveConnections", "count", ("live_connections",)),
    Series(8, "received", "perSecond", ("received_msg_rate",)),
    Series(9, "sent", "perSecond", ("sent_msg_rate",)),
    Series(10, "dropped", "perSecond", ("dropped_msg_rate",)),
    Series(40, "load1", "load", ("load1",)),
    Series(41, "load5", "load", ("load5",)),
    Series(42, "load15", "load", ("load15",)),
    Series(43, "memoryUsed", "bytes", ("memory_used",)),
    Series(44, "memoryTotal", "bytes", ("memory_total",)),
)
"""Of the figures of one node."""

OF_EDGE: tuple[Series, ...] = (
    Series(9, "sent", "perSecond", ("send_msgs_total_rate",)),
    Series(40, "load1", "load", ("load1",)),
    Series(43, "memoryUsed", "bytes", ("memory.used",)),
    Series(44, "memoryTotal", "bytes", ("memory.total",)),
    Series(60, "reads", "perSecond", ("tag_reads_total_rate",)),
    Series(61, "readErrors", "perSecond", ("tag_read_errors_total_rate",)),
    Series(62, "sendErrors", "perSecond", ("send_msg_errors_total_rate",)),
    Series(63, "cached", "count", ("cached_msgs",)),
    Series(64, "processMemory", "bytes", ("process.memory",)),
    Series(23, "rulesRunning", "count", ("rules.running",)),
    Series(66, "rulesAbnormal", "count", ("rules.abnormal",)),
    Series(67, "streamIn", "perSecond", ("rules.in_rate",)),
    Series(68, "streamOut", "perSecond", ("rules.out_rate",)),
    Series(69, "tagsInUse", "count", ("tags.in_use",)),
)
"""Of the figures of an edge service."""

DERIVED_OF_EDGE: tuple[Series, ...] = (
    Series(70, "tags", "count"),
    Series(71, "driversRunning", "count"),
    Series(72, "driversAbnormal", "count"),
    Series(73, "appsRunning", "count"),
    Series(74, "appsAbnormal", "count"),
)
"""Of the rest of its report; rules are among its applications."""

BY_NAME: Mapping[str, Series] = {item.name: item for item in (*OF_NODE, *OF_CLUSTER, *DERIVED)}
EDGE_BY_NAME: Mapping[str, Series] = {item.name: item for item in (*OF_EDGE, *DERIVED_OF_EDGE)}
BY_CODE: Mapping[int, Series] = {
    item.code: item for item in (*EDGE_BY_NAME.values(), *BY_NAME.values())
}


def sample_of(report: Report) -> dict[str, dict[int, float]]:
    """What a report counts: by node, of the cluster as a whole under the empty name."""
    found = {"": _taken(OF_CLUSTER, report.metrics) | _derived(report)}
    for node in report.cluster_nodes[:NODES_MAX]:
        figures = _taken(OF_NODE, node.figures) if node.figures else {}
        if figures:
            found[node.node] = figures
    return found


def edge_sample_of(report: EdgeReport) -> dict[str, dict[int, float]]:
    """What the report of an edge service counts: all of it under the empty name."""
    return {
        "": {
            **_taken(OF_EDGE, report.figures),
            70: report.tags,
            71: report.drivers.running,
            72: report.drivers.abnormal,
            73: report.apps.running,
            74: report.apps.abnormal,
        }
    }


def _taken(series: tuple[Series, ...], figures: Values) -> dict[int, float]:
    found: dict[int, float] = {}
    for item in series:
        for name in item.sources:
            value = figures.get(name)
            if value is not None:
                is_small = -_FLOAT_MAX < value < _FLOAT_MAX
                found[item.code] = value if is_small else math.copysign(_FLOAT_MAX, value)
                break
    return found


def _derived(report: Report) -> dict[int, float]:
    found: dict[int, float] = {
        21: sum(node.status == "running" for node in report.cluster_nodes),
    }
    if report.facts is not None and report.facts.connection_limit is not None:
        found[20] = report.facts.connection_limit
    if report.round_trip_ms is not None:
        found[22] = report.round_trip_ms
    for kind, normal, other in (("rule", 23, 24), ("connector", 25, 26)):
        counts = report.integration_counts.get(kind)
        if counts is not None:
            is_well = _WELL[kind]
            found[normal] = sum(number for status, number in counts.items() if is_well(status))
            found[other] = sum(counts.values()) - found[normal]
    return found


_WELL: Mapping[str, Callable[[str], bool]] = {
    # A rule with an output that does not work runs nevertheless.
    "rule": lambda status: status != "stopped",
    "connector": lambda status: status == "connected",
}
