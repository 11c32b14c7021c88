"""A control process with many edge services: CPU and memory of each, and how long a call through the tunnel takes.

    python3 bench/control_edges.py                        1,000 edge services, about 3 minutes
    python3 bench/control_edges.py --edges 50 --seconds 10    a try
    python3 bench/control_edges.py --edges 10000          as many as one control is made for, about 12 minutes

One control plane (the shipped command). Other processes, one for each 2,500, play the agents with the real protocol: each
asks for a name, connects by TCP, reports every 15 s and answers what it is asked. All are adopted into one project, 200 at a
time. Then nobody looks, and control's CPU, the relay's threads included, is divided by the reports; then calls go through the
tunnel to one edge service after the other, while all report. What a call costs is what control used more than in silence.

The rules: all are adopted and online, none late, no call fails, and p95 of a call is below 100 ms while 1,000 report; with
more it is shown. Names are given at 50 a second, by design: so long do 10,000 need at least 190 s. Written to `results/`, as
JSON.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import resource
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from control import BENCH, figures, say, write
from control_plane import ControlPlane, Loads, Project
from edge_delivery import adopt

CALL_MS_MAX = 100.0
CALL_EDGES_MAX = 1000
"""So many report while that holds."""
PROCESS_EDGES_MAX = 2500
NAMES_PER_S, ADOPTIONS_PER_S = 20.0, 10.0
"""At least, on a machine that has other things to do: what is slower is given up."""
AT_ONCE = 8
LATE_MS = 5_000


def main() -> int:
    options = _options()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="rookery-bench-") as folder:
        control = ControlPlane(Path(folder), options.rookery, options.database, "tcp")
        control.start()
        load = Loads()
        try:
            found = _measure(control, load, options)
        finally:
            load.stop()
            control.stop()
    write(found, options.out, f"control-edges-{options.edges}")
    return 0 if found["holds"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each part")
    parser.add_argument("--interval", type=int, default=15, help="seconds between reports")
    parser.add_argument("--database", default="", help="address of a PostgreSQL; else SQLite")
    parser.add_argument("--rookery", default=f"{BENCH.parent}/.venv/bin/rookery")
    parser.add_argument("--out", type=Path, default=BENCH / "results")
    return parser.parse_args()


def _measure(control: ControlPlane, load: Loads, options: argparse.Namespace) -> dict[str, Any]:
    # What else the machine had to do: a busy one says little of how long calls take.
    load_before = round(os.getloadavg()[0], 2)
    project = control.make_project(0, options.interval)
    empty_bytes = control.memory_bytes()
    say(f"{options.edges} edge services ask for names …")
    began_s = time.monotonic()
    wanted = {
        "edges": options.edges,
        "port": control.relay_port,
        "workS": 0,
        "intervalS": options.interval,
    }
    load.start(wanted, -(-options.edges // PROCESS_EDGES_MAX), "edge_load.py")
    most_s = 120 + options.edges / NAMES_PER_S
    load.until("enrolled", options.edges, most_s)
    enrolled_s = time.monotonic() - began_s
    load.until("connected", options.edges, most_s)
    joined_s = time.monotonic() - began_s
    began_s = time.monotonic()
    adopt(project, options.edges)
    adopted_s = time.monotonic() - began_s
    services = [row["id"] for row in rows_of(project)]
    say(
        f"  named in {enrolled_s:.1f} s, connected in {joined_s:.1f} s, adopted in {adopted_s:.1f} s"
    )
    load.wait(options.interval + 2)
    quiet = _quiet(control, load, options)
    calls = _calls(control, load, project, services, quiet, options)
    full_bytes = control.memory_bytes()
    rows = rows_of(project)
    late_ms = options.interval * 1000 + LATE_MS
    well = [r for r in rows if r["state"] == "running" and (r["reportAgeMs"] or 0) <= late_ms]
    is_bound = options.edges <= CALL_EDGES_MAX
    holds = len(well) == options.edges and all(
        not one["failed"] and (one["p95Ms"] <= CALL_MS_MAX or not is_bound)
        for one in calls.values()
    )
    found = {
        "loadBefore": load_before,
        "edges": options.edges,
        "intervalS": options.interval,
        "database": "postgresql" if options.database else "sqlite",
        "namesPerS": round(options.edges / enrolled_s, 1),
        "joinedS": round(joined_s, 1),
        "adoptionsPerS": round(options.edges / adopted_s, 1),
        "quiet": quiet,
        "calls": calls,
        "memoryMB": round(full_bytes / 1e6, 1),
        "memoryKBPerEdge": round((full_bytes - empty_bytes) / options.edges / 1e3, 1),
        "online": len(well),
        "holds": holds,
    }
    say(f"  {found['memoryMB']} MB, {found['memoryKBPerEdge']} KB each; {len(well)} well")
    return found


def _quiet(control: ControlPlane, load: Loads, options: argparse.Namespace) -> dict[str, Any]:
    """Nobody looks."""
    say(f"{options.seconds:.0f} s of reports …")
    cpu, before = control.cpu_s(), load.last
    load.wait(options.seconds)
    cpu, after = control.cpu_s() - cpu, load.last
    reports = after["reports"] - before["reports"]
    took_s = after["at"] - before["at"]
    found = {
        "reportsPerS": round(reports / took_s, 1),
        "cpuShareOfOneCore": round(cpu / took_s, 4),
        "cpuMsPerReport": round(1000 * cpu / max(1, reports), 3),
        "cpuMsPerEdgePerMinute": round(60_000 * cpu / took_s / options.edges, 2),
        "lost": after.get("lost", 0) - before.get("lost", 0),
    }
    say(f"  {found}")
    return found


def _calls(
    control: ControlPlane,
    load: Loads,
    project: Project,
    services: list[str],
    quiet: dict[str, Any],
    options: Any,
) -> dict[str, Any]:
    """One call after the other, and several at a time."""
    found: dict[str, Any] = {}
    for name, lanes in (("one at a time", 1), (f"{AT_ONCE} at a time", AT_ONCE)):
        say(f"{options.seconds / 2:.0f} s of calls, {name} …")
        cpu, began_s = control.cpu_s(), time.monotonic()
        end_s = began_s + options.seconds / 2
        with ThreadPoolExecutor(lanes) as pool:
            parts = pool.map(_lane, [project] * lanes, [services] * lanes, [end_s] * lanes)
            times = list(itertools.chain.from_iterable(parts))
        took_s = time.monotonic() - began_s
        share = (control.cpu_s() - cpu) / took_s
        good = [ms for ms in times if ms >= 0]
        calls_per_s = len(good) / took_s
        more = share - quiet["cpuShareOfOneCore"]
        found[name] = {
            **figures(good),
            "callsPerS": round(calls_per_s, 1),
            "failed": len(times) - len(good),
            "cpuShareOfOneCore": round(share, 3),
            "cpuMsPerCall": round(1000 * more / calls_per_s, 2),
        }
        say(f"  {found[name]}")
        load.wait(1)
    return found


def rows_of(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        path = f"{project.path}/edgeservices?size=1000&offset={len(found)}"
        part = project.ask("GET", path)
        found += part["items"]
        if not part["items"] or len(found) >= part["total"]:
            return found


def is_answered(project: Project, service: str) -> bool:
    try:
        project.ask("GET", f"/edgeservice/proxy/{service}/api/me")
    except RuntimeError:
        return False
    return True


def _lane(project: Project, services: list[str], end_s: float) -> list[float]:
    """Milliseconds of each call; below zero: it failed."""
    times: list[float] = []
    mine = project.again()
    while time.monotonic() < end_s:
        began_s = time.perf_counter()
        is_good = is_answered(mine, random.choice(services))
        took_ms = (time.perf_counter() - began_s) * 1000
        times.append(took_ms if is_good else -1.0)
    return times


if __name__ == "__main__":
    socket.setdefaulttimeout(60)
    sys.exit(main())
