"""Nodes of a cluster, each a process, that are told by hand who the others are."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from harness.client import RawClient
from harness.node import HOST, ROOT, fresh_name
from harness.packets import Connect
from harness.waiting import until
from harness.wire import Properties

SECRET = "a secret of the cluster"


class ClusterNode:
    """One node."""

    def __init__(
        self,
        name: str,
        *,
        store: Path | None = None,
        secret: str = SECRET,
        workers: int = 2,
        retainer: dict[str, object] | None = None,
        takeover_s: float = 3.0,
        strategy: str = "round_robin",
    ) -> None:
        self.name = name
        self.incarnation = 0
        self._told = {
            "name": name,
            "store": str(store) if store else None,
            "secret": secret,
            "workers": workers,
            "retainer": retainer or {},
            "takeover_s": takeover_s,
            "strategy": strategy,
        }
        self.start()

    def start(self) -> None:
        """Start the process, for the first time or again."""
        self.incarnation += 1
        path = os.pathsep.join((str(ROOT / "python"), str(ROOT / "tests")))
        told = json.dumps({**self._told, "incarnation": self.incarnation})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.cluster_process", told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        try:
            ports = self._heard()
        except BaseException:
            self.kill9()
            raise
        self.port, self.lanes = ports["mqtt"], ports["lanes"]

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"{self.name} ended"
        return json.loads(line)

    def ask(self, **order: object) -> Any:
        """An order and its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._heard()

    def peer(self, port: int | None = None) -> dict[str, object]:
        """How another node is told of this one, directly or through a proxy."""
        address = f"{HOST}:{self.lanes if port is None else port}"
        return {"name": self.name, "incarnation": self.incarnation, "address": address}

    def metric(self, name: str) -> int:
        """One of its counters or gauges."""
        found: dict[str, int] = self.ask(metrics=True)
        return found[name]

    def clients(self) -> dict[str, bool]:
        """Whose sessions it has, and whether they are connected."""
        found: dict[str, bool] = self.ask(clients=True)
        return found

    def status(self, of: ClusterNode) -> dict[str, Any]:
        """How it stands with another node."""
        statuses = {status["name"]: status for status in self.ask(status=True)}
        found: dict[str, Any] = statuses[of.name]
        return found

    def retained(self) -> dict[str, str]:
        """Topics and what is retained for them."""
        found: dict[str, str] = self.ask(retained=True)
        return found

    def connect(
        self, client_id: str | None = None, *, clean_start: bool = True, **properties: Any
    ) -> RawClient:
        """An MQTT 5 client of this node."""
        client = RawClient(HOST, self.port, 5)
        given: Properties = {**properties}
        packet = Connect(client_id or fresh_name("c"), clean_start, 60, None, properties=given)
        client.connect(packet)
        return client

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def kill9(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def stop(self) -> None:
        """End it; may be called after a crash."""
        if self._process.poll() is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def introduce(*nodes: ClusterNode) -> None:
    """Tell each node of all others and wait until all lanes stand."""
    for node in nodes:
        node.ask(peers=[other.peer() for other in nodes if other is not node])
    for node in nodes:
        for other in nodes:
            if other is not node:
                until(lambda a=node, b=other: a.status(b)["is_connected"], "lanes")  # type: ignore[misc]


def await_retained(wanted: dict[str, str], *at: ClusterNode) -> None:
    """Wait until nodes retain that, and nothing else."""
    for node in at:
        until(lambda a=node: a.retained() == wanted, "retained messages", shows=node.retained)  # type: ignore[misc]


def await_routes(of: ClusterNode, count: int, *at: ClusterNode) -> None:
    """Wait until nodes know that another one has so many routes."""
    for node in at:
        until(lambda a=node: a.status(of)["routes"] == count, f"{count} routes")  # type: ignore[misc]


class Proxy:
    """Between two nodes: forwards, until it is told otherwise."""

    def __init__(self, port: int) -> None:
        self._to = (HOST, port)
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = False
        self._flows = threading.Event()
        self._flows.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._flows.set()
        self.cut()

    def cut(self) -> None:
        """End all connections and take no new ones."""
        with self._lock:
            self._is_cut = True
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def heal(self) -> None:
        """Take connections again, and let bytes pass."""
        with self._lock:
            self._is_cut = False
        self._flows.set()

    def freeze(self) -> None:
        """Let nothing pass, while connections stand."""
        self._flows.clear()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._is_cut:
                    ours.close()
                    continue
                theirs = socket.create_connection(self._to)
                self._open |= {ours, theirs}
            for source, sink in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self._flows.wait()
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open.discard(source)
        source.close()


@contextlib.contextmanager
def running(*nodes: ClusterNode) -> Iterator[None]:
    """End them at the end, whatever happened."""
    try:
        yield
    finally:
        for node in nodes:
            node.stop()
