"""A control process with many clusters: what a report costs, how long lists take, what is missed.

    python3 bench/control.py                                     1,000 agents, 10 minutes: 14 in all
    python3 bench/control.py --agents 10000                      as many as there may be entries: half an hour in all
    python3 bench/control.py --agents 50 --minutes 0.5           a try
    python3 bench/control.py --relay tcp --database postgresql://…

One control plane (the shipped command) gets a project with as many entries. Another process plays
their agents with the real protocol: registration over HTTPS, TLS to the relay, a report every 15 s. In
the first half nobody looks, and control's CPU, the relay's threads included, is divided by the
reports; in the second half pages of lists are asked for. All the time, the states in the database
say whether a report was missed: nothing may be abnormal, no report older than the interval and a bit.
At the end control is killed and started again, and the connections of each second are counted.

The rules: 1 ms of CPU for a report, p95 of every page below 150 ms, nothing missed, and a restart that
nobody is thrown out by. Written to `results/`, as JSON.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import math
import os
import platform
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from control_plane import ControlPlane, Load

BENCH = Path(__file__).resolve().parent
CPU_MS_MAX = 1.0
PAGE_MS_MAX = 150.0
LOAD_SHARE_MAX = 0.85
"""Of one core: beyond that it is the agents that are late."""
JOIN_S = 0.2
"""What an agent may take to register and connect, one after the other; with many of them that is what takes longest."""
LATE_MS = 5_000
"""A report may be so much older than the interval: it waits for its turn to be written."""
PAGES = {
    "cards": "?size=30",
    "table": "?size=100",
    "last page": "?size=100&offset={last}",
    "by last report": "?size=100&sort=lastReportAt&order=desc",
    "found": "?size=30&search=7",
    "running": "?size=100&state=running",
    "with a label": "?size=30&label=site%3D3",
    "1,000 rows": "?size=1000",
    "one": "/{cluster}",
}
BOUND = frozenset(PAGES) - {"1,000 rows"}
"""Pages that people open; the longest that can be asked for is shown without a bound."""


def main() -> int:
    options = _options()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="rookery-bench-") as folder:
        control = ControlPlane(Path(folder), options.rookery, options.database, options.relay)
        control.start()
        load = Load()
        try:
            found = _measure(control, load, options)
        finally:
            load.stop()
            control.stop()
    write(found, options.out, f"control-{options.agents}")
    return 0 if found["holds"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--interval", type=int, default=15, help="seconds between reports")
    parser.add_argument("--relay", choices=("tls", "tcp"), default="tls")
    parser.add_argument("--database", default="", help="address of a PostgreSQL; else SQLite")
    parser.add_argument("--rookery", default=f"{BENCH.parent}/.venv/bin/rookery")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two pages")
    parser.add_argument("--out", type=Path, default=BENCH / "results")
    return parser.parse_args()


def _measure(control: ControlPlane, load: Load, options: argparse.Namespace) -> dict[str, Any]:
    say(f"{options.agents} entries …")
    project = control.make_project(options.agents, options.interval)
    say("agents register …")
    load.start(
        {
            "url": control.https_url,
            "caFile": str(control.ca_file),
            "tokens": project.tokens,
            "intervalS": options.interval,
        }
    )
    joining = load.until(
        lambda line: line.get("connected", 0) >= options.agents, max(600, options.agents * JOIN_S)
    )
    # Each has reported once, and what was written together is spread.
    load.wait(options.interval + 2)
    half_s = options.minutes * 30
    quiet = _quiet(control, load, project, half_s, options.interval)
    looked = _looked(control, load, project, half_s, options)
    restart = _restart(control, load, project, options)
    holds = (
        quiet["cpuMsPerReport"] <= CPU_MS_MAX
        and all(
            page["p95Ms"] <= PAGE_MS_MAX for name, page in looked["pages"].items() if name in BOUND
        )
        and not quiet["missed"]
        and not looked["missed"]
        and not restart["abnormal"]
    )
    return {
        "agents": options.agents,
        "intervalS": options.interval,
        "relay": options.relay,
        "database": "postgresql" if options.database else "sqlite",
        "joining": {"registeredPerS": _rate(joining, "registered")},
        "quiet": quiet,
        "looked": looked,
        "restart": restart,
        "memoryMB": round(control.memory_bytes() / 1e6),
        "holds": holds,
    }


def _quiet(
    control: ControlPlane, load: Load, project: Any, seconds: float, interval_s: int
) -> dict[str, Any]:
    """Nobody looks."""
    say(f"{seconds:.0f} s of reports …")
    cpu, before = control.cpu_s(), load.last
    load.wait(seconds)
    cpu, after = control.cpu_s() - cpu, load.last
    reports = after["acknowledged"] - before["acknowledged"]
    missed = _missed(project, interval_s)
    found = {
        "reports": reports,
        "reportsPerS": round(reports / (after["at"] - before["at"]), 1),
        "cpuS": round(cpu, 2),
        "cpuMsPerReport": round(1000 * cpu / max(1, reports), 3),
        "lost": after.get("lost", 0) - before.get("lost", 0),
        "loadCpuShare": round(_rate([before, after], "cpuS"), 2),
        "missed": missed,
    }
    if found["loadCpuShare"] > LOAD_SHARE_MAX:
        say("  the program that plays the agents has too much to do: what is late may be its doing")
    say(
        f"  {found['reportsPerS']} reports/s, {found['cpuMsPerReport']} ms CPU each, missed {missed}"
    )
    return found


def _looked(
    control: ControlPlane, load: Load, project: Any, seconds: float, options: argparse.Namespace
) -> dict[str, Any]:
    """Somebody opens one page after the other."""
    say(f"{seconds:.0f} s with pages …")
    names = {"last": max(0, options.agents - 100), "cluster": project.clusters[0]}
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    missed: list[str] = []
    cpu, before = control.cpu_s(), load.last
    end_s, checked_s = time.monotonic() + seconds, time.monotonic()
    while time.monotonic() < end_s:
        for name, query in PAGES.items():
            times[name].append(project.timed(query.format(**names)))
            time.sleep(options.pause)
        if time.monotonic() - checked_s > options.interval:
            checked_s = time.monotonic()
            missed += _missed(project, options.interval)
    load.wait(1)
    cpu, after = control.cpu_s() - cpu, load.last
    reports = after["acknowledged"] - before["acknowledged"]
    pages = {name: figures(found) for name, found in times.items() if found}
    for name, page in pages.items():
        say(f"  {name:16} p50 {page['p50Ms']:7.1f}  p95 {page['p95Ms']:7.1f} ms  ({page['asked']})")
    return {
        "reports": reports,
        "cpuMsPerReport": round(1000 * cpu / max(1, reports), 3),
        "pages": pages,
        "missed": missed,
    }


def _restart(
    control: ControlPlane, load: Load, project: Any, options: argparse.Namespace
) -> dict[str, Any]:
    """Control is killed and comes back: when do its agents?"""
    say("control is killed and started …")
    control.kill()
    control.start()
    began = load.last
    began_s = time.time()
    project.sign_in()
    cpu = control.cpu_s()
    lines = load.until(
        lambda line: line.get("connected", 0) - line.get("disconnected", 0) >= options.agents,
        max(300, options.agents * JOIN_S),
    )
    took_s = lines[-1]["at"] - began_s
    rates = [
        later.get("connected", 0) - line.get("connected", 0)
        for line, later in itertools.pairwise(lines)
    ]
    load.wait(options.interval + 5)
    states = project.states()
    found = {
        "secondsUntilAllAreBack": round(took_s, 1),
        "connectionsPerS": rates,
        "mostConnectionsPerS": max(rates, default=0),
        "triesPerConnection": round(
            (lines[-1]["tried"] - began["tried"]) / max(1, options.agents), 2
        ),
        "cpuS": round(control.cpu_s() - cpu, 2),
        "states": states,
        "abnormal": options.agents - states.get("running", 0),
    }
    say(f"  all back after {found['secondsUntilAllAreBack']} s, at most "
         f"{found['mostConnectionsPerS']}/s, {states}")  # fmt: skip
    return found


def _missed(project: Any, interval_s: int) -> list[str]:
    """Clusters that are not running, or whose report is late."""
    late_ms = interval_s * 1000 + LATE_MS
    return [
        f"{row['name']} {row['state']} {row['reportAgeMs']}"
        for row in project.rows()
        if row["state"] != "running" or (row["reportAgeMs"] or 0) > late_ms
    ]


def figures(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)], 1)

    return {"asked": len(ordered), "p50Ms": at(0.5), "p95Ms": at(0.95), "maxMs": ordered[-1]}


def _rate(lines: list[dict[str, Any]], name: str) -> float:
    took_s = max(1.0, lines[-1]["at"] - lines[0]["at"])
    return round((lines[-1].get(name, 0) - lines[0].get(name, 0)) / took_s, 2)


def write(found: dict[str, Any], folder: Path, name: str) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short=8", "HEAD"],
        cwd=BENCH, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    day = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d")
    found = {
        "commit": commit,
        "at": datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        **found,
    }
    folder.mkdir(parents=True, exist_ok=True)
    kind, _, size = name.rpartition("-")
    file = folder / f"{kind}-{day}-{commit}-{size}.json"
    file.write_text(json.dumps(found, indent=1) + "\n")
    say(f"{'holds' if found['holds'] else 'DOES NOT HOLD'}; written to {file}")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    socket.setdefaulttimeout(60)
    sys.exit(main())
