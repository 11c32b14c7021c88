"""Figures of nodes by Neuron's names."""

from __future__ import annotations

from rookery.edge.core import Core
from rookery.edge.engine.cycle import Cycle
from rookery.edge.engine.runner import Runner
from rookery.edge.model import GroupMetrics, Node, NodeKind, NodeMetrics


def metrics_of(core: Core, node: Node) -> NodeMetrics:
    """Of one node; what does not run has zeros."""
    status = core.engine.status(node)
    figures: dict[str, int | float] = {
        "running_state": int(status.state),
        "link_state": int(status.link),
    }
    groups: tuple[GroupMetrics, ...] = ()
    if node.kind is NodeKind.DRIVER:
        runner = core.engine.runners.get(node.name)
        tags = sum(len(group.tags) for group in core.state.groups[node.name].values())
        cycles = list(runner.cycles.values()) if runner is not None else []
        figures |= {"tags_total": tags, "last_rtt_ms": status.rtt_ms}
        figures |= _driver(runner, cycles)
        groups = tuple(cycle.metrics() for cycle in cycles)
    elif node.name in core.engine.apps:
        figures |= core.engine.apps[node.name].application.figures()
    return NodeMetrics(
        node=node.name,
        kind=node.kind,
        plugin=node.plugin,
        status=status,
        figures=figures,
        groups=groups,
    )


def _driver(runner: Runner | None, cycles: list[Cycle]) -> dict[str, int | float]:
    latest = max(cycles, key=lambda cycle: cycle.last_error_at_ms, default=None)
    return {
        "tag_reads_total": runner.reads if runner is not None else 0,
        "tag_read_errors_total": runner.read_errors if runner is not None else 0,
        "send_bytes": runner.driver.sent_bytes if runner is not None else 0,
        "recv_bytes": runner.driver.received_bytes if runner is not None else 0,
        "missed_cycles_total": sum(cycle.missed for cycle in cycles),
        "last_error_code": latest.last_error if latest is not None else 0,
        "last_error_timestamp_ms": latest.last_error_at_ms if latest is not None else 0,
    }
