"""Nodes, load and counters of `cluster.py`."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.members import Member, members, until_all_see
from harness.node import Node
from harness.waiting import until
from rookery.client.management import API, ManagementClient

ROOT = Path(__file__).resolve().parents[1]
JOIN_S = 120.0
Report = dict[str, Any]
_RUN = """
import json, sys
from rookery.native.bench import run_bench
def told(progress):
    if progress.phase == "measure":
        print(json.dumps(progress._asdict()), file=sys.stderr, flush=True)
    return True
print(json.dumps(run_bench(json.loads(sys.argv[1]), told)))
"""


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Where nodes of a run keep their data: on the disk, as nodes do."""
    with tempfile.TemporaryDirectory(prefix="rookery-cluster-") as name:
        yield Path(name)


@contextlib.contextmanager
def cluster(place: Path, count: int, **settings: str) -> Iterator[list[Member]]:
    """That many nodes that have joined and are in step."""
    with members(place, count, **settings) as found:
        first, *others = found
        for other in others:
            other.join(first)
        settle(found)
        yield found


def settle(found: Sequence[Member]) -> None:
    """Wait until all of a cluster see all, in step, with all lanes."""
    until_all_see(found, {member.name: "running" for member in found}, "all see all")
    for member in found:
        until(lambda member=member: _stands(member), "in step", within_s=JOIN_S)  # type: ignore[misc]


def _stands(member: Member) -> bool:
    state = member.ctl.json("cluster", "status").get("state")
    others = [row["lanes"] for row in rows(member) if row["node"] != member.name]
    return bool(state and state["in_step"]) and all(at and at["is_connected"] for at in others)


def rows(member: Member) -> list[dict[str, Any]]:
    """The members of the cluster, as one of them sees them."""
    found: list[dict[str, Any]] = rest(member.node).get("/cluster")["members"]
    return [{"lanes": None, **row} for row in found]


def routes(member: Member) -> dict[str, int]:
    """How many filters of each other node one knows."""
    return {row["node"]: row["lanes"]["routes"] for row in rows(member) if row["lanes"]}


def rest(node: Node) -> ManagementClient:
    """The management API of a node."""
    return ManagementClient(node.data_dir, timeout_s=30.0, prefix=API)


def tree(*roots: int) -> list[int]:
    """Processes and all that they started."""
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").iterdir():
            waiting += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """Processor time that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_bytes(pid: int) -> int:
    """Memory that a process has of its own, and its share of what it has with others."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in text if line.startswith("Pss:"))


def generate(config: dict[str, Any], count_cpu: Callable[[], float]) -> Report:
    """A run of the load generator; its report, with the processor time from its first to its last second.

    What is counted begins and ends with the generator's counting, not with its start.
    """
    run = subprocess.Popen(
        [sys.executable, "-c", _RUN, json.dumps(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
    )
    assert run.stderr is not None
    assert run.stdout is not None
    first: tuple[float, int] | None = None
    last = (0.0, 0)
    said: list[str] = []
    for line in run.stderr:
        if not line.startswith("{"):
            said.append(line)
            continue
        last = (count_cpu(), int(json.loads(line)["received"]))
        first = first or last
    text = run.stdout.read()
    if run.wait():
        raise SystemExit("".join(said))
    report: Report = json.loads(text)
    if first is None or last[1] <= first[1]:
        raise SystemExit("the generator received nothing while it counted")
    report["cluster_us_per_message"] = 1e6 * (last[0] - first[0]) / (last[1] - first[1])
    return report
