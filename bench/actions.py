"""What a slow service costs publishers whose messages a rule sends there.

    python bench/actions.py [--seconds 20] [--rate 100000] [--delay 0.2]

Pairs of clients exchange messages at a fixed rate, every one of which a rule matches and gives to an
HTTP action. Measured: the latency of those messages, the node's memory and processor time, and
whether the counters of rule and action add up. Beside it, in the same run and by turns, the same
node without the rule.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "python"), str(ROOT / "bench")]

from hooks import bench, cpu_s  # noqa: E402

from harness.operator import Operator, operated  # noqa: E402

BUFFER = "64MB"
PAIRS = 50


@contextmanager
def slow_service(delay_s: float) -> Iterator[int]:
    """An HTTP service that answers each request after a while; its port."""
    command = [sys.executable, str(ROOT / "bench/slow_sink.py"), str(delay_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def make_rule(operator: Operator, port: int) -> None:
    """The connector, the action and the rule."""
    rest = operator.rest
    rest.post(
        "/connectors",
        {"type": "http", "name": "sink", "url": f"http://127.0.0.1:{port}", "pool_size": 8},
    )
    rest.post(
        "/actions",
        {
            "type": "http",
            "name": "sink",
            "connector": "sink",
            "parameters": {"path": "/", "method": "post", "body": "${payload}"},
            "resource_opts": {"max_buffer_bytes": BUFFER, "request_ttl": "45s"},
        },
    )
    rest.post(
        "/rules",
        {
            "id": "all",
            "name": "all",
            "sql": 'SELECT clientid, payload FROM "bench/#"',
            "actions": ["http:sink"],
        },
    )


def resident_mb(pid: int) -> float:
    """Memory of a process that is its own, in MB."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    words = next(line for line in text.splitlines() if line.startswith("RssAnon:")).split()
    return int(words[1]) / 1000


class Watch(threading.Thread):
    """The most memory that a process has while this runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self._pid = pid
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.2):
            self.peak_mb = max(self.peak_mb, resident_mb(self._pid))

    def end(self) -> float:
        self._ended.set()
        self.join()
        return self.peak_mb


def load(operator: Operator, rate: int, seconds: int) -> dict[str, Any]:
    """One run of the pairs; latency, memory, processor time."""
    pid = operator.node.pid
    watch = Watch(pid)
    before, cpu = resident_mb(pid), cpu_s([pid])
    watch.start()
    words = ["--publishers", str(PAIRS), "--subscribers", str(PAIRS), "--rate", str(rate)]
    report = bench(
        operator.node.port, "pairs", *words, "--warm-up", "2", "--duration", str(seconds)
    )
    return {
        "sent_per_s": report["sent_per_s"],
        "received_per_s": report["received_per_s"],
        "latency_us": report["latency_us"],
        "generator_lag_us": report.get("lag_us"),
        "memory_before_mb": round(before, 1),
        "memory_peak_mb": round(watch.end(), 1),
        "node_cpu": round((cpu_s([pid]) - cpu) / (seconds + 2), 3),
    }


def counters(operator: Operator) -> dict[str, Any]:
    """What rule and action counted, and whether it adds up; read when nothing comes in."""
    rule: Mapping[str, Any] = operator.rest.get("/rules/all/metrics")["metrics"]
    action: Mapping[str, Any] = operator.rest.get("/actions/http:sink/metrics")["metrics"]
    ends = ("success", "failed", "dropped", "queuing", "inflight")
    return {
        "rule": rule,
        "action": action,
        "rule_adds_up": rule["matched"] == rule["passed"] + rule["failed"],
        "action_adds_up": action["matched"] == sum(action[end] for end in ends),
        "action_got_all": action["matched"] == rule["passed"],
    }


def main() -> int:
    """Measure; the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=int, default=20)
    arguments.add_argument("--rate", type=int, default=100_000)
    arguments.add_argument("--delay", type=float, default=0.2)
    arguments.add_argument("--runs", type=int, default=3)
    given = arguments.parse_args()
    report: dict[str, Any] = {"buffer": BUFFER, "without": [], "with": []}
    for number in range(given.runs):
        for name in ("without", "with"):
            began = time.monotonic()
            with (
                tempfile.TemporaryDirectory() as folder,
                operated(Path(folder)) as operator,
                slow_service(given.delay) as port,
            ):
                if name == "with":
                    make_rule(operator, port)
                found = load(operator, given.rate, given.seconds)
                if name == "with":
                    found["counters"] = counters(operator)
                report[name].append(found)
            print(f"{number + 1} {name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    p99 = {
        name: statistics.median(run["latency_us"]["p99"] for run in report[name])
        for name in ("without", "with")
    }
    report["p99_us"] = p99
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
