"""What a slow service costs publishers whose messages a rule sends there.

    python bench/actions.py [--seconds 20] [--runs 3] [--delay 0.2] [--qos 1] [--out NAME]

Pairs of clients exchange messages at a fixed rate, every one of which a rule matches and gives to an
HTTP action whose service answers late. Two questions, two kinds of runs:

1. Do publishers notice? First a short run finds the rate at which neither the node nor the generator
   needs more than --share of a core: at a rate that a machine cannot carry, latency says how long its
   queues are and nothing about the rule. Then, by turns, the same node with the rule switched off and
   on, at that rate. Latency is counted from when a message was to be sent.
2. Is memory bounded, is everything counted? At --flood messages per second with the rule, whatever
   latency that gives. Memory is the node's own; what rule and action counted is held against what the
   node received, what the generator sent and what the service answered.

Writes JSON to results/NAME.json, or to standard output; ends with 1 when a count is wrong or memory
grew beyond the buffer. Whether p99 is unchanged is for who reads to say: the spread without the rule
stands beside it.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "python"), str(ROOT / "bench")]

from hooks import bench, received  # noqa: E402

from harness.operator import Operator, operated  # noqa: E402

BUFFER_MB = 64
MEMORY_SLACK_MB = 64
"""What a node may need on top of the buffer under such a load, such as queues of sockets."""
PAIRS = 50
WARM_UP_S = 2
FIRST_RATE = 10_000
CALIBRATION_S = 4
RULE = "/rules/all"
ACTION = "/actions/http:sink"


class Service:
    """An HTTP service that answers each request after a while, and counts."""

    def __init__(self, delay_s: float) -> None:
        command = [sys.executable, str(ROOT / "bench/slow_sink.py"), str(delay_s)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._said = self._process.stdout
        self.port = int(self._said.readline())

    def end(self) -> int:
        """How many requests it has answered."""
        self._process.send_signal(signal.SIGTERM)
        answered = int(self._said.readline())
        self._process.wait()
        self._said.close()
        return answered


@dataclass(frozen=True)
class Bench:
    """A node with a rule that sends everything to a slow service."""

    operator: Operator
    service: Service

    def switch(self, *, is_on: bool) -> None:
        """The rule alone: connector and action are there in every run."""
        self.operator.rest.put(RULE, {**_rule(), "enable": is_on})


@contextmanager
def made(delay_s: float) -> Iterator[Bench]:
    """Node, service, connector, action and rule."""
    with tempfile.TemporaryDirectory() as folder, operated(Path(folder)) as operator:
        service = Service(delay_s)
        try:
            post = operator.rest.post
            url = f"http://127.0.0.1:{service.port}"
            post("/connectors", {"type": "http", "name": "sink", "url": url, "pool_size": 8})
            options = {"max_buffer_bytes": f"{BUFFER_MB}MB", "request_ttl": "45s"}
            parameters = {"path": "/", "method": "post", "body": "${payload}"}
            action = {"type": "http", "name": "sink", "connector": "sink"}
            post("/actions", {**action, "parameters": parameters, "resource_opts": options})
            post("/rules", {"id": "all", **_rule(), "enable": False})
            yield Bench(operator, service)
        except BaseException:
            service.end()
            raise


def _rule() -> dict[str, Any]:
    sql = 'SELECT clientid, payload FROM "bench/#"'
    return {"name": "all", "sql": sql, "actions": ["http:sink"]}


def load(it: Bench, rate: int, seconds: int, qos: int) -> dict[str, Any]:
    """One run of the pairs."""
    node = it.operator.node
    watch = Memory(node.pid)
    watch.start()
    try:
        words = ["--publishers", str(PAIRS), "--subscribers", str(PAIRS), "--rate", str(rate)]
        words += ["--qos", str(qos), "--watch-pid", str(node.pid)]
        words += ["--warm-up", str(WARM_UP_S), "--duration", str(seconds)]
        report = bench(node.port, "pairs", *words)
    finally:
        watch.end()
    return {
        "rate": rate,
        **{name: report[name] for name in ("sent_per_s", "received_per_s", "latency_us", "lag_us")},
        **{name: report[name] for name in ("sent", "lost", "skipped", "errors")},
        "node_core_share": round(report["watched"]["core_share"], 3),
        "generator_core_share": round(report["generator"]["core_share"], 3),
        "memory_before_mb": watch.first_mb,
        "memory_peak_mb": watch.peak_mb,
    }


class Memory(threading.Thread):
    """The most memory of its own that a process has while this runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self.first_mb = self.peak_mb = self._resident_mb()
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.2):
            self.peak_mb = max(self.peak_mb, self._resident_mb())

    def end(self) -> None:
        self._ended.set()
        self.join()

    def _resident_mb(self) -> float:
        lines = self._status.read_text(encoding="utf-8").splitlines()
        words = next(line for line in lines if line.startswith("RssAnon:")).split()
        return round(int(words[1]) / 1000, 1)


def carried_rate(given: argparse.Namespace) -> dict[str, Any]:
    """The rate at which neither side needs more than its share of a core, without the rule."""
    with made(given.delay) as it:
        first = load(it, FIRST_RATE, CALIBRATION_S, given.qos)
        it.service.end()
    share = max(first["node_core_share"], first["generator_core_share"], 0.01)
    # A message costs less the more there are, so this is on the safe side.
    rate = int(FIRST_RATE * given.share / share) // 1000 * 1000
    return {"probe": first, "rate": max(min(rate, given.flood), 1000)}


def beside(given: argparse.Namespace, rate: int) -> dict[str, Any]:
    """Latency without and with the rule, by turns, each on a node of its own."""
    runs: dict[str, list[dict[str, Any]]] = {"without": [], "with": []}
    for number in range(given.runs):
        for name in ("without", "with") if number % 2 == 0 else ("with", "without"):
            with made(given.delay) as it:
                it.switch(is_on=name == "with")
                run = load(it, rate, given.seconds, given.qos)
                if name == "with":
                    run |= counted(it, run)
                else:
                    it.service.end()
            runs[name].append(run)
            p99_ms = run["latency_us"]["p99"] / 1000
            say(
                f"{number + 1} {name}: p99 {p99_ms:.2f} ms, node {run['node_core_share']:.2f} cores"
            )
    p99 = {name: [run["latency_us"]["p99"] for run in found] for name, found in runs.items()}
    medians = {name: statistics.median(found) for name, found in p99.items()}
    return {
        **runs,
        "p99_us": p99,
        "p99_median_us": medians,
        "p99_ratio": round(medians["with"] / medians["without"], 3),
    }


def flooded(given: argparse.Namespace) -> dict[str, Any]:
    """Memory and counters at the full rate."""
    with made(given.delay) as it:
        it.switch(is_on=True)
        before = received(it.operator)
        run = load(it, given.flood, given.seconds, given.qos)
        run["node_received"] = received(it.operator) - before
        run |= counted(it, run)
    counters = run["counters"]
    run["is_exact"] |= {
        "rule matched what the node received": counters["rule"]["matched"] == run["node_received"]
    }
    growth_mb = run["memory_peak_mb"] - run["memory_before_mb"]
    run["memory_growth_mb"] = round(growth_mb, 1)
    run["is_memory_bounded"] = growth_mb <= BUFFER_MB + MEMORY_SLACK_MB
    say(f"at {run['sent_per_s']:,.0f}/s memory grew by {growth_mb:.0f} MB; {run['is_exact']}")
    return run


def counted(it: Bench, run: Mapping[str, Any]) -> dict[str, Any]:
    """What rule, action and service counted when nothing is under way any more, and whether it fits."""
    rest = it.operator.rest
    rest.put(f"{ACTION}/enable/false", None)  # requests under way end, and no other begins
    rule: Mapping[str, int] = rest.get(f"{RULE}/metrics")["metrics"]
    action: Mapping[str, int] = rest.get(f"{ACTION}/metrics")["metrics"]
    answered = it.service.end()
    ends = ("success", "failed", "dropped", "queuing", "inflight")
    reasons = [value for name, value in action.items() if name.startswith("dropped.")]
    exact = {
        "rule matched = passed + failed": rule["matched"] == rule["passed"] + rule["failed"],
        "rule matched at least what was sent while counting": rule["matched"] >= run["sent"],
        "action had what rule passed": action["matched"] == rule["passed"],
        "action matched = sum of its ends": action["matched"] == sum(action[end] for end in ends),
        "dropped = sum of its reasons": action["dropped"] == sum(reasons),
        "success = what the service answered": action["success"] == answered,
        "rule's actions = the action's": rule["actions.success"] == action["success"]
        and rule["actions.discarded"] == action["dropped"],
    }
    return {"counters": {"rule": rule, "action": action, "answered": answered}, "is_exact": exact}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Measure; the exit code."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--seconds", type=int, default=20)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--delay", type=float, default=0.2, help="of an answer, in seconds")
    arguments.add_argument("--qos", type=int, default=1)
    arguments.add_argument("--share", type=float, default=0.6, help="of a core, at most")
    arguments.add_argument("--flood", type=int, default=100_000, help="messages per second")
    arguments.add_argument("--rate", type=int, default=0, help="instead of finding it")
    arguments.add_argument("--out", default="")
    given = arguments.parse_args()
    found = {"rate": given.rate} if given.rate else carried_rate(given)
    say(f"rate for latency: {found['rate']:,} messages/s")
    report = {
        "settings": vars(given) | {"pairs": PAIRS, "buffer_mb": BUFFER_MB},
        "calibration": found,
        "latency": beside(given, found["rate"]),
        "flood": flooded(given),
    }
    say(f"p99 with / without: {report['latency']['p99_ratio']}")
    text = json.dumps(report, indent=1)
    if given.out:
        (ROOT / "bench/results" / f"{given.out}.json").write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    checks = [run["is_exact"] for run in (*report["latency"]["with"], report["flood"])]
    is_exact = all(all(check.values()) for check in checks)
    return 0 if is_exact and report["flood"]["is_memory_bounded"] else 1


if __name__ == "__main__":
    sys.exit(main())
