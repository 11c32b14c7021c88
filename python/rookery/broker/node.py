"""Runs one node: native core first, then everything that may take its time.

**Invariant:** what can refuse the start (data directory, a taken port) is done before anything is
announced, and what was done is undone when a later step refuses. Clients are served before the
web framework is imported: a node that starts is wanted now.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, TextIO

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.data_dir import DataDir
from rookery.broker.journal import Journal
from rookery.broker.management.context import NodeContext, Port
from rookery.broker.management.sockets import open_http, open_unix, socket_path
from rookery.broker.sys_topics import SysTopics
from rookery.clock import Clock, SystemClock
from rookery.config import Config, ManagementConfig
from rookery.engine.hooks import HookTable
from rookery.engine.runtime import NodeRuntime
from rookery.native.config import NodeConfig
from rookery.native.node import Node, version
from rookery.observability.logs import Logging, console_handler, file_handler
from rookery.observability.metrics import MetricRegistry, StatsRegistry

if TYPE_CHECKING:
    from rookery.broker.management.status import Status

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PURPOSES = {"tcp": "MQTT", "ws": "MQTT over WebSocket"}
HTTP = "http:dashboard"
LOCAL = "unix:management"


def run(
    config: Config,
    *,
    foreground: bool = True,
    ready: Callable[[], None] | None = None,
    out: TextIO | None = None,
) -> int:
    """Run a node until it is told to stop (SIGTERM, SIGINT, ``POST /stop``).

    Args:
        config: The checked configuration.
        foreground: Whether to print a line for every connect, disconnect and error.
        ready: Called when clients are accepted.
        out: Where the lines go; standard output.

    Returns:
        The exit code: 0 after a graceful stop.

    Raises:
        DataDirInUseError: a node runs in that data directory.
        NodeNameMismatchError: the data directory belongs to a node of another name.
        PortInUseError: a port is taken.
        StartError: something else cannot be opened. In all cases nothing is left open.
    """
    journal = None
    if foreground:
        shows_log = not config.management.log_console.enable  # else each line came twice
        journal = Journal(out or sys.stdout, SystemClock(), shows_log=shows_log)
    with contextlib.ExitStack() as opened:
        node = BrokerNode(config, SystemClock(), journal)
        node.open(opened)
        return asyncio.run(node.serve(ready))


class BrokerNode:
    """A node of this process. :meth:`open` opens, :meth:`serve` runs on an asyncio loop."""

    def __init__(self, config: Config, clock: Clock, journal: Journal | None = None) -> None:
        self._config = config
        self._management = config.management
        self._clock = clock
        self._journal = journal
        self._sockets: dict[str, socket.socket] = {}
        self._native: Node | None = None
        self._started_at_ms = clock.now_ms()

    # -- opening ---------------------------------------------------------------------------

    def open(self, opened: contextlib.ExitStack) -> None:
        """Open everything that can refuse; ``opened`` closes it again."""
        management = self._management
        data_dir = DataDir(management.data_dir, management.node_name)
        data_dir.open()
        opened.callback(data_dir.close)
        if management.http is not None:
            self._keep(opened, HTTP, open_http(management.http.host, management.http.port))
        self._keep(opened, LOCAL, open_unix(management.data_dir))
        self._native = Node(self._native_config())
        opened.callback(self._native.stop, 0.0)

    def _keep(self, opened: contextlib.ExitStack, name: str, sock: socket.socket) -> None:
        opened.callback(sock.close)
        self._sockets[name] = sock

    def _native_config(self) -> NodeConfig:
        config = self._config.to_native()
        # Every connect becomes a Python object only where somebody looks at it.
        hooks = replace(config.broker.hooks, client_events=self._journal is not None)
        return replace(config, broker=replace(config.broker, hooks=hooks))

    @property
    def native(self) -> Node:
        assert self._native is not None, "open() comes first"
        return self._native

    def ports(self) -> list[Port]:
        """Every socket that the node listens on."""
        ports = [
            Port(listener.id, listener.address, _PURPOSES[listener.id.partition(":")[0]])
            for listener in self.native.listeners()
        ]
        if HTTP in self._sockets:
            ports.append(Port(HTTP, _address_of(self._sockets[HTTP]), "HTTP: GET /status"))
        path = socket_path(self._management.data_dir)
        return [*ports, Port(LOCAL, str(path), "HTTP: management of this node")]

    # -- running ---------------------------------------------------------------------------

    async def serve(self, ready: Callable[[], None] | None = None) -> int:
        """Serve until told to stop, then stop gracefully."""
        stopping = asyncio.Event()
        async with contextlib.AsyncExitStack() as serving:
            serving.enter_context(_signals_call(stopping.set))
            # Ends last: whoever watches the node stop gets answers to the end.
            web = await serving.enter_async_context(contextlib.AsyncExitStack())
            serving.enter_context(_logging(self._management))
            context = await self._start_parts(serving, stopping.set)
            self._announce(context)
            if ready is not None:
                ready()
            status = await self._start_web(web, context)
            await stopping.wait()
            status.is_running = False
            self._note("stopping", "clients are told, queues are written")
        self._note("stopped", self._management.node_name)
        return 0

    async def _start_parts(
        self, serving: contextlib.AsyncExitStack, stop: Callable[[], None]
    ) -> NodeContext:
        native, management = self.native, self._management
        metrics, stats = MetricRegistry(), StatsRegistry()
        sys_topics = SysTopics(
            native.publish_many,
            self._clock,
            node_name=management.node_name,
            version=version(),
            stats=stats.read,
            metrics=metrics.read,
        )
        alarms = AlarmRegistry(
            self._clock,
            actions=management.alarm.actions,
            size_limit=management.alarm.size_limit,
            validity_period_s=management.alarm.validity_period_s,
            publish=sys_topics.tell,
        )
        runtime = self._runtime()
        metrics.register("core", native.metrics)
        metrics.register("hooks", lambda: runtime.dispatcher.counters)
        metrics.register("alarms", alarms.metrics)
        stats.register("core", native.stats)
        stats.register("alarms", alarms.stats)
        serving.push_async_callback(runtime.close)
        runtime.open()
        serving.push_async_callback(sys_topics.close)
        sys_topics.open(
            msg_interval_s=management.sys_topics.msg_interval_s,
            heartbeat_interval_s=management.sys_topics.heartbeat_interval_s,
        )
        return NodeContext(
            node_name=management.node_name,
            version=version(),
            clock=self._clock,
            started_at_ms=self._started_at_ms,
            config=self._config,
            native=native,
            metrics=metrics,
            stats=stats,
            alarms=alarms,
            ports=self.ports,
            stop=stop,
        )

    def _runtime(self) -> NodeRuntime:
        hooks = self._config.to_native().broker.hooks
        return NodeRuntime(
            self.native,
            HookTable(),
            unanswered="allow" if hooks.unanswered_allows else "deny",
            deadline_s=hooks.deadline_ms / 1000,
            watchers=(self._journal.watch,) if self._journal else (),
        )

    def _announce(self, context: NodeContext) -> None:
        """Say what stands, and what the last run left behind."""
        for port in self.ports():
            self._note("listening", f"on {port.address} for {port.purpose} ({port.listener})")
        found = self.native.recovery()
        if found.sessions or found.retained or found.messages:
            self._note(
                "recovered",
                f"{found.sessions} sessions, {found.retained} retained messages, "
                f"{found.messages} queued messages in {found.elapsed_s:.2f} s",
            )
        for number, line in enumerate(found.problems, start=1):
            self._note("damaged", line)
            context.alarms.activate(f"store_damaged/{number}", line)

    async def _start_web(self, web: contextlib.AsyncExitStack, context: NodeContext) -> Status:
        # In a thread: questions of clients are answered while the framework is imported.
        await asyncio.to_thread(import_module, "rookery.broker.management.serve")
        from rookery.broker.management.serve import open_servers  # noqa: PLC0415

        http = self._management.http
        status, servers = open_servers(
            context,
            local=self._sockets[LOCAL],
            http=self._sockets.get(HTTP),
            http_connections_max=http.max_connections if http else 0,
        )
        for server in servers:
            web.push_async_callback(server.close)
        return status

    def _note(self, kind: str, text: str) -> None:
        if self._journal is not None:
            self._journal.note(kind, text)


def _address_of(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.contextmanager
def _signals_call(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _logging(management: ManagementConfig) -> Iterator[None]:
    console, file = management.log_console, management.log_file
    handlers = []
    if console.enable:
        handlers.append(console_handler(console.level, console.formatter))
    if file.enable and file.path is not None:
        handlers.append(
            file_handler(
                file.path,
                file.level,
                file.formatter,
                rotation_bytes=file.rotation_bytes,
                rotation_count=file.rotation_count,
            )
        )
    logging = Logging(handlers)
    logging.open()
    try:
        yield
    finally:
        logging.close()
