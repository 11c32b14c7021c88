"""What a message costs that crosses from one node of a cluster to another.

    python bench/cluster.py [--seconds 4] [--runs 3] [--out FILE]

Three cells in turn under the same load: one node that is alone; the same load on one node of two; and
every message published on one node for a subscriber of the other. What is counted is the processor time
of all nodes per delivered message, and in the paced load the latency that the way adds. One worker each.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "python")]

from hooks import cpu_s  # noqa: E402

from harness.cluster import ClusterNode, introduce, running  # noqa: E402

# An odd number of pairs: with two addresses in turn each publisher is where its subscriber is not.
PAIRS = 15
LOADS: dict[str, dict[str, Any]] = {
    "QoS 0, window 16": {"qos": 0, "window": 16},
    "QoS 1, window 16": {"qos": 1, "window": 16},
    "QoS 1, 5,000 a second": {"qos": 1, "rate": 5000.0},
}
CELLS = ("alone", "local of two", "across two")
_RUN = """
import json, sys
from rookery.native.bench import run_bench
print(json.dumps(run_bench(json.loads(sys.argv[1]), lambda progress: True)))
"""


def generate(ports: list[int], load: dict[str, Any], seconds: float) -> dict[str, Any]:
    """A run of the load generator; its report."""
    config = {
        "mode": "pairs",
        "addresses": [f"127.0.0.1:{port}" for port in ports],
        "publishers": PAIRS,
        "subscribers": PAIRS,
        "payload_bytes": 64,
        "warm_up_s": 1.0,
        "duration_s": seconds,
        **load,
    }
    command = [sys.executable, "-c", _RUN, json.dumps(config)]
    environment = {"PYTHONPATH": str(ROOT / "python")}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if run.returncode:
        raise SystemExit(run.stderr or run.stdout)
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def measure(cell: str, load: dict[str, Any], seconds: float) -> dict[str, float]:
    """One run on fresh nodes."""
    count = 1 if cell == "alone" else 2
    nodes = [ClusterNode(f"n{at}@bench", workers=1) for at in range(count)]
    with running(*nodes):
        introduce(*nodes)
        ports = [node.port for node in nodes[: 2 if cell == "across two" else 1]]
        before = cpu_s(node.pid for node in nodes)
        report = generate(ports, load, seconds)
        used = cpu_s(node.pid for node in nodes) - before
        received = sum(node.ask(metrics=True)["messages.sent"] for node in nodes)
        return {
            "us_per_message": 1e6 * used / max(1, received),
            "per_s": report["received_per_s"],
            "p50_us": report["latency_us"]["p50"],
            "p99_us": report["latency_us"]["p99"],
            "lost": float(report.get("lost", 0)),
        }


def main() -> int:
    """Measure; the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=4)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    for name, load in LOADS.items():
        cells = found[name] = {cell: [] for cell in CELLS}
        for _ in range(given.runs):
            for cell in CELLS:
                cells[cell].append(measure(cell, load, given.seconds))
        alone = statistics.median(run["us_per_message"] for run in cells["alone"])
        for cell, runs in cells.items():
            median = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            ratio = median["us_per_message"] / alone
            print(
                f"{name}, {cell}: {median['us_per_message']:.2f} us a message ({ratio:.2f}), "
                f"{median['per_s']:,.0f}/s, p50 {median['p50_us']:,.0f} us, "
                f"p99 {median['p99_us']:,.0f} us"
            )
    if given.out:
        given.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
