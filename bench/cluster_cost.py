"""What a message costs that crosses from one node to another, and how long that takes."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cluster_nodes import cluster, cpu_s, folder, generate, tree

from harness.node import Node

# An odd number of pairs: with two addresses in turn each publisher is where its subscriber is not.
# A hundred keep both nodes busy, as in the rows of the broker's table; with few of them they wait for each other.
PACED = "QoS 1, 5,000 a second"
LOADS: dict[str, dict[str, Any]] = {
    "QoS 0, window 16": {"qos": 0, "window": 16, "publishers": 101},
    "QoS 1, window 16": {"qos": 1, "window": 16, "publishers": 101},
    PACED: {"qos": 1, "rate": 5000.0, "publishers": 15},
}
CELLS = ("alone", "local of two", "across two")
ACROSS_MAX, LOCAL_MAX, ADDED_P99_MAX_US = 3.0, 1.15, 3000.0
ONE_WORKER = {"node.workers": "1"}


def pairs(ports: list[int], load: dict[str, Any], seconds: float) -> dict[str, Any]:
    """What the generator is told."""
    return {
        "mode": "pairs",
        "addresses": [f"127.0.0.1:{port}" for port in ports],
        "payload_bytes": 64,
        "warm_up_s": 1.0,
        "duration_s": seconds,
        **load,
    }


@contextlib.contextmanager
def _nodes(cell: str, place: Path) -> Iterator[list[Node]]:
    if cell == "alone":
        node = Node(place, ONE_WORKER)
        node.start()
        try:
            yield [node]
        finally:
            node.stop()
        return
    with cluster(place, 2, **ONE_WORKER) as found:
        yield [member.node for member in found]


def _once(cell: str, load: dict[str, Any], seconds: float) -> dict[str, float]:
    """One run on fresh nodes; their NATS servers are counted with them."""
    with folder() as place, _nodes(cell, place) as nodes:
        ports = [node.port for node in nodes[: 2 if cell == "across two" else 1]]
        pids = tree(*(node.pid for node in nodes))
        report = generate(pairs(ports, load, seconds), lambda: cpu_s(pids))
        return {
            "us_per_message": report["cluster_us_per_message"],
            "per_s": report["received_per_s"],
            "p50_us": report["latency_us"]["p50"],
            "p99_us": report["latency_us"]["p99"],
            "lag_p99_us": report["lag_us"]["p99"],
            "lost": float(report["lost"]),
            "disconnects": float(report["disconnects"]),
        }


def _median(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def measure(seconds: float, runs: int) -> dict[str, Any]:
    """All loads; each cell in turn."""
    found: dict[str, Any] = {}
    for name, load in LOADS.items():
        cells: dict[str, list[dict[str, float]]] = {cell: [] for cell in CELLS}
        for _ in range(runs):
            for cell in CELLS:
                cells[cell].append(_once(cell, load, seconds))
        medians = {cell: _median(done) for cell, done in cells.items()}
        found[name] = {"runs": cells, "medians": medians, "bounds": _bounds(name, medians)}
        for cell, median in medians.items():
            print(
                f"{name}, {cell}: {median['us_per_message']:.2f} us a message, {median['per_s']:,.0f}/s, "
                f"p50 {median['p50_us']:,.0f} us, p99 {median['p99_us']:,.0f} us",
                flush=True,
            )
        for line in found[name]["bounds"]:
            print(f"  {line}", flush=True)
    return found


def _bounds(name: str, medians: dict[str, dict[str, float]]) -> list[str]:
    alone, local, across = (medians[cell] for cell in CELLS)
    ratio = {
        which: cell["us_per_message"] / alone["us_per_message"]
        for which, cell in (("local", local), ("across", across))
    }
    lines = [_bound("local of two / alone", ratio["local"], LOCAL_MAX)]
    if name != PACED:
        return [*lines, _bound("across two / alone", ratio["across"], ACROSS_MAX)]
    added_us = across["p99_us"] - local["p99_us"]
    return [*lines, _bound("added p99, us", added_us, ADDED_P99_MAX_US)]


def _bound(what: str, value: float, limit: float) -> str:
    return f"{what}: {value:,.3g} (<= {limit:g}) {'holds' if value <= limit else 'FAILS'}"
