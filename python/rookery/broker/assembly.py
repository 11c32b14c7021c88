"""Makes the services of a node and opens them in the order in which they need each other."""

from __future__ import annotations

import contextlib
from pathlib import Path

from rookery.broker.access import AccessService
from rookery.broker.admins import AdminService
from rookery.broker.admins.opening import Opening
from rookery.broker.admins.settings import AdminSettings
from rookery.broker.alarms import AlarmRegistry, StoreWatch
from rookery.broker.audit import AuditLog
from rookery.broker.backup import Backups
from rookery.broker.backup.access import BansPart, RulesPart, ScramUsersPart, UsersPart
from rookery.broker.backup.admins import AdminsPart, ApiKeysPart
from rookery.broker.backup.parts import ConfigurationPart, Part
from rookery.broker.backup.retained import RetainedPart
from rookery.broker.certificates import CertificateService
from rookery.broker.certificates.dashboard import shown_by
from rookery.broker.cluster.alone import make_cluster
from rookery.broker.connectors.running import Running
from rookery.broker.connectors.service import ConnectorService
from rookery.broker.journal import log_clients
from rookery.broker.links.part import LinksPart
from rookery.broker.links.service import LinkService
from rookery.broker.listeners import ListenerService
from rookery.broker.load_rebalance import Rebalancing
from rookery.broker.logs import LogService
from rookery.broker.management.context import Services
from rookery.broker.node import OpenNode
from rookery.broker.nodes.kept_answers import KeptAnswers
from rookery.broker.nodes.lists import NodeLists
from rookery.broker.observation import Observation
from rookery.broker.observing import Observing
from rookery.broker.otel import OtelService
from rookery.broker.plugins.routing import Routing
from rookery.broker.plugins.service import PluginService
from rookery.broker.plugins.shared import SharedPlugins
from rookery.broker.plugins.store import PluginStore
from rookery.broker.quota import QuotaWatch
from rookery.broker.rules.alarm_events import AlarmEvents
from rookery.broker.rules.part import DataIntegration
from rookery.broker.rules.service import RuleService
from rookery.broker.settings import NodeSettings
from rookery.broker.settings.replica import SettingsReplica
from rookery.broker.slow_subs import SlowSubsService
from rookery.broker.topic_metrics import TopicMetrics
from rookery.broker.trace import TraceService
from rookery.broker.trace.files import TraceFiles
from rookery.config import Config
from rookery.engine.events import Watcher
from rookery.engine.hooks import HookTable
from rookery.engine.runtime import STOP_GRACE_S, NodeRuntime
from rookery.native.node import version
from rookery.observability.metrics import MetricRegistry, StatsRegistry

JOURNAL_GATHER_S = 0.02
"""Lines of the foreground are printed together this often while nobody waits for an answer."""


def make_services(
    node: OpenNode,
    alarms: AlarmRegistry,
    metrics: MetricRegistry,
    stats: StatsRegistry,
    logs: LogService,
) -> tuple[Services, Observation]:
    """Make them; nothing is open yet."""
    audit = AuditLog(node.config.data_dir, node.clock)
    settings = NodeSettings(node.config, audit, node.clock)
    observing = Observing(node.native)
    certificates = CertificateService(
        node.native, alarms, audit, node.clock, lambda: shown_by(node.https)
    )
    cluster = make_cluster(node, alarms, version())
    observation = Observation(node, alarms, certificates, metrics, stats, cluster)
    access = _access(node, alarms, audit)
    admins = AdminService(
        node.config.data_dir, node.clock, audit, lambda: _admin_settings(settings.config)
    )
    running = _running(node, alarms)
    node_name = node.config.management.node_name
    connectors = ConnectorService(running, settings, node.clock, node_name=node_name)
    rules = RuleService(node.native, settings, connectors, node.clock, node_name=node_name)
    alarms.on_alarm(AlarmEvents(node.native.rule_event))
    store = PluginStore(node.config.data_dir / "plugins")
    plugins = _plugins(node, settings, alarms, store)
    shared_plugins = SharedPlugins(
        plugins, store, observation.nodes, alarms, lambda: cluster.is_joining
    )
    cluster.replicate(
        lambda: (
            access.replica(),
            admins.replica(),
            SettingsReplica(settings, node.config.data_dir, alarms),
            shared_plugins.replica,
        )
    )
    services = Services(
        settings=settings,
        listeners=ListenerService(node.native, settings, audit, alarms, certificates.check),
        certificates=certificates,
        access=access,
        audit=audit,
        logs=logs,
        slow_subs=SlowSubsService(node.native, observing, settings),
        trace=TraceService(observing, TraceFiles(node.config.data_dir), node.clock),
        otel=OtelService(observing, node_name=node.config.management.node_name, version=version()),
        admins=admins,
        topic_metrics=TopicMetrics(node.native.lists, settings, node.clock),
        nodes=observation.nodes,
        lists=NodeLists(observation.nodes, node.native.lists),
        kept_answers=KeptAnswers(observation.nodes, node.native),
        rebalancing=_rebalancing(node, observation),
        cluster=cluster,
        monitor=observation.monitor,
        exporter=observation.exporter,
        backups=_backups(node, access, admins, settings, audit),
        plugins=plugins,
        shared_plugins=shared_plugins,
        connectors=connectors,
        rules=rules,
        integration=DataIntegration(running, rules),
        links=_links(node, alarms, settings, observation),
    )
    return services, observation


def _rebalancing(node: OpenNode, observation: Observation) -> Rebalancing:
    native = node.native
    return Rebalancing(
        observation.nodes,
        native.lists,
        native.stats,
        native.cluster_leave_for,
        node.config.data_dir,
    )


def _links(
    node: OpenNode, alarms: AlarmRegistry, settings: NodeSettings, observation: Observation
) -> LinkService:
    management = node.config.management
    part = LinksPart(
        node.native,
        alarms,
        node.clock,
        node_name=management.node_name,
        cluster=management.cluster_name,
        incarnation=node.started_at_ms,
    )
    service = LinkService(part, settings, observation.nodes)
    observation.exporter.add(service.families)
    return service


def _access(node: OpenNode, alarms: AlarmRegistry, audit: AuditLog) -> AccessService:
    return AccessService(
        node.native,
        alarms,
        audit,
        node.clock,
        node_name=node.config["node.name"],
        data_dir=node.config.data_dir,
        adapt=node.adapt,
        bans=node.bans,
        built_in=node.built_in_rules,
        sources=node.sources,
    )


def _running(node: OpenNode, alarms: AlarmRegistry) -> Running:
    return Running(
        node.native,
        alarms,
        node.clock,
        data_dir=node.config.data_dir,
        node_name=node.config.management.node_name,
        file_dirs=tuple(Path(path) for path in node.config["node.connector_file_dirs"]),
    )


def _plugins(
    node: OpenNode, settings: NodeSettings, alarms: AlarmRegistry, store: PluginStore
) -> PluginService:
    def apply_hooks(wanted: frozenset[str], deadline_ms: int) -> None:
        node.plugin_hooks = (wanted, deadline_ms)
        node.native.set_hooks(node.adapt(node.config.to_native().broker).hooks)

    return PluginService(
        store,
        Routing(node.native, apply_hooks),
        alarms,
        node.native,
        node_name=node.config["node.name"],
        clock=node.clock,
        config=lambda: settings.config,
    )


def _admin_settings(config: Config) -> AdminSettings:
    dashboard = config.management.dashboard
    return AdminSettings(
        default_username=dashboard.default_username,
        default_password=dashboard.default_password,
        token_expired_time_s=dashboard.token_expired_time_s,
        bootstrap_file=dashboard.bootstrap_file,
    )


def _backups(
    node: OpenNode,
    access: AccessService,
    admins: AdminService,
    settings: NodeSettings,
    audit: AuditLog,
) -> Backups:
    data_dir = node.config.data_dir
    parts: tuple[Part, ...] = (
        UsersPart(access, data_dir),
        ScramUsersPart(access, data_dir),
        RulesPart(access, data_dir),
        BansPart(access, data_dir),
        AdminsPart(admins),
        ApiKeysPart(admins),
        # What it refers to is there by then.
        ConfigurationPart(settings),
        # Within the bounds that the configuration sets.
        RetainedPart(node.native.lists, node.clock),
    )
    return Backups(
        data_dir,
        parts,
        audit,
        node.clock,
        node_name=node.config.management.node_name,
        version=version(),
    )


async def open_services(
    node: OpenNode,
    services: Services,
    serving: contextlib.AsyncExitStack,
    alarms: AlarmRegistry,
    metrics: MetricRegistry,
    stats: StatsRegistry,
) -> NodeRuntime:
    """Open everything and begin to answer the core.

    Raises:
        AccessError: a provider or source cannot work with its settings.
    """
    runtime = _runtime(node, services, alarms)
    serving.push_async_callback(services.access.close)
    await services.access.open(node.config)
    # They take what the node tells to its end, so they close after it.
    serving.push_async_callback(services.otel.close)
    serving.push_async_callback(services.trace.close)
    # Closed after the node has stopped: plugins are told to the end.
    serving.push_async_callback(services.plugins.close)
    await services.plugins.open()
    metrics.register("plugins", lambda: services.plugins.counters)
    serving.push_async_callback(services.integration.close)
    await services.integration.open(node.config)
    serving.push_async_callback(runtime.close)
    # First, while the node still serves: what clients publish until they are told goes out afterwards.
    serving.push_async_callback(services.integration.drain, STOP_GRACE_S)
    runtime.open()
    serving.push_async_callback(services.links.part.close)
    await services.links.part.open(node.config)
    await services.slow_subs.open(node.config)
    await services.trace.open()
    await services.otel.open(node.config)
    serving.push_async_callback(services.certificates.close)
    # Before restored alarms are settled: what still holds keeps the time at which it began.
    await services.listeners.judge()
    services.certificates.open()
    serving.push_async_callback(services.topic_metrics.close)
    await services.topic_metrics.open()
    metrics.register("hooks", lambda: runtime.dispatcher.counters)
    metrics.register("access", services.access.metrics)
    metrics.register("audit", services.audit.metrics)
    metrics.register("log", services.logs.metrics)
    metrics.register("trace", services.trace.metrics)
    metrics.register("opentelemetry", services.otel.metrics)
    administrators = Opening(services.admins, alarms)
    serving.push_async_callback(administrators.close)
    await administrators.open()
    metrics.register("admins", services.admins.metrics)
    metrics.register("cluster", services.cluster.metrics)
    serving.push_async_callback(services.cluster.close)
    serving.push_async_callback(services.shared_plugins.close)
    services.cluster.open()
    metrics.register("rebalance", services.rebalancing.metrics)
    serving.push_async_callback(services.rebalancing.close)
    await services.rebalancing.open()
    stats.register("admins", services.admins.stats)
    stats.register("certificates", services.certificates.stats)
    return runtime


def _runtime(node: OpenNode, services: Services, alarms: AlarmRegistry) -> NodeRuntime:
    hooks = node.config.to_native().broker.hooks
    watchers: list[Watcher] = [
        log_clients,
        StoreWatch(alarms).watch,
        QuotaWatch(alarms).watch,
        services.access.watch,
        services.certificates.watch,
    ]
    if node.journal is not None:
        watchers.insert(0, node.journal.watch)
    return NodeRuntime(
        node.native,
        HookTable(),
        unanswered="allow" if hooks.unanswered_allows else "deny",
        deadline_s=hooks.deadline_ms / 1000,
        watchers=tuple(watchers),
        observers={
            "trace": services.trace.watch,
            "span": services.otel.watch,
            "links": services.links.part.watch,
        },
        gather_s=_gather_s(node.config),
        access=services.access.access,
        send_rest=services.integration.send_rest,
    )


def _gather_s(config: Config) -> float:
    access = config.management.access
    return 0.0 if access.authentication or access.sources else JOURNAL_GATHER_S


class Gathering:
    """Events are taken at once where clients wait for what they ask."""

    def __init__(self, node: OpenNode, runtime: NodeRuntime) -> None:
        self._node = node
        self._runtime = runtime

    async def apply(self, _old: Config, new: Config) -> None:
        self._runtime.gather(_gather_s(new))
        self._node.config = new
