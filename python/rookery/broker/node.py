"""Runs one node: native core first, then everything that may take its time.

**Invariant:** what can refuse the start (data directory, a taken port) is done before anything is
announced, and what was done is undone when a later step refuses. Clients are served before the
web framework is imported: a node that starts is wanted now.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, TextIO

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.data_dir import DataDir
from rookery.broker.journal import Journal
from rookery.broker.management.context import NodeContext, Port
from rookery.broker.management.sockets import open_http, open_unix, socket_path
from rookery.broker.sys_topics import SysTopics
from rookery.clock import Clock, SystemClock
from rookery.config import Config
from rookery.engine.hooks import HookTable
from rookery.engine.runtime import NodeRuntime
from rookery.native.node import Node, version
from rookery.observability.logs import Logging, console_handler, file_handler
from rookery.observability.metrics import MetricRegistry, StatsRegistry

if TYPE_CHECKING:
    from rookery.web.server import WebServer

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
MANAGEMENT_CONNECTIONS_MAX = 64
_PURPOSES = {"tcp": "MQTT", "ws": "MQTT over WebSocket"}
HTTP_LISTENER = "http:dashboard"


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
    journal = Journal(out or sys.stdout, SystemClock()) if foreground else None
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
        self._sockets: list[tuple[str, socket.socket]] = []
        self._native: Node | None = None

    def open(self, opened: contextlib.ExitStack) -> None:
        """Open everything that can refuse; ``opened`` closes it again."""
        management = self._management
        data_dir = DataDir(management.data_dir, management.node_name)
        data_dir.open()
        opened.callback(data_dir.close)
        if management.http is not None:
            self._keep(opened, HTTP_LISTENER, open_http(management.http.host, management.http.port))
        self._keep(opened, "management", open_unix(management.data_dir))
        native = Node(self._config.to_native())
        opened.callback(native.stop, 0.0)
        self._native = native

    def _keep(self, opened: contextlib.ExitStack, name: str, sock: socket.socket) -> None:
        opened.callback(sock.close)
        self._sockets.append((name, sock))

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
        for name, sock in self._sockets:
            if name == HTTP_LISTENER:
                ports.append(Port(name, _address_of(sock), "HTTP: /status"))
            else:
                path = socket_path(self._management.data_dir)
                ports.append(Port(name, str(path), "HTTP: management of this node"))
        return ports

    # -- running ---------------------------------------------------------------------------

    async def serve(self, ready: Callable[[], None] | None = None) -> int:
        """Serve until told to stop, then stop gracefully."""
        stopping = asyncio.Event()
        async with contextlib.AsyncExitStack() as serving:
            serving.enter_context(_signals(stopping.set))
            serving.enter_context(_logging(self._config))
            context = await self._start_parts(serving, stopping)
            self._announce()
            if ready is not None:
                ready()
            await self._start_web(serving, context)
            await stopping.wait()
            if self._journal is not None:
                self._journal.note("stopping", "clients are told, queues are written")
        if self._journal is not None:
            self._journal.note("stopped", self._management.node_name)
        return 0

    async def _start_parts(
        self, serving: contextlib.AsyncExitStack, stopping: asyncio.Event
    ) -> NodeContext:
        hooks = self._config.to_native().broker.hooks
        runtime = NodeRuntime(
            self.native,
            HookTable(),
            unanswered="allow" if hooks.unanswered_allows else "deny",
            deadline_s=hooks.deadline_ms / 1000,
            watchers=(self._journal.watch,) if self._journal else (),
        )
        serving.push_async_callback(runtime.close)
        context = self._context(runtime, stopping.set)
        sys_topics = self._sys_topics(context)
        runtime.open()
        serving.push_async_callback(sys_topics.close)
        topics = self._management.sys_topics
        sys_topics.open(
            msg_interval_s=topics.msg_interval_s, heartbeat_interval_s=topics.heartbeat_interval_s
        )
        return context
