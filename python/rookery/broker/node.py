"""Opens one node and runs it: native core first, then everything that may take its time.

**Invariants.** What can refuse the start (data directory, a taken port) is done before anything is
announced, and what was done is undone when a later step refuses. Where nobody has to be asked about
clients they are accepted before the event loop, the management plane or a web framework is imported:
this module and what it imports is the way to the first connection. Where providers or services are
asked, clients wait until those can answer.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeAlias

from rookery.access import ADMINS_FILE, DATABASE_FILE
from rookery.broker.journal import Journal, Lines, logs_comings_and_goings
from rookery.clock import Clock, SystemClock
from rookery.config.data_dir import DataDir
from rookery.config.local_socket import socket_path
from rookery.native.config import AclRule, AclSource, Ban, BrokerConfig, NodeConfig
from rookery.native.node import Node
from rookery.observability.logs import LEVELS
from rookery.observability.queued_stream import QueuedStream
from rookery.storage.database_file import refuse_damaged
from rookery.web.process import open_as_many_files_as_allowed
from rookery.web.sockets import Port, address_of, open_http, open_unix

if TYPE_CHECKING:
    from rookery.broker.cluster.plan import Plan
    from rookery.config import Config, LogConfig
    from rookery.web.tls import ServerTls
    from rookery.words import Words

DECIDED_BY_CORE = frozenset({"file", "built_in_database"})
"""Sources of rules that are compiled before anybody connects."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
HTTP = "http:dashboard"
HTTPS = "https:dashboard"
LOCAL = "unix:management"
V3 = "http:management"
Ready: TypeAlias = Callable[[Sequence[str]], None]
_PURPOSES = {
    "tcp": "MQTT",
    "ssl": "MQTT over TLS",
    "ws": "MQTT over WebSocket",
    "wss": "MQTT over secure WebSocket",
}

_HTTP_PURPOSES = {
    HTTP: "dashboard and REST",
    HTTPS: "dashboard and REST over TLS",
    V3: "REST as in EMQX 3",
}


def run(
    config: Config,
    *,
    foreground: bool = True,
    ready: Ready | None = None,
    out: Lines | None = None,
    is_dated: bool = False,
) -> int:
    """Run a node until it is told to stop (SIGTERM, SIGINT, ``POST /stop``).

    Args:
        config: The checked configuration.
        foreground: Whether to print a line for every connect, disconnect and error.
        ready: Called when clients are accepted and the node can be told to stop, with a line for
            each listener that stays closed.
        out: Where the lines go; standard output.
        is_dated: Whether each line begins with the date too, as in a file.

    Returns:
        The exit code: 0 after a graceful stop.

    Raises:
        DataDirInUseError: a node runs in that data directory.
        NodeNameMismatchError: the data directory belongs to a node of another name.
        PortInUseError: a port is taken.
        StartError: something else cannot be opened. In all cases nothing is left open.
    """
    open_as_many_files_as_allowed()
    clock = SystemClock()
    journal = None
    with contextlib.ExitStack() as running:
        if foreground:
            if out is None:
                out = running.enter_context(QueuedStream(sys.stdout.fileno()))
                ready = _after_lines(out, ready)
            journal = Journal(out, clock, config.management.log.console, is_dated=is_dated)
        running.enter_context(_stop_signals_wait())
        node = running.enter_context(OpenNode(config, clock, journal))
        if not node.asks:
            node.announce()
        from rookery.broker.serving import serve  # noqa: PLC0415

        return serve(node, ready)


def _after_lines(lines: QueuedStream, ready: Ready | None) -> Ready | None:
    """``ready``, which may print, after the lines before it."""
    if ready is None:
        return None

    def call(closed: Sequence[str]) -> None:
        lines.drain(1.0)
        ready(closed)

    return call


class OpenNode:
    """Everything that a node holds open, from entering to leaving."""

    def __init__(self, config: Config, clock: Clock, journal: Journal | None) -> None:
        self.config = config
        self.clock = clock
        self.journal = journal
        self.started_at_ms = clock.now_ms()
        self._logs_clients = _has_debug_log(config.management.log)
        self.native: Node
        self.sockets: dict[str, socket.socket] = {}
        self.bans: tuple[Ban, ...] = ()
        self.built_in_rules: tuple[AclRule, ...] = ()
        self.sources: tuple[AclSource, ...] = ()
        # Hookpoints of plugins, and how long all of them together may take for an answer.
        self.plugin_hooks: tuple[frozenset[str], int] = (frozenset(), 0)
        self.https: ServerTls | None = None
        # What it needs for a cluster, or why it stays alone; none where nobody asked for one.
        self.cluster_plan: Plan | Words | None = None
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> Self:
        management = self.config.management
        with contextlib.ExitStack() as opened:
            data_dir = DataDir(management.data_dir, management.node_name)
            data_dir.open()
            opened.callback(data_dir.close)
            self._plan_cluster()
            for name, http in (
                (HTTP, management.http),
                (HTTPS, management.https),
                (V3, management.http_v3),
            ):
                if http is not None:
                    sock = open_http(http.host, http.port, name)
                    self.sockets[name] = opened.enter_context(sock)
            self._read_https()
            path = socket_path(management.data_dir)
            self.sockets[LOCAL] = opened.enter_context(open_unix(path))
            opened.callback(path.unlink, missing_ok=True)
            self.native = Node(self._native_config(), accepts=not self.asks)
            opened.callback(self.native.stop, 0.0)
            data_dir.bind_name()
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def asks(self) -> bool:
        """Whether clients have to wait for those who are asked about them; rules the core has itself.
        What came before a link is there would not cross it.
        """
        access = self.config.management.access
        return (
            bool(access.authentication)
            or any(item["type"] not in DECIDED_BY_CORE for item in access.sources)
            or self._has_rules
            or any(link["enable"] for link in self.config["cluster.links"])
        )

    @property
    def _has_rules(self) -> bool:
        """Rules send through connectors, which take a moment: what came before would pass them by."""
        rules = self.config["rule_engine.rules"]
        return any(rule["enable"] for rule in rules.values())

    def accept(self) -> None:
        """Let clients in, once those who are asked about them can answer."""
        if self.asks:
            self.native.accept()
            self.announce()

    def _native_config(self) -> NodeConfig:
        """The whole of it: nobody connects before rules and bans hold."""
        config = self.config.to_native()
        management = self.config.management
        broker = config.broker
        self._read_tables()
        if (self.config.data_dir / "plugins" / "state.json").exists():
            from rookery.broker.plugins.early import early_hooks  # noqa: PLC0415

            self.plugin_hooks = (early_hooks(self.config.data_dir), 0)
        if management.access.sources:
            from rookery.engine.rules import compile_sources  # noqa: PLC0415

            self.sources = compile_sources(management.access.sources, self.built_in_rules)
            authorization = replace(broker.authorization, sources=self.sources)
            broker = replace(broker, authorization=authorization)
        return replace(config, broker=self.adapt(replace(broker, bans=self.bans)))

    def _read_tables(self) -> None:
        """Bans and rules of the data directory; a node that has none pays nothing for them."""
        data_dir = self.config.data_dir
        # Of the users of the dashboard nothing is needed yet: this is only told while it can refuse.
        refuse_damaged(data_dir / ADMINS_FILE)
        if (data_dir / DATABASE_FILE).exists():
            from rookery.engine.stores import read_tables  # noqa: PLC0415

            self.bans, self.built_in_rules = read_tables(data_dir, self.clock)

    def _plan_cluster(self) -> None:
        """A node that is in no cluster imports nothing of it."""
        known = self.config.data_dir / "cluster" / "node.json"
        if self.config.management.cluster.cookie is not None or known.exists():
            from rookery.broker.cluster.plan import plan_cluster  # noqa: PLC0415

            self.cluster_plan = plan_cluster(self.config, self.clock.now_ms())

    def _read_https(self) -> None:
        """A certificate that cannot be used refuses the start; a node without pays nothing."""
        https = self.config.management.https
        if https is not None and https.tls is not None:
            from rookery.web.tls import ServerTls  # noqa: PLC0415

            self.https = ServerTls(https.tls)

    def adapt(self, broker: BrokerConfig) -> BrokerConfig:
        """What this process changes in every configuration."""
        # Every connect becomes a Python object only where somebody looks at it.
        hooks = replace(broker.hooks, client_events=self._is_watched)
        wanted, deadline_ms = self.plugin_hooks
        if wanted:
            from rookery.broker.plugins.switches import switches  # noqa: PLC0415

            hooks = switches(hooks, wanted, deadline_ms)
        return replace(broker, hooks=hooks)

    @property
    def _is_watched(self) -> bool:
        is_shown = self.journal is not None and self.journal.is_shown
        return is_shown or self._logs_clients

    def use_log(self, log: LogConfig) -> None:
        """Print as it says, and have the core tell who connects where that is written."""
        was_watched = self._is_watched
        if self.journal is not None:
            self.journal.use(log.console)
        self._logs_clients = logs_comings_and_goings()
        if self._is_watched != was_watched:
            self._set_hooks()

    def _set_hooks(self) -> None:
        self.native.set_hooks(self.adapt(self.config.to_native().broker).hooks)

    def ports(self) -> list[Port]:
        """Every socket that the node listens on."""
        ports = [
            Port(listener.id, listener.address, _PURPOSES[listener.id.partition(":")[0]])
            for listener in self.native.listeners()
            if not listener.error
        ]
        for name, purpose in _HTTP_PURPOSES.items():
            if name in self.sockets:
                ports.append(Port(name, address_of(self.sockets[name]), purpose))
        path = socket_path(self.config.management.data_dir)
        return [*ports, Port(LOCAL, str(path), "HTTP: management of this node")]

    def closed(self) -> list[str]:
        """Why listeners that should be open are not, one line each."""
        return [listener.error for listener in self.native.listeners() if listener.error]

    def announce(self) -> None:
        """Say what stands, and what the last run left behind."""
        for port in self.ports():
            self.note("listening", f"on {port.address} for {port.purpose} ({port.listener})")
        for line in self.closed():
            self.note("not listening", line)
        found = self.native.recovery()
        if found.sessions or found.retained or found.messages:
            self.note(
                "recovered",
                f"{found.sessions} sessions, {found.retained} retained messages, "
                f"{found.messages} queued messages in {found.elapsed_s:.2f} s",
            )
        for line in found.problems:
            self.note("damaged", line)

    def note(self, kind: str, text: str) -> None:
        """Print a line about the node itself."""
        if self.journal is not None:
            self.journal.note(kind, text)


def _has_debug_log(log: LogConfig) -> bool:
    """What the log will take once it is open: clients may come before."""
    levels = (handler.level for handler in (log.console, log.file) if handler.enable)
    return any(LEVELS.get(level, logging.DEBUG) <= logging.DEBUG for level in levels)


@contextlib.contextmanager
def _stop_signals_wait() -> Iterator[None]:
    """Keep signals back until the event loop takes them: none may end the node halfway.

    The node's threads inherit that they do not take signals.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
