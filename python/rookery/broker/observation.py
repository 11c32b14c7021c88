"""Makes and opens what watches the node and tells others about it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.certificates import CertificateService
from rookery.broker.cluster.alone import Alone
from rookery.broker.monitor import Monitor, SampleFile
from rookery.broker.node import OpenNode
from rookery.broker.nodes import Nodes
from rookery.broker.prometheus import Exporter, Pusher
from rookery.broker.sysmon import Sysmon
from rookery.native.node import version
from rookery.observability.emqx import complete_metrics, complete_stats
from rookery.observability.machine import Machine
from rookery.observability.metrics import MetricRegistry, StatsRegistry

if TYPE_CHECKING:
    from rookery.broker.cluster.service import Cluster


class Observation:
    """Everything of a node that looks at it. Nothing is open yet."""

    def __init__(
        self,
        node: OpenNode,
        alarms: AlarmRegistry,
        certificates: CertificateService,
        metrics: MetricRegistry,
        stats: StatsRegistry,
        cluster: Cluster | Alone,
    ) -> None:
        management = node.config.management
        machine = Machine()
        stats.register("core", lambda: complete_stats(node.native.stats()))
        metrics.register("core", lambda: complete_metrics(node.native.metrics()))
        self._node = node
        self._metrics = metrics
        self.nodes = Nodes(
            name=management.node_name,
            cluster=management.cluster_name,
            version=version(),
            data_dir=management.data_dir,
            clock=node.clock,
            machine=machine,
            started_at_ms=node.started_at_ms,
            stats=stats.read,
            metrics=metrics.read,
            members=cluster,
        )
        self.monitor = Monitor(
            node.clock,
            stats=stats.read,
            metrics=metrics.read,
            file=SampleFile(management.data_dir),
        )
        self.sysmon = Sysmon(alarms, machine, management.data_dir)
        self.exporter = Exporter(
            node_name=management.node_name,
            stats=stats.read,
            metrics=metrics.read,
            certificates=certificates.in_use,
            machine=machine,
            cpu_use=lambda: self.sysmon.cpu_use,
            started_at_ms=node.started_at_ms,
        )
        self.pusher = Pusher(self.exporter, management.node_name)

    async def open(self, serving: contextlib.AsyncExitStack) -> None:
        """Begin to look; before restored alarms are settled."""
        management = self._node.config.management
        serving.push_async_callback(self.monitor.close)
        await self.monitor.open()
        serving.push_async_callback(self.sysmon.close)
        self.sysmon.open(management.sysmon)
        serving.push_async_callback(self.pusher.close)
        self.pusher.open(management.prometheus.push_gateway)
        self._metrics.register("monitor", self.monitor.metrics)
        self._metrics.register("prometheus", self.pusher.metrics)
