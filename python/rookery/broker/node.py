"""Opens one node and runs it: native core first, then everything that may take its time.

**Invariants.** What can refuse the start (data directory, a taken port) is done before anything is
announced, and what was done is undone when a later step refuses. Clients are accepted before the
event loop, the management plane or a web framework is imported: this module and what it imports is
the way to the first connection.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from rookery.access import DATABASE_FILE
from rookery.broker.data_dir import DataDir
from rookery.broker.journal import Journal, Lines
from rookery.broker.management.sockets import Port, address_of, open_http, open_unix
from rookery.client.local_socket import socket_path
from rookery.clock import Clock, SystemClock
from rookery.native.config import AclRule, AclSource, Ban, BrokerConfig, NodeConfig
from rookery.native.node import Node

if TYPE_CHECKING:
    from rookery.config import Config

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
HTTP = "http:dashboard"
LOCAL = "unix:management"
_PURPOSES = {
    "tcp": "MQTT",
    "ssl": "MQTT over TLS",
    "ws": "MQTT over WebSocket",
    "wss": "MQTT over secure WebSocket",
}


def run(
    config: Config,
    *,
    foreground: bool = True,
    ready: Callable[[], None] | None = None,
    out: Lines | None = None,
    is_dated: bool = False,
) -> int:
    """Run a node until it is told to stop (SIGTERM, SIGINT, ``POST /stop``).

    Args:
        config: The checked configuration.
        foreground: Whether to print a line for every connect, disconnect and error.
        ready: Called when clients are accepted and the node can be told to stop.
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
    clock = SystemClock()
    journal = None
    if foreground:
        shows_log = not config.management.log.console.enable  # else each line came twice
        journal = Journal(out or sys.stdout, clock, shows_log=shows_log, is_dated=is_dated)
    with _stop_signals_wait(), OpenNode(config, clock, journal) as node:
        node.announce()
        from rookery.broker.serving import serve  # noqa: PLC0415

        return serve(node, ready)


class OpenNode:
    """Everything that a node holds open, from entering to leaving."""

    def __init__(self, config: Config, clock: Clock, journal: Journal | None) -> None:
        self.config = config
        self.clock = clock
        self.journal = journal
        self.started_at_ms = clock.now_ms()
        self.native: Node
        self.sockets: dict[str, socket.socket] = {}
        self.bans: tuple[Ban, ...] = ()
        self.built_in_rules: tuple[AclRule, ...] = ()
        self.sources: tuple[AclSource, ...] = ()
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> Self:
        management = self.config.management
        with contextlib.ExitStack() as opened:
            data_dir = DataDir(management.data_dir, management.node_name)
            data_dir.open()
            opened.callback(data_dir.close)
            if management.http is not None:
                http = open_http(management.http.host, management.http.port)
                self.sockets[HTTP] = opened.enter_context(http)
            path = socket_path(management.data_dir)
            self.sockets[LOCAL] = opened.enter_context(open_unix(path))
            opened.callback(path.unlink, missing_ok=True)
            self.native = Node(self._native_config())
            opened.callback(self.native.stop, 0.0)
            data_dir.bind_name()
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _native_config(self) -> NodeConfig:
        """The whole of it: nobody connects before rules and bans hold."""
        config = self.config.to_native()
        management = self.config.management
        broker = config.broker
        self._read_tables()
        if management.access.sources:
            from rookery.engine.rules import compile_sources  # noqa: PLC0415

            self.sources = compile_sources(management.access.sources, self.built_in_rules)
            authorization = replace(broker.authorization, sources=self.sources)
            broker = replace(broker, authorization=authorization)
        return replace(config, broker=self.adapt(replace(broker, bans=self.bans)))

    def _read_tables(self) -> None:
        """Bans and rules of the data directory; a node that has none pays nothing for them."""
        data_dir = self.config.data_dir
        if (data_dir / DATABASE_FILE).exists():
            from rookery.engine.stores import read_tables  # noqa: PLC0415

            self.bans, self.built_in_rules = read_tables(data_dir, self.clock)

    def adapt(self, broker: BrokerConfig) -> BrokerConfig:
        """What this process changes in every configuration."""
        # Every connect becomes a Python object only where somebody looks at it.
        return replace(broker, hooks=replace(broker.hooks, client_events=self.journal is not None))

    def ports(self) -> list[Port]:
        """Every socket that the node listens on."""
        ports = [
            Port(listener.id, listener.address, _PURPOSES[listener.id.partition(":")[0]])
            for listener in self.native.listeners()
            if not listener.error
        ]
        if HTTP in self.sockets:
            ports.append(Port(HTTP, address_of(self.sockets[HTTP]), "HTTP: GET /status"))
        path = socket_path(self.config.management.data_dir)
        return [*ports, Port(LOCAL, str(path), "HTTP: management of this node")]

    def announce(self) -> None:
        """Say what stands, and what the last run left behind."""
        for port in self.ports():
            self.note("listening", f"on {port.address} for {port.purpose} ({port.listener})")
        for listener in self.native.listeners():
            if listener.error:
                self.note("not listening", listener.error)
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
