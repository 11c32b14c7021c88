"""What an edge agent with a good credential can do to a control plane and to everybody else there.

    python3 bench/control_hostile.py                          100 others, about 4 minutes
    python3 bench/control_hostile.py --edges 20 --seconds 5    a try

One control plane (the shipped command), a process with edge services that do what they should, and one with an agent that
floods: reports as large as may be, answers that nobody asked for, nonsense, topics of others, packets that are too long,
connection after connection, name after name. During each, somebody calls one of the others through the tunnel and opens a
page: figures of that, what control took of the flood, its CPU and its memory.

The rules: all others stay online with no report late, no call fails, and control's memory grows by no more than 64 MB in all.
How much longer a call takes is shown beside the same without a flood. Written to `results/`, as JSON.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from control import BENCH, figures, say, write
from control_edges import LATE_MS, is_answered, rows_of
from control_plane import ControlPlane, Load, Loads, Project
from edge_delivery import adopt

MEMORY_MB_MAX = 64
ACTS = {
    "nothing": 0,
    "reports": 1,
    "replies": 1,
    "nonsense": 1,
    "others": 1,
    "too_long": 4,
    "takeovers": 8,
    "names": 8,
}
"""What is tried, and how many times at once."""


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="rookery-bench-") as folder:
        control = ControlPlane(Path(folder), options.rookery, "", "tcp")
        control.start()
        load = Loads()
        try:
            found = _measure(control, load, options)
        finally:
            load.stop()
            control.stop()
    write(found, options.out, f"control-hostile-{options.edges}")
    return 0 if found["holds"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each flood")
    parser.add_argument("--only", default=",".join(ACTS), help="some of these, with commas")
    parser.add_argument("--interval", type=int, default=5, help="seconds between reports")
    parser.add_argument("--rookery", default=f"{BENCH.parent}/.venv/bin/rookery")
    parser.add_argument("--out", type=Path, default=BENCH / "results")
    return parser.parse_args()


def _measure(control: ControlPlane, load: Loads, options: argparse.Namespace) -> dict[str, Any]:
    load_before = round(os.getloadavg()[0], 2)
    project = control.make_project(0, options.interval)
    wanted = {
        "edges": options.edges,
        "port": control.relay_port,
        "workS": 0,
        "intervalS": options.interval,
    }
    load.start(wanted, 1, "edge_load.py")
    load.until("connected", options.edges, 600)
    adopt(project, options.edges)
    load.wait(options.interval + 2)
    services = [row["id"] for row in rows_of(project)]
    first_bytes = control.memory_bytes()
    floods = {}
    for act in options.only.split(","):
        floods[act] = _flooded(control, load, project, services, act, ACTS[act], options)
        say(f"  {act:10} {floods[act]}")
    grown_mb = round((control.memory_bytes() - first_bytes) / 1e6, 1)
    lost = load.last.get("lost", 0)
    holds = (
        grown_mb <= MEMORY_MB_MAX
        and not lost
        and all(
            one["othersWell"] == options.edges and not one["callsFailed"] for one in floods.values()
        )
    )
    return {
        "loadBefore": load_before,
        "edges": options.edges,
        "seconds": options.seconds,
        "floods": floods,
        "memoryGrownMB": grown_mb,
        "othersLost": lost,
        "holds": holds,
    }


def _flooded(
    control: ControlPlane,
    load: Loads,
    project: Project,
    services: list[str],
    act: str,
    lanes: int,
    options: argparse.Namespace,
) -> dict[str, Any]:
    hostile = Load()
    try:
        if lanes:
            wanted = {"port": control.relay_port, "act": act, "lanes": lanes}
            hostile.start(wanted, "edge_hostile.py")
            hostile.until(lambda line: line.get("tried", 0) > 0, 60)
        before, cpu, began_s = dict(hostile.last), control.cpu_s(), time.monotonic()
        times: list[float] = []
        pages: list[float] = []
        failed = 0
        while time.monotonic() - began_s < options.seconds:
            asked_s = time.perf_counter()
            failed += not is_answered(project, services[len(times) % len(services)])
            times.append((time.perf_counter() - asked_s) * 1000)
            asked_s = time.perf_counter()
            project.ask("GET", f"{project.path}/edgeservices?size=30")
            pages.append((time.perf_counter() - asked_s) * 1000)
        took_s = time.monotonic() - began_s
        share = (control.cpu_s() - cpu) / took_s
        if lanes:
            hostile.wait(0)
    finally:
        hostile.stop()
    load.wait(0)
    late_ms = options.interval * 1000 + LATE_MS
    rows = rows_of(project)
    well = [r for r in rows if r["state"] == "running" and (r["reportAgeMs"] or 0) <= late_ms]
    said = {
        f"{name}PerS": round((hostile.last[name] - before.get(name, 0)) / took_s, 1)
        for name in ("tried", "taken", "refused", "ended", "bytes")
        if hostile.last.get(name)
    }
    call, page = figures(times), figures(pages)
    return {
        **said,
        "callP50Ms": call["p50Ms"],
        "callP95Ms": call["p95Ms"],
        "callsFailed": failed,
        "pageP95Ms": page["p95Ms"],
        "cpuShareOfOneCore": round(share, 3),
        "memoryMB": round(control.memory_bytes() / 1e6, 1),
        "othersWell": len(well),
    }


if __name__ == "__main__":
    socket.setdefaulttimeout(60)
    sys.exit(main())
