"""What the management operations of a node work on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rookery.broker.access import AccessService
from rookery.broker.admins import AdminService
from rookery.broker.alarms import AlarmRegistry
from rookery.broker.audit import AuditLog
from rookery.broker.backup import Backups
from rookery.broker.certificates import CertificateService
from rookery.broker.cluster.alone import Alone
from rookery.broker.connectors.service import ConnectorService
from rookery.broker.links.service import LinkService
from rookery.broker.listeners import ListenerService
from rookery.broker.load_rebalance import Rebalancing
from rookery.broker.logs import LogService
from rookery.broker.monitor import Monitor
from rookery.broker.nodes import Nodes
from rookery.broker.nodes.kept_answers import KeptAnswers
from rookery.broker.nodes.lists import NodeLists
from rookery.broker.otel import OtelService
from rookery.broker.plugins.service import PluginService
from rookery.broker.plugins.shared import SharedPlugins
from rookery.broker.prometheus import Exporter
from rookery.broker.rules.part import DataIntegration
from rookery.broker.rules.service import RuleService
from rookery.broker.settings import NodeSettings
from rookery.broker.slow_subs import SlowSubsService
from rookery.broker.topic_metrics import TopicMetrics
from rookery.broker.trace import TraceService
from rookery.clock import Clock
from rookery.native.node import Node
from rookery.observability.metrics import MetricRegistry, StatsRegistry
from rookery.web.sockets import Port

if TYPE_CHECKING:
    from rookery.broker.cluster.service import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases that the management plane offers."""

    settings: NodeSettings
    listeners: ListenerService
    certificates: CertificateService
    access: AccessService
    audit: AuditLog
    logs: LogService
    slow_subs: SlowSubsService
    trace: TraceService
    otel: OtelService
    nodes: Nodes
    lists: NodeLists
    kept_answers: KeptAnswers
    rebalancing: Rebalancing
    cluster: Cluster | Alone
    monitor: Monitor
    exporter: Exporter
    backups: Backups
    topic_metrics: TopicMetrics
    admins: AdminService
    plugins: PluginService
    shared_plugins: SharedPlugins
    connectors: ConnectorService
    rules: RuleService
    integration: DataIntegration
    links: LinkService


@dataclass(slots=True)
class NodeState:
    """Turns when the node begins to stop."""

    is_running: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeContext:
    """A running node, as the management plane sees it."""

    node_name: str
    version: str
    clock: Clock
    started_at_ms: int
    services: Services
    native: Node
    metrics: MetricRegistry
    stats: StatsRegistry
    alarms: AlarmRegistry
    ports: Callable[[], Sequence[Port]]
    stop: Callable[[], None]
    state: NodeState = field(default_factory=NodeState)
