"""Serves an open node on an asyncio loop: events, ``$SYS``, alarms, management over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

from rookery.broker.alarms import (
    AlarmFile,
    AlarmKeeper,
    AlarmRegistry,
    CounterWatch,
    message,
)
from rookery.broker.assembly import Gathering, make_services, open_services
from rookery.broker.certificates import CertificateService
from rookery.broker.logs import LogService
from rookery.broker.management.context import NodeContext
from rookery.broker.management.doors import LOCAL_CONNECTIONS_MAX, Door, Doors
from rookery.broker.node import HTTP, HTTPS, LOCAL, STOP_SIGNALS, V3, OpenNode, Ready
from rookery.broker.settings.https import HttpsPart
from rookery.broker.settings.management import ManagementPart
from rookery.broker.sys_topics import SysTopics
from rookery.native.node import version
from rookery.observability.metrics import MetricRegistry, StatsRegistry


def serve(node: OpenNode, ready: Ready | None = None) -> int:
    """Serve until told to stop, then stop gracefully; the exit code."""
    return asyncio.run(_serve(node, ready))


async def _serve(node: OpenNode, ready: Ready | None) -> int:
    stopping = asyncio.Event()
    async with contextlib.AsyncExitStack() as serving:
        # Ends last: whoever watches the node stop gets answers to the end.
        web = await serving.enter_async_context(contextlib.AsyncExitStack())
        logs = LogService(node.use_log, has_journal=node.journal is not None)
        serving.callback(logs.close)
        logs.use(node.config.management.log)
        context = await _start_parts(node, serving, stopping.set, logs)
        serving.enter_context(_signals_call(stopping.set))
        node.accept()
        if ready is not None:
            ready(node.closed())
        _start_web(node, web, context)
        await stopping.wait()
        context.state.is_running = False
        node.note("stopping", "clients are told, queues are written")
    node.note("stopped", node.config.management.node_name)
    return 0


async def _start_parts(
    node: OpenNode,
    serving: contextlib.AsyncExitStack,
    stop: Callable[[], None],
    logs: LogService,
) -> NodeContext:
    native, management = node.native, node.config.management
    metrics, stats = MetricRegistry(), StatsRegistry()
    sys_topics = SysTopics(
        native.publish_many,
        node.clock,
        node_name=management.node_name,
        version=version(),
        stats=stats.read,
        metrics=metrics.read,
    )
    alarms = AlarmRegistry(
        node.clock,
        actions=management.alarm.actions,
        size_limit=management.alarm.size_limit,
        validity_period_s=management.alarm.validity_period_s,
        publish=sys_topics.tell,
    )
    metrics.register("alarms", alarms.metrics)
    stats.register("alarms", alarms.stats)
    services, observation = make_services(node, alarms, metrics, stats, logs)
    keeper = AlarmKeeper(alarms, AlarmFile(management.data_dir))
    keeper.restore()
    runtime = await open_services(node, services, serving, alarms, metrics, stats)
    # Before the parts that have the node read its configuration anew.
    gathering = Gathering(node, runtime)
    services.settings.open(
        (
            HttpsPart(),
            services.access,
            services.listeners,
            ManagementPart(sys_topics, alarms),
            gathering,
            logs,
            services.slow_subs,
            services.otel,
            observation.sysmon,
            observation.pusher,
            services.topic_metrics,
            services.integration,
            services.links.part,
        )
    )
    serving.push_async_callback(sys_topics.close)
    sys_topics.open(
        msg_interval_s=management.sys_topics.msg_interval_s,
        heartbeat_interval_s=management.sys_topics.heartbeat_interval_s,
    )
    await observation.open(serving)
    _start_alarms(node, serving, alarms, metrics, keeper)
    return NodeContext(
        node_name=management.node_name,
        version=version(),
        clock=node.clock,
        started_at_ms=node.started_at_ms,
        services=services,
        native=native,
        metrics=metrics,
        stats=stats,
        alarms=alarms,
        ports=lambda: [*node.ports(), *services.cluster.ports()],
        stop=stop,
    )


def _start_alarms(
    node: OpenNode,
    serving: contextlib.AsyncExitStack,
    alarms: AlarmRegistry,
    metrics: MetricRegistry,
    keeper: AlarmKeeper,
) -> None:
    """Keep alarms for the next run, and find out which of the last one still hold."""
    watch = CounterWatch(alarms, node.native.metrics)
    metrics.register("alarm file", keeper.metrics)
    serving.push_async_callback(keeper.close)
    keeper.open()
    serving.push_async_callback(watch.close)
    watch.open()
    for number, line in enumerate(node.native.recovery().problems, start=1):
        alarms.activate(f"store_damaged/{number}", message("store_damaged", problem=line))
    alarms.settle()


def _start_web(node: OpenNode, web: contextlib.AsyncExitStack, context: NodeContext) -> None:
    management = node.config.management
    found = [Door(LOCAL, node.sockets[LOCAL], "local", LOCAL_CONNECTIONS_MAX)]
    if management.http is not None:
        most = management.http.max_connections
        found.append(Door(HTTP, node.sockets[HTTP], "site", most))
    if management.https is not None and node.https is not None:
        most = management.https.max_connections
        found.append(Door(HTTPS, node.sockets[HTTPS], "site", most, node.https.context))
    if management.http_v3 is not None:
        found.append(Door(V3, node.sockets[V3], "v3", management.http_v3.max_connections))
    doors = Doors(context, found)
    _watch_certificate(node, web, context.services.certificates)
    web.push_async_callback(doors.close)
    doors.open()


def _watch_certificate(
    node: OpenNode, web: contextlib.AsyncExitStack, certificates: CertificateService
) -> None:
    https = node.config.management.https
    if https is None or https.tls is None or node.https is None:
        return
    from rookery.broker.rest.https import CertificateWatch  # noqa: PLC0415

    def was_read(error: str | None) -> None:
        certificates.was_read(HTTPS, error)

    watch = CertificateWatch(node.https, https.tls, was_read)
    web.push_async_callback(watch.close)
    watch.open()


@contextlib.contextmanager
def _signals_call(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
