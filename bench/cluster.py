"""What a cluster costs, and what its clients notice.

    python bench/cluster.py cost            [--seconds 4] [--runs 3]
    python bench/cluster.py lanes           [--seconds 4] [--runs 3]
    python bench/cluster.py subscriptions   [--total 1000000] [--expiry 0]
    python bench/cluster.py death           [--rounds 10] [--seed 1]
    python bench/cluster.py joining
    python bench/cluster.py all

`cost`: one node that is alone, the same load on one node of two, and every message published on one node for a
subscriber of the other, in turn; the processor time of all processes (nodes and their NATS servers) for each
delivered message, and the latency under the paced load. `lanes`: what lies between two nodes over TCP and over NATS.
`subscriptions`: a third on each of three nodes, joining, coming back after a crash, memory. `death`: kill -9 of
one of three nodes under load. `joining`: a third node behind a running HAProxy. Each part writes `--out DIRECTORY/cluster-PART.json` where that is given.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "python")]

import cluster_cost  # noqa: E402
import cluster_death  # noqa: E402
import cluster_joining  # noqa: E402
import cluster_lanes  # noqa: E402
import cluster_subscriptions  # noqa: E402

PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "cost": lambda given: cluster_cost.measure(given.seconds, given.runs),
    "lanes": lambda given: cluster_lanes.measure(given.seconds, given.runs, given.rate),
    "subscriptions": lambda given: cluster_subscriptions.measure(
        given.total, expiry_s=given.expiry
    ),
    "joining": lambda _: cluster_joining.measure(),
    "death": lambda given: cluster_death.measure(given.rounds, given.seed),
}


def _commit() -> str:
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=8"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def main() -> int:
    """Measure; the exit code."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("part", nargs="?", choices=[*PARTS, "all"], default="cost")
    arguments.add_argument("--seconds", type=float, default=4, help="of one run")
    arguments.add_argument("--runs", type=int, default=3, help="of each cell")
    arguments.add_argument("--rate", type=float, default=5000.0, help="messages a second of lanes")
    arguments.add_argument("--total", type=int, default=1_000_000, help="subscriptions")
    arguments.add_argument("--expiry", type=int, default=0, help="of their sessions, in seconds")
    arguments.add_argument("--rounds", type=int, default=10, help="deaths")
    arguments.add_argument("--seed", type=int, default=1, help="who dies")
    arguments.add_argument("--out", type=Path, help="directory for the raw results")
    given = arguments.parse_args()
    for part, measure in PARTS.items():
        if given.part not in (part, "all"):
            continue
        found = {
            "commit": _commit(),
            "cores": os.cpu_count(),
            "kernel": platform.release(),
            part: measure(given),
        }
        if given.out:
            given.out.mkdir(parents=True, exist_ok=True)
            text = json.dumps(found, indent=2) + "\n"
            (given.out / f"cluster-{part}.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
