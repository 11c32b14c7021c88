"""The lanes between two nodes over TCP, and the same bytes carried by NATS: which is cheaper?

Both ways the nodes are the same. Over NATS a bridge of this program takes what a node writes to its lane and
publishes it, piece for piece as it was written, at the NATS server of that node's machine; the server of the
other machine hands it on. What the bridge itself uses is **not** counted, for a node would be the client of NATS
itself: the figure of NATS is the nodes and the two servers, a lower bound.
"""

from __future__ import annotations

import contextlib
import socket
import statistics
import subprocess
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from cluster_cost import LOADS, PACED, pairs
from cluster_nodes import cpu_s, folder, generate

from harness.cluster import ClusterNode, running
from harness.node import HOST
from harness.ports import free_port
from harness.waiting import until
from rookery.broker.cluster.nats_server import find_server

PIECE_BYTES = 65_536
CELLS = ("local of two", "TCP lanes", "NATS lanes")
_PING, _MSG = b"PING", b"MSG"


class Nats:
    """A client of a NATS server that publishes to one subject and reads another."""

    def __init__(self, port: int, writes: str, reads: str) -> None:
        self._socket = socket.create_connection((HOST, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("rb")
        self._lock = threading.Lock()
        self._subject = writes.encode()
        self._write(b'CONNECT {"verbose":false}\r\nSUB %s 1\r\nPING\r\n' % reads.encode())
        while not self._lines.readline().startswith(b"PONG"):
            pass

    def publish(self, piece: bytes) -> None:
        self._write(b"PUB %s %d\r\n%s\r\n" % (self._subject, len(piece), piece))

    def pieces(self) -> Iterator[bytes]:
        while line := self._lines.readline():
            if line.startswith(_PING):
                self._write(b"PONG\r\n")
            elif line.startswith(_MSG):
                length = int(line.split()[-1])
                yield self._lines.read(length + 2)[:length]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _write(self, data: bytes) -> None:
        with self._lock:
            self._socket.sendall(data)


class Bridge:
    """Where a node finds the lanes of another one: what it writes there goes through NATS."""

    _numbers = count()

    def __init__(self, near: int, far: int, lanes: int) -> None:
        self._near, self._far, self._lanes = near, far, lanes
        self._open: list[Any] = []
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            name = f"lane.{next(self._numbers)}"
            theirs = socket.create_connection((HOST, self._lanes))
            for end in (ours, theirs):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Both ends listen before the first byte goes.
            there = Nats(self._far, f"{name}.back", f"{name}.forth")
            here = Nats(self._near, f"{name}.forth", f"{name}.back")
            self._open += [ours, theirs, here, there]
            heard = [threading.Event(), threading.Event()]
            for end, nats, hears in ((ours, here, heard[0]), (theirs, there, heard[1])):
                _begin(_down, nats, end, hears)
            # Who subscribes at one server is known to the other one a moment later.
            while not all(hears.wait(0.01) for hears in heard):
                here.publish(b"")
                there.publish(b"")
            for end, nats in ((ours, here), (theirs, there)):
                _begin(_up, end, nats)


def _begin(does: Callable[..., None], *with_: object) -> None:
    threading.Thread(target=does, args=with_, daemon=True).start()


def _up(end: socket.socket, nats: Nats) -> None:
    with contextlib.suppress(OSError):
        while piece := end.recv(PIECE_BYTES):
            nats.publish(piece)
    nats.close()


def _down(nats: Nats, end: socket.socket, hears: threading.Event) -> None:
    with contextlib.suppress(OSError, ValueError):
        for piece in nats.pieces():
            hears.set()
            end.sendall(piece)
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _servers(place: Path) -> Iterator[tuple[list[int], list[int]]]:
    """Two NATS servers with a route between them; their ports and processes."""
    ports, clusters = ([free_port() for _ in range(2)] for _ in range(2))
    found = []
    for at in range(2):
        arguments = ["-a", HOST, "-p", str(ports[at]), "-n", f"n{at}"]
        arguments += ["--cluster_name", "lanes", "--cluster", f"nats://{HOST}:{clusters[at]}"]
        arguments += ["--routes", f"nats://{HOST}:{clusters[1 - at]}"]
        log = place / f"nats{at}.log"
        found.append(subprocess.Popen([str(find_server(None)), *arguments, "-l", str(log)]))
    try:
        until(
            lambda: all(
                (place / f"nats{at}.log").is_file()
                and "Route connection created" in (place / f"nats{at}.log").read_text()
                for at in range(2)
            ),
            "the NATS servers have a route",
        )
        yield ports, [process.pid for process in found]
    finally:
        for process in found:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def _introduced(nodes: list[ClusterNode], nats: list[int]) -> Iterator[None]:
    """Each is told where the other is: itself, or a bridge before it."""
    a, b = nodes
    bridges = []
    if nats:
        bridges = [Bridge(nats[0], nats[1], b.lanes), Bridge(nats[1], nats[0], a.lanes)]
    a.ask(peers=[b.peer(bridges[0].port if bridges else None)])
    b.ask(peers=[a.peer(bridges[1].port if bridges else None)])
    try:
        for node, other in ((a, b), (b, a)):
            until(lambda node=node, other=other: node.status(other)["is_connected"], "lanes")  # type: ignore[misc]
        yield
    finally:
        for bridge in bridges:
            bridge.close()


def _once(cell: str, seconds: float, rate: float) -> dict[str, float]:
    with contextlib.ExitStack() as open_:
        nodes = [ClusterNode(f"n{at}@bench", workers=1) for at in range(2)]
        open_.enter_context(running(*nodes))
        ports: list[int] = []
        servers: list[int] = []
        if cell == "NATS lanes":
            ports, servers = open_.enter_context(_servers(open_.enter_context(folder())))
        open_.enter_context(_introduced(nodes, ports))
        used = {"nodes": [node.pid for node in nodes], "servers": servers}
        at: dict[str, list[float]] = {role: [] for role in used}

        def count_cpu() -> float:
            for role, pids in used.items():
                at[role].append(cpu_s(pids))
            return at["nodes"][-1] + at["servers"][-1]

        load = {**LOADS[PACED], "rate": rate}
        listeners = [node.port for node in nodes[: 1 if cell == CELLS[0] else 2]]
        report = generate(pairs(listeners, load, seconds), count_cpu)
        all_us = report["cluster_us_per_message"]
        spent = {role: values[-1] - values[0] for role, values in at.items()}
        share = spent["servers"] / max(1e-9, spent["nodes"] + spent["servers"])
        return {
            "us_per_message": all_us,
            "us_nodes": all_us * (1 - share),
            "us_servers": all_us * share,
            "p99_us": report["latency_us"]["p99"],
            "lost": float(report["lost"]),
        }


def measure(seconds: float, runs: int, rate: float = 5000.0) -> dict[str, Any]:
    """Each cell in turn, under the paced load."""
    cells: dict[str, list[dict[str, float]]] = {cell: [] for cell in CELLS}
    for _ in range(runs):
        for cell in CELLS:
            cells[cell].append(_once(cell, seconds, rate))
    medians = {
        cell: {key: statistics.median(run[key] for run in done) for key in done[0]}
        for cell, done in cells.items()
    }
    publishers = LOADS[PACED]["publishers"]
    for cell, median in medians.items():
        print(
            f"{PACED.split(',')[0]}, {rate:,.0f} a second, {publishers} pairs, {cell}: "
            f"{median['us_per_message']:.2f} us a message (nodes {median['us_nodes']:.2f}, "
            f"NATS servers {median['us_servers']:.2f}), lost {median['lost']:.0f}",
            flush=True,
        )
    cheaper = min(CELLS[1:], key=lambda cell: medians[cell]["us_per_message"])
    print(f"  cheaper: {cheaper}")
    return {"runs": cells, "medians": medians, "cheaper": cheaper}
