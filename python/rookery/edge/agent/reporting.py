"""What the control plane is told of this service."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import replace

from rookery.clock import Clock
from rookery.contracts.agent_edge import (
    NODES_LISTED_MAX,
    RULE_PLUGIN,
    EdgeDelivered,
    EdgeNode,
    EdgeReport,
    NodeCounts,
)
from rookery.contracts.agent_v1 import MessageError
from rookery.edge.model import LinkState, Node, NodeKind, NodeMetrics, NodeState, NodeStatus
from rookery.edge.service import EdgeService
from rookery.native.node import version
from rookery.observability.machine import Machine

REASON_MAX = 300
RATED = ("tag_reads_total", "tag_read_errors_total", "send_msgs_total", "send_msg_errors_total")
TRAFFIC = (*RATED, "recv_msgs_total", "cached_msgs", "dropped_msgs_total")
"""Figures of nodes that are summed up, by Neuron's names."""
STREAMS = {"rules.in": "recv_msgs_total", "rules.out": "rule_results_total"}
"""The same of rules alone, by the names in reports."""
RATE_S = 1.0
"""What is asked sooner has the rates of before."""
_KINDS = {NodeKind.DRIVER: "driver", NodeKind.APP: "app"}


class Reporter:
    """Makes reports, one after the other, of one start of the process."""

    def __init__(self, service: EdgeService, clock: Clock, boot_id: str) -> None:
        self._service = service
        self._clock = clock
        self._boot_id = boot_id
        self._started_at_ms = clock.now_ms()
        self._sequence = 0
        self._machine = Machine()
        self._before: tuple[float, dict[str, float]] = (-RATE_S, {})
        self._rates: dict[str, float] = {}

    def report(self, description: str) -> EdgeReport:
        """How it is now."""
        self._sequence += 1
        pairs = self._pairs()
        shown = [_shown(node, status) for node, status in pairs]
        # What is not well comes first: a report has room for so many.
        order = sorted(range(len(shown)), key=lambda at: not is_abnormal(shown[at]))
        listed = tuple(shown[at] for at in order[:NODES_LISTED_MAX])
        made = EdgeReport(
            version(),
            self._clock.now_ms(),
            sequence=self._sequence,
            boot_id=self._boot_id,
            started_at_ms=self._started_at_ms,
            host_name=platform.node()[:256],
            description=description,
            drivers=_counts(shown, "driver"),
            apps=_counts(shown, "app"),
            tags=sum(len(group.tags) for _, group in self._service.groups.all()),
            nodes=listed,
            nodes_left_out=len(shown) - len(listed),
            figures={**self._figures(), **_rules(shown)},
            deliveries=tuple(
                EdgeDelivered(one.template, one.version, one.delivery, is_changed)
                for one, is_changed in self._service.deliveries.list()
            ),
        )
        return _fitting(made)

    def _pairs(self) -> list[tuple[Node, NodeStatus]]:
        statuses = {status.node: status for status in self._service.nodes.statuses()}
        return [
            (node, statuses[node.name])
            for node in self._service.nodes.list()
            if node.name in statuses
        ]

    def _figures(self) -> dict[str, float]:
        memory = self._machine.memory()
        return {
            "process.memory": self._machine.process_memory(),
            "memory.used": memory.used,
            "memory.total": memory.total,
            "load1": round(self._machine.load()[0], 2),
            **self._traffic(),
        }

    def _traffic(self) -> dict[str, float]:
        """What went through all nodes since they were started, and in a second of late."""
        nodes = self._service.metrics()
        sums: dict[str, float] = dict.fromkeys(TRAFFIC, 0)
        for one in nodes:
            for name in TRAFFIC:
                sums[name] += one.figures.get(name, 0)
        sums |= _streams(nodes)
        now_s = self._clock.monotonic_s()
        before_s, before = self._before
        if now_s - before_s >= RATE_S:
            passed_s = now_s - before_s
            # A node that was started anew counts from nothing.
            self._rates = {
                f"{name}_rate": round(max(0.0, sums[name] - before.get(name, 0)) / passed_s, 2)
                for name in (*RATED, *STREAMS)
                if before
            }
            self._before = (now_s, sums)
        return {**sums, **self._rates, "tags.in_use": _tags_in_use(nodes)}


def _streams(nodes: Iterable[NodeMetrics]) -> dict[str, float]:
    """What went into the rules, and what came out of them."""
    rules = [one for one in nodes if one.plugin == RULE_PLUGIN]
    return {
        name: sum(one.figures.get(figure, 0) for one in rules) for name, figure in STREAMS.items()
    }


def _tags_in_use(nodes: Iterable[NodeMetrics]) -> float:
    """Tags of drivers that run and are connected."""
    return sum(
        one.figures.get("tags_total", 0)
        for one in nodes
        if one.status.state == NodeState.RUNNING and one.status.link == LinkState.CONNECTED
    )


def is_abnormal(node: EdgeNode) -> bool:
    """Whether it runs and is not connected."""
    return node.state == NodeState.RUNNING and node.link != LinkState.CONNECTED


def _shown(node: Node, status: NodeStatus) -> EdgeNode:
    reason = status.reason
    return EdgeNode(
        node.name,
        node.plugin,
        _KINDS[node.kind],
        int(status.state),
        int(status.link),
        _line(reason.en) if reason else "",
        _line(reason.zh) if reason else "",
    )


def _line(text: str) -> str:
    return " ".join(text.split())[:REASON_MAX]


def _counts(nodes: list[EdgeNode], kind: str) -> NodeCounts:
    found = [node for node in nodes if node.kind == kind]
    running = sum(node.state == NodeState.RUNNING for node in found)
    return NodeCounts(len(found), running, sum(map(is_abnormal, found)))


def _rules(nodes: list[EdgeNode]) -> dict[str, float]:
    """Of applications that are rules, how many there are of each kind."""
    found = [node for node in nodes if node.plugin == RULE_PLUGIN]
    running = [node for node in found if node.state == NodeState.RUNNING]
    return {
        "rules.total": len(found),
        "rules.running": len(running),
        "rules.abnormal": sum(map(is_abnormal, running)),
    }


def _fitting(report: EdgeReport) -> EdgeReport:
    """The same with as many nodes as a message has room for."""
    while report.nodes:
        try:
            report.to_bytes()
        except MessageError:
            kept = report.nodes[: len(report.nodes) // 2]
            left_out = report.nodes_left_out + len(report.nodes) - len(kept)
            report = replace(report, nodes=kept, nodes_left_out=left_out)
        else:
            return report
    return report
