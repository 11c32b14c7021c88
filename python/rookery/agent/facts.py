"""Reads what a cluster answers into facts. Nothing here trusts the shape of an answer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rookery.contracts.agent_v1 import METRICS_MAX, NODES_MAX, ClusterFacts, ClusterNode

NOT_PERMITTED = "LICENSE: not permitted by this cluster's licence"
# What a node of ours says for *no limit*, where EMQX has a number.
UNBOUNDED = 1_000_000_000
# Of so many nodes figures are told: a report has its bound.
NODES_TOLD_MAX = 32
_COUNT_MAX = 1 << 53
_FLAWS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
RATES = {
    "received_msg_rate": "received",
    "sent_msg_rate": "sent",
    "dropped_msg_rate": "dropped",
    "persisted_rate": "persisted",
}


def nodes_of(
    value: Any, figures_of: Callable[[str, Any], Mapping[str, float] | None] = lambda *_: None
) -> tuple[ClusterNode, ...]:
    """The rows of ``/nodes``; what is no row is left out. ``figures_of`` gives what a node counts."""
    rows = value if isinstance(value, list) else []
    nodes: list[ClusterNode] = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        name = text_of(row.get("node"), 256)
        if not name or len(nodes) == NODES_MAX:
            continue
        connections = count_of(row.get("live_connections"))
        if connections is None:
            connections = count_of(row.get("connections"))
        nodes.append(
            ClusterNode(
                name,
                status=text_of(row.get("node_status"), 32) or "unknown",
                uptime_ms=count_of(row.get("uptime")),
                version=text_of(row.get("version"), 64),
                connections=connections,
                role=text_of(row.get("role"), 32),
                figures=figures_of(name, row) if len(nodes) < NODES_TOLD_MAX else None,
            )
        )
    return tuple(nodes)


@dataclass(frozen=True)
class Limit:
    """Most connections, and whether that can be set from outside; None is not known."""

    connections: int | None = None
    is_settable: bool | None = None
    setting: int | None = None

    @classmethod
    def of(cls, licence: Any, setting: Any) -> Limit:
        """Read ``/license`` and ``/license/setting``; None where the cluster has none."""
        given = licence if isinstance(licence, dict) else {}
        own = count_of(given.get("max_connections"))
        if own is None:
            own = count_of(given.get("max_sessions"))
        chosen = setting if isinstance(setting, dict) else {}
        dynamic = count_of(chosen.get("dynamic_max_connections"))
        limits = [limit for limit in (own, dynamic) if limit is not None and limit < UNBOUNDED]
        # EMQX shows the value only where its licence permits it; of ours every node does.
        return cls(min(limits) if limits else None, "dynamic_max_connections" in chosen, dynamic)


def facts_of(
    nodes: tuple[ClusterNode, ...], edition: str, monitor: Any, limit: Limit, now_ms: int
) -> ClusterFacts:
    """What is known of the cluster as a whole."""
    running = [node for node in nodes if node.status == "running"]
    uptimes = [node.uptime_ms for node in running if node.uptime_ms is not None]
    current = monitor if isinstance(monitor, dict) else {}
    connections = count_of(current.get("live_connections"))
    if connections is None:
        counted = [node.connections for node in running if node.connections is not None]
        connections = min(sum(counted), _COUNT_MAX) if counted else None
    return ClusterFacts(
        # To the second: each report would otherwise name another moment.
        started_at_ms=max(0, now_ms - max(uptimes)) // 1000 * 1000 if uptimes else None,
        version=min((node.version for node in running if node.version), default=""),
        edition=text_of(edition, 64),
        connections=connections,
        connection_limit=limit.connections,
        limit_is_settable=limit.is_settable,
        limit_reason=NOT_PERMITTED if limit.is_settable is False else "",
        rates=rates_of(current),
        limit_setting=limit.setting,
    )


def rates_of(monitor: Any) -> dict[str, float]:
    """Messages per second."""
    current = monitor if isinstance(monitor, dict) else {}
    found = ((name, number_of(current.get(key))) for key, name in RATES.items())
    return {name: value for name, value in found if value is not None}


def metrics_of(
    stats: Any, monitor: Any, more: Mapping[str, float] | None = None
) -> dict[str, float]:
    """The figures of ``/stats?aggregate=true`` and ``/monitor_current``, by their names there."""
    metrics: dict[str, float] = dict(more or {})
    for source in (monitor, stats):
        if not isinstance(source, dict):
            continue
        for name, value in source.items():
            figure = number_of(value)
            if figure is None or not text_of(name, 96) or len(metrics) == METRICS_MAX:
                continue
            metrics[text_of(name, 96)] = figure
    return metrics


def text_of(value: Any, longest: int) -> str:
    """A text without control characters, cut; empty for anything else."""
    return _FLAWS.sub("", value)[:longest] if isinstance(value, str) else ""


def count_of(value: Any) -> int | None:
    """A whole number from 0; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value)
    return value if 0 <= value <= _COUNT_MAX else None


def number_of(value: Any) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        return value if abs(value) <= _COUNT_MAX else None
    return value if math.isfinite(value) else None
