"""Measures Rookery beside other brokers and writes the table.

    python3 bench/table.py                       every row, all peers
    python3 bench/table.py --only pairs-q0-w16 --peers rookery,mosquitto,relay --runs 3

Every run starts its broker anew on a free port, pinned to core 0, and the load
generator on core 1; the brokers of a row take turns. Raw runs and the table
are written to `bench/results/` after every row.
"""

from __future__ import annotations

import argparse
import compileall
import datetime
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import node
import peers
from brokers import Command, Options, PeerError, Running, favoured, free_port
from figures import FIGURES, faults, markdown, number, verdict_text, verdicts
from peers import PEERS, RESULTS, ROOT, SCRATCH
from scenarios import ROWS, Cell, Load, Row

GENERATOR_CORE = 1
RUN_TIMEOUT_S = 900.0
# Void runs are made again, so often at most.
REPEATS_MAX = 3
BROKER_CORE = 0
# A line of a micro row: `name  N rules  X ns/check  …`.
CHECK = re.compile(r"(?P<name>\S.*?)\s+(?P<rules>\d+) rules\s+(?P<ns>[\d.]+) ns/check")
CHECK_RULES = 100


class Bench:
    """What the command line chose, and how to start what it names."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        self.binaries = Path(arguments.bin_dir or self.target / "release").resolve()
        self.chosen = arguments.peers.split(",") if arguments.peers else None
        self.missing: dict[str, str] = {}
        self.started = node.Started(arguments.rookery_bin, arguments.broker_cmd)

    def build(self) -> None:
        """Builds generator and relay when they are missing, and what an installation has compiled."""
        # pip compiles what it installs; a tree keeps its own bytecode only where the environment lets it.
        compileall.compile_dir(ROOT / "python", quiet=1)
        if not all(
            (self.binaries / name).exists() for name in ("rookery-loadgen", "rookery-relay")
        ):
            subprocess.run(
                ["cargo", "build", "--release", "-p", "rookery-bench"], cwd=ROOT, check=True
            )

    def wants(self, cell: Cell) -> bool:
        """Whether the command line and the installations allow a cell."""
        return (self.chosen is None or cell.peer in self.chosen) and cell.peer not in self.missing

    def command(self, peer: str, port: int, data: Path, options: Options) -> Command:
        if peer == "rookery":
            return node.command(self.started, port, data, options)
        if peer == "relay":
            return Command([str(self.binaries / "rookery-relay"), str(port)])
        return PEERS[peer].command(port, data, options)

    def start(self, cell: Cell, data: Path, *, is_paced: bool = False) -> Running:
        port = free_port()
        options = replace(cell.options, is_paced=is_paced)
        if options.transport != "tcp":
            options = replace(options, transport_port=free_port())
        command = self.command(cell.peer, port, data, options)
        return Running(cell.label, command, port, data, options)

    def load(self, broker: Running, load: Load) -> dict[str, Any]:
        """One run of the generator against a broker.

        Raises:
            PeerError: the generator failed.
        """
        config = {
            "duration_s": self.arguments.seconds,
            **load,
            **node.transport_load(broker.options),
            "addresses": [f"127.0.0.1:{broker.load_port}"],
            "watch_pid": broker.process.pid,
        }
        path = broker.data / "load.json"
        path.write_text(json.dumps(config))
        done = subprocess.run(
            [str(self.binaries / "rookery-loadgen"), str(path)],
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
            preexec_fn=favoured({GENERATOR_CORE}, is_paced=config.get("rate", 0) > 0),
            start_new_session=True,
        )
        if done.returncode != 0:
            raise PeerError(done.stderr.strip() or f"the generator ended with {done.returncode}")
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def run(self, row: Row, cell: Cell) -> dict[str, Any]:
        """One run of one cell: what the generator reported, or the error."""
        if row.micro[0]:
            return self.micro(*row.micro)
        data = SCRATCH / "run"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        broker = None
        result: dict[str, Any]
        try:
            broker = self.start(cell, data, is_paced=row.load.get("rate", 0) > 0)
            prepared = [self.load(broker, load) for load in row.prepare]
            if row.prepare:
                broker.stop()
                broker = self.start(cell, data)
            load = {**row.load, **cell.load}
            if load:
                broker.settle()
            result = self.load(broker, load) if load else {}
            result["prepared"] = prepared
            result["start_ms"] = broker.start_ms
            result["broker_command"] = self.shown(broker.command)
        except (PeerError, subprocess.TimeoutExpired, OSError) as error:
            result = {"error": str(error)}
        finally:
            if broker is not None:
                broker.stop()
        result["load_average"] = os.getloadavg()[0]
        return result

    def micro(self, package: str, example: str) -> dict[str, Any]:
        """One run of a program that measures itself; the figure is that of its slowest line."""
        result: dict[str, Any] = {"prepared": [], "load_average": os.getloadavg()[0]}
        # As the wheel is built, and never what was left of another commit.
        argv = ["cargo", "build", "--quiet", "--locked", "--profile", "dist", "-p", package]
        try:
            subprocess.run([*argv, "--example", example], cwd=ROOT, check=True)
            done = subprocess.run(
                [str(self.target / "dist" / "examples" / example)],
                capture_output=True,
                text=True,
                timeout=RUN_TIMEOUT_S,
                check=True,
                preexec_fn=favoured({BROKER_CORE}),
                start_new_session=True,
            )
        except (subprocess.SubprocessError, OSError) as error:
            return {**result, "error": str(error)}
        found = [match.groupdict() for match in CHECK.finditer(done.stdout)]
        checks = [check for check in found if int(check["rules"]) == CHECK_RULES]
        if not checks:
            return {**result, "error": f"{example} printed no check of {CHECK_RULES} rules"}
        slowest = max(checks, key=lambda check: float(check["ns"]))
        return {**result, "checks": found, "check_ns": float(slowest["ns"])}

    def shown(self, command: Command) -> str:
        """A command line without the paths of this checkout."""
        words = [f"{name}={value}" for name, value in command.env.items()] + command.argv
        text = shlex.join(words)
        for path, name in ((self.binaries, "target/release"), (ROOT, "."), (SCRATCH, "$SCRATCH")):
            text = text.replace(str(path), name)
        return text

    def measure(self, row: Row) -> dict[str, Any]:
        """All runs of a row, its brokers taking turns."""
        cells = [cell for cell in row.cells if self.wants(cell)]
        results: dict[str, Any] = {cell.label: {"peer": cell.peer, "runs": []} for cell in cells}
        wanted = self.arguments.runs or row.runs
        # A round with a void run is made again, as a round: pairs stay pairs.
        rounds_left = wanted + REPEATS_MAX
        good = 0
        while good < wanted and rounds_left > 0:
            rounds_left -= 1
            is_good = True
            for cell in cells:
                run = self.run(row, cell)
                results[cell.label]["runs"].append(run)
                fault = faults(run, row)
                is_good &= not fault
                say(f"  {cell.label}: {summary(row, run, fault)}")
                # A broker that cannot do a row is not asked again and again.
                if (
                    all("error" in past for past in results[cell.label]["runs"][-2:])
                    and len(results[cell.label]["runs"]) >= 2
                ):
                    say(f"  {cell.label}: given up")
                    cells = [other for other in cells if other is not cell]
            good += is_good
        by_label = {label: cell["runs"] for label, cell in results.items()}
        return {
            "id": row.id,
            "title": row.title,
            "load": row.load,
            "cells": results,
            "verdicts": verdicts(row, by_label),
        }


def say(text: str) -> None:
    print(text, flush=True)


def summary(row: Row, run: dict[str, Any], fault: list[str]) -> str:
    """One run in one line."""
    if "error" in run:
        return f"ERROR {run['error']}"
    shown = (FIGURES[figure] for figure in row.figures)
    words = [f"{name} {number(value(run))} {unit}" for name, unit, value in shown]
    if "config" in run:
        words += [
            f"{run['received_per_s'] or run['cycles_per_s']:.0f}/s",
            f"generator {100 * run['generator']['core_share']:.0f} %",
        ]
    return ", ".join(words) + (f"  VOID: {'; '.join(fault)}" if fault else "")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), ""
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def commit() -> str:
    """Short hash of the checkout; `+` when files were changed."""
    short = peers.output(["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]) or "unknown"
    return short + ("+" if peers.output(["git", "-C", str(ROOT), "status", "--porcelain"]) else "")


def install(bench: Bench, rows: list[Row]) -> dict[str, str]:
    """Installs the peers the rows need; returns their versions."""
    versions = {}
    needed = {cell.peer for row in rows for cell in row.cells if bench.wants(cell)}
    for name in (name for name in PEERS if name in needed):
        try:
            peers.install(name)
            versions[name] = PEERS[name].version()
        except PeerError as error:
            say(f"{name} is left out: {error}")
            bench.missing[name] = str(error)
    return versions


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", help="rows by id, separated by commas; `x*` takes all that begin with x"
    )
    parser.add_argument("--peers", help="brokers, separated by commas (default all)")
    parser.add_argument(
        "--runs", type=int, default=0, help="runs of each broker (default: the row's)"
    )
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="length of a run after 1 s of warm-up"
    )
    parser.add_argument("--bin-dir", help="where rookery-loadgen and rookery-relay are")
    parser.add_argument("--rookery-bin", help="a native test binary: PATH --port P --workers N")
    parser.add_argument("--broker-cmd", help="another command, with {port}, {data} and {workers}")
    parser.add_argument("--out", help="name of the result files (default DATE-COMMIT)")
    parser.add_argument("--list", action="store_true", help="list the rows and end")
    return parser.parse_args()


def chosen_rows(only: str | None) -> list[Row]:
    """The rows that `--only` names.

    Raises:
        SystemExit: a name fits no row.
    """
    if not only:
        return list(ROWS)
    found: list[Row] = []
    for name in only.split(","):
        fitting = [
            row
            for row in ROWS
            if row.id == name or (name.endswith("*") and row.id.startswith(name[:-1]))
        ]
        if not fitting:
            raise SystemExit(f"no row {name}; --list names them")
        found += [row for row in fitting if row not in found]
    return found


def main() -> int:
    options = arguments()
    if options.list:
        for row in ROWS:
            say(f"{row.id:28} {row.title}")
        return 0
    rows = chosen_rows(options.only)
    bench = Bench(options)
    bench.build()
    versions = install(bench, rows)
    now = datetime.datetime.now(datetime.UTC)
    document: dict[str, Any] = {
        "date": now.strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "command": shlex.join(["bench/table.py", *sys.argv[1:]]).replace(str(ROOT), "."),
        "machine": machine(),
        "versions": versions,
        "omitted": bench.missing,
        "rows": [],
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    name = options.out or f"{now:%Y-%m-%d}-{document['commit'].rstrip('+')}"
    for row in rows:
        say(f"{row.id}: {row.title}")
        document["rows"].append(bench.measure(row))
        (RESULTS / f"{name}.json").write_text(
            json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        )
        (RESULTS / f"{name}.md").write_text(markdown(document, {row.id: row for row in rows}))
        for verdict in document["rows"][-1]["verdicts"]:
            say(f"  = {verdict_text(verdict)}")
    say(f"written: {RESULTS / name}.md")
    failed = [v for result in document["rows"] for v in result["verdicts"] if v["holds"] is False]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
