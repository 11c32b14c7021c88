"""Storms of logins against a node: what they take, and what others notice of them.

    python3 bench/storms.py                          all of them
    python3 bench/storms.py --only returning-secrets,slow-service

The node is the shipped command with a configuration file of its own, with one worker: on core 0 beside
paced traffic, on all cores when everyone returns. Generators and the service are on core 1. Raw runs and a table are written to `bench/results/`.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import storm_node as nodes
from brokers import PeerError, Running
from figures import number
from peers import RESULTS, ROOT, SCRATCH
from storm_node import Generator, Login
from table import commit, machine, say

Run = dict[str, Any]

RETURNING = 10_000
# The hashes of passwords may use the whole machine; the generator needs little of it.
ALL_CORES = tuple(sorted(os.sched_getaffinity(0)))
RETURN_MAX_S = 60.0
# How fast they all come, and when one that was refused tries again.
RETURN_RATE = 10_000
RETRY_S = 1.0

WRONG_RATE = 1000
LOGIN_RATE = 500
# Of a rate, so much must really have happened.
RATE_SHARE_MIN = 0.97
P99_WRONG_MAX = 2.0
# "Unchanged": what two runs of the same differ by.
P99_LOGINS_MAX = 1.25
REQUEST_TIMEOUT_S = 2.0
DEADLINE_S = REQUEST_TIMEOUT_S + 1.0

STEADY: Run = {
    "mode": "pairs",
    "publishers": 100,
    "rate": 2000,
    "username": "steady-%i",
    "password": nodes.STEADY_PASSWORD,
    "warm_up_s": 3,
}


class Storms:
    """The scenarios. Each returns its figures and the raw reports."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.binary = Path(arguments.bin_dir).resolve() / "rookery-loadgen"
        self.data = SCRATCH / "storm"

    @contextlib.contextmanager
    def node(self, login: Login, cores: tuple[int, ...] = (0,)) -> Iterator[Running]:
        """A node with this kind of login, on the data that is there."""
        running = nodes.start(self.arguments.rookery_cmd, self.data, login, cores)
        try:
            yield running
        finally:
            running.stop()

    def generator(self, running: Running, name: str, load: Run) -> Generator:
        return Generator(self.binary, running, name, load)

    # -- scenarios --------------------------------------------------------------------------

    def returning(self, login: Login) -> Run:
        """All clients connect, the node restarts, all connect again at once."""
        load = {
            "mode": "conn",
            "idle_connections": RETURNING,
            "username": "device-%i",
            "password": login.password,
            "set_up_timeout_s": 600,
            "duration_s": 1,
            "retry_s": RETRY_S,
        }
        with self.node(login, ALL_CORES) as running:
            first = self.generator(running, "first", load).report()
        with self.node(login, ALL_CORES) as running:
            storm = {**load, "connect_rate": RETURN_RATE}
            again = self.generator(running, "again", storm).report()
            start_s = running.start_ms / 1000
        seconds = start_s + again["set_up_s"]
        return {
            "figures": {
                "until all are in, s": seconds,
                "of it the node's start, s": start_s,
                "refused and tried again": again["refused"],
                "first time, s": first["set_up_s"],
            },
            "bounds": [bound("until all are in, s", seconds, RETURN_MAX_S)],
            "runs": [first, again],
        }

    def wrong(self, login: Login) -> Run:
        """Paced traffic, with and without 1,000 wrong CONNECTs per second beside it."""
        storm = {
            "mode": "churn",
            "publishers": 2000,
            "connect_rate": WRONG_RATE,
            "tolerates_refusals": True,
            "username": "device-%i",
            "password": "wrong",
        }
        return self.beside(login, storm, WRONG_RATE, "refused", P99_WRONG_MAX)

    def slow_service(self, login: Login) -> Run:
        """500 logins per second, each asking a service that takes 200 ms."""
        storm = {"mode": "churn", "publishers": 1000, "connect_rate": LOGIN_RATE}
        return self.beside(login, {**storm, **logins()}, LOGIN_RATE, "cycles", P99_LOGINS_MAX)

    def hanging_service(self, login: Login) -> Run:
        """500 logins per second, each asking a service that never answers."""
        storm = {
            "mode": "churn",
            "publishers": 3000,
            "connect_rate": LOGIN_RATE,
            "tolerates_refusals": True,
        }
        done = self.beside(login, {**storm, **logins()}, LOGIN_RATE, "refused", P99_LOGINS_MAX)
        slowest_s = max(run["storm"]["latency_us"]["max"] for run in done["runs"]) / 1e6
        done["figures"]["slowest refusal, s"] = slowest_s
        done["bounds"].append(bound("slowest refusal, s", slowest_s, DEADLINE_S))
        return done

    # -- parts ------------------------------------------------------------------------------

    def beside(self, login: Login, storm: Run, rate: float, counted: str, p99_max: float) -> Run:
        """Rounds of paced traffic alone and beside a storm; the median of their p99 ratios."""
        runs = []
        for _ in range(self.arguments.runs):
            with self.node(login) as running:
                quiet = self.steady(running, None)[0]
                beside, storm_report = self.steady(running, storm)
            ratio = beside["latency_us"]["p99"] / max(quiet["latency_us"]["p99"], 1e-9)
            made = storm_report[counted] / max(storm_report["measured_s"], 1e-9)
            say(f"  p99 {number(ratio)} ×, {counted} {number(made)}/s")
            runs.append(
                {
                    "quiet": quiet,
                    "beside": beside,
                    "storm": storm_report,
                    "ratio": ratio,
                    "made_per_s": made,
                }
            )
        middle = sorted(runs, key=lambda run: run["ratio"])[len(runs) // 2]
        slowest = min(run["made_per_s"] for run in runs)
        share = rate * RATE_SHARE_MIN / max(slowest, 1e-9)
        return {
            "figures": {
                "p99 of others, quiet, µs": middle["quiet"]["latency_us"]["p99"],
                "p99 of others, in the storm, µs": middle["beside"]["latency_us"]["p99"],
                "p99 of others, ratio": middle["ratio"],
                f"{counted} per second": slowest,
                "p99 of a cycle of the storm, ms": middle["storm"]["latency_us"]["p99"] / 1000,
                "messages lost by others": sum(run["beside"]["lost"] for run in runs),
            },
            "bounds": [
                bound("p99 of others, ratio", middle["ratio"], p99_max),
                bound(f"{counted} wanted ÷ {counted}", share, 1.0),
            ],
            "runs": runs,
        }

    def steady(self, running: Running, storm: Run | None) -> tuple[Run, Run]:
        """Paced traffic, and the storm that begins when its connections stand."""
        seconds = self.arguments.seconds
        paced = self.generator(running, "steady", {**STEADY, "duration_s": seconds})
        paced.wait_for("warm_up")
        if storm is None:
            return paced.report(), {}
        # From before the traffic counts until after.
        span = {"warm_up_s": 1, "duration_s": STEADY["warm_up_s"] + seconds}
        wild = self.generator(running, "storm", {**storm, **span})
        return paced.report(), wild.report()


def logins() -> Run:
    return {"username": "device-%i", "password": "any"}


def bound(figure: str, value: float, limit: float) -> Run:
    """A figure, its limit and whether it holds."""
    return {"figure": figure, "value": value, "limit": limit, "holds": value <= limit}


# Scenario, method, login, what it shows.
SCENARIOS: dict[str, tuple[str, Login, str]] = {
    "returning-secrets": (
        "returning",
        nodes.SECRETS,
        "10,000 clients with device secrets come back after a restart",
    ),
    "returning-passwords": (
        "returning",
        nodes.PASSWORDS,
        "10,000 clients with argon2id passwords come back after a restart",
    ),
    "wrong-secrets": ("wrong", nodes.SECRETS, "1,000 wrong device secrets per second"),
    "wrong-passwords": ("wrong", nodes.PASSWORDS, "1,000 wrong argon2id passwords per second"),
    "slow-service": (
        "slow_service",
        nodes.service("0.2", REQUEST_TIMEOUT_S),
        "500 logins per second, HTTP service with 200 ms",
    ),
    "hanging-service": (
        "hanging_service",
        nodes.service("inf", REQUEST_TIMEOUT_S),
        "500 logins per second, HTTP service that never answers",
    ),
}


def markdown(document: Run) -> str:
    """The table."""
    head = f"""# Storms of logins, {document["date"]}

Commit {document["commit"]}; {document["machine"]["cpu"]}, {document["machine"]["cores"]} cores,
Linux {document["machine"]["kernel"]}.

| scenario | figures | bounds |
|---|---|---|
"""
    words = {True: "holds", False: "**FAILS**"}
    lines = []
    for result in document["rows"]:
        figures = "<br>".join(
            f"{name} {number(float(value))}" for name, value in result["figures"].items()
        )
        bounds = "<br>".join(
            f"{b['figure']}: {number(b['value'])} (≤ {b['limit']:g}) {words[b['holds']]}"
            for b in result["bounds"]
        )
        lines.append(f"| {result['title']} | {figures or result['error']} | {bounds} |")
    return head + "\n".join(lines) + "\n"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help=f"of {', '.join(SCENARIOS)}, separated by commas")
    parser.add_argument("--runs", type=int, default=3, help="rounds of the paced scenarios")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a paced run")
    parser.add_argument("--bin-dir", default=str(ROOT / "target/release"))
    parser.add_argument("--rookery-cmd", default=str(ROOT / ".venv/bin/rookery"))
    parser.add_argument("--out", help="name of the result files (default DATE-COMMIT-storms)")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    names = options.only.split(",") if options.only else list(SCENARIOS)
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        raise SystemExit(f"no scenario {unknown[0]}: one of {', '.join(SCENARIOS)}")
    storms = Storms(options)
    now = datetime.datetime.now(datetime.UTC)
    document: Run = {
        "date": now.strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "machine": machine(),
        "rows": [],
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = options.out or f"{now:%Y-%m-%d}-{document['commit'].rstrip('+')}-storms"
    for name in names:
        method, login, title = SCENARIOS[name]
        say(f"{name}: {title}")
        shutil.rmtree(storms.data, ignore_errors=True)
        storms.data.mkdir(parents=True)
        try:
            done = getattr(storms, method)(login)
        except (PeerError, subprocess.TimeoutExpired, OSError) as error:
            done = {"error": str(error), "figures": {}, "bounds": [], "runs": []}
            say(f"  ERROR {error}")
        document["rows"].append({"id": name, "title": title, **done})
        for figure, value in done["figures"].items():
            say(f"  {figure}: {number(float(value))}")
        for verdict in done["bounds"]:
            say(f"  = {verdict['figure']} (≤ {verdict['limit']:g}) holds: {verdict['holds']}")
        text = json.dumps(document, ensure_ascii=False, indent=1).replace(str(SCRATCH), "$SCRATCH")
        (RESULTS / f"{file}.json").write_text(text + "\n")
        (RESULTS / f"{file}.md").write_text(markdown(document))
    failed = [
        row
        for row in document["rows"]
        if "error" in row or not all(b["holds"] for b in row["bounds"])
    ]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
