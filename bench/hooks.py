"""What a Python ``message.publish`` hook costs, in a worker process of its own.

    python bench/hooks.py [--seconds 10] [--workers 1]

Two figures: messages per second through the hook when clients send as fast as they are answered, and
the latency it adds at 5,000 messages per second. The same broker without the plugin is measured in
the same run. Order per publisher is checked by a subscriber. Beside them stands what a message
costs the node and the worker in processor time: it says more than a rate where others use the
machine too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "python")]

from harness.operator import Operator, operated  # noqa: E402
from harness.plugins import Plugins, archive_of  # noqa: E402

ID = "probe-1.0.0"
HOOK = """
from rookery.plugins import Plugin

class Probe(Plugin):
    def on_publish(self, message):
        return message
"""
CHANGING = HOOK.replace("return message", 'return message.replace(payload=message.payload + b"!")')


def bench(port: int, *arguments: str) -> dict[str, Any]:
    """A run of the load generator; its report."""
    command = [sys.executable, "-m", "rookery", "bench", *arguments]
    command += ["--port", str(port), "--json", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if run.returncode:
        raise SystemExit(run.stderr or run.stdout)
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def cpu_s(pids: Iterable[int]) -> float:
    """Processor time that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def received(operator: Operator) -> int:
    """Messages that the node has had so far."""
    rows = operator.rest.get("/metrics?aggregate=true")
    return int(rows["messages.received"])


def measure(operator: Operator, plugins: Plugins, seconds: int) -> dict[str, Any]:
    """Throughput and latency, and what a message costs."""
    span = ["--duration", str(seconds), "--warm-up", "2"]
    fast = ["pub", "--publishers", "20", "--qos", "1", "--window", "64"]
    paced = ["pairs", "--publishers", "10", "--subscribers", "10", "--rate", "5000"]
    found: dict[str, Any] = {}
    for name, load in (("throughput", fast), ("latency", paced)):
        processes = {"node": [operator.node.pid], "worker": sorted(plugins.pids())}
        before = {role: cpu_s(pids) for role, pids in processes.items()}
        count = received(operator)
        found[name] = bench(operator.node.port, *load, *span)
        count = max(1, received(operator) - count)
        found[name]["us_per_message"] = {
            role: round(1e6 * (cpu_s(pids) - before[role]) / count, 2)
            for role, pids in processes.items()
        }
    return found


def figures(report: Mapping[str, Any]) -> str:
    """What is worth reading of it, a line each."""
    lines = []
    for name, found in report.items():
        fast, paced = found["throughput"], found["latency"]
        lines.append(
            f"{name}: {fast['sent_per_s']:,.0f}/s, {fast['us_per_message']} us a message; "
            f"at {paced['received_per_s']:,.0f}/s p50 {paced['latency_us']['p50'] / 1000:.2f} ms, "
            f"p99 {paced['latency_us']['p99'] / 1000:.2f} ms, {paced['us_per_message']} us a message"
            f"{'' if found.get('in_order', True) else '; NOT IN ORDER'}"
        )
    return "\n".join(lines)


def in_order(operator: Operator, count: int) -> bool:
    """Whether a subscriber sees each publisher's messages in its order."""
    with operator.login() as watcher:
        watcher.subscribe("order/#", qos=0)
        publishers = [operator.login() for _ in range(4)]
        for number in range(count):
            for at, publisher in enumerate(publishers):
                publisher.publish(f"order/{at}", b"%d" % number)
        seen: dict[str, int] = {}
        for _ in range(count * len(publishers)):
            message = watcher.receive()
            number = int(message.payload.rstrip(b"!"))
            if number != seen.get(message.topic_name, -1) + 1:
                return False
            seen[message.topic_name] = number
        for publisher in publishers:
            publisher.drop()
    return True


def main() -> int:
    """Measure; the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=int, default=10)
    arguments.add_argument("--workers", type=int, default=1)
    given = arguments.parse_args()
    report: dict[str, Any] = {}
    for name, code in (("no hook", None), ("hook", HOOK), ("hook that changes", CHANGING)):
        with tempfile.TemporaryDirectory() as folder, operated(Path(folder)) as operator:
            plugins = Plugins(operator)
            if code is not None:
                plugins.run(archive_of(code, workers=given.workers), ID)
            began = time.monotonic()
            report[name] = measure(operator, plugins, given.seconds)
            if code is not None:
                report[name]["in_order"] = in_order(operator, 200)
                report[name]["workers"] = operator.rest.get(f"/plugins/{ID}/workers")
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(figures(report), file=sys.stderr)
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
