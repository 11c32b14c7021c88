"""Every service goes away for a minute under load: what was promised arrives, and counters add up.

    python bench/outages.py [--away 60] [--rate 50] [--only http,kafka]

Files have three ways to go: a full disk and a file that nobody may write need root, and are left out without.

A node (the shipped command) has a rule that sends every message of ten clients to the service, by an
action whose results never expire. The service is there for some seconds, away for --away seconds, and
there again until nothing waits. Looked at each second: matched = passed + failed of the rule, and
matched = success + failed + dropped + queuing + inflight of the action. At the end each client's
numbers are read from the service itself. Prints a line for each service and, at the end, JSON; ends
with 1 when anything is missing, out of order or does not add up.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "python")]

from harness.client import RawClient  # noqa: E402
from harness.connectors import in_order  # noqa: E402
from harness.node import HOST  # noqa: E402
from harness.operator import Operator, operated  # noqa: E402
from harness.packets import Connect, PubAck, Publish  # noqa: E402
from harness.sinks import SINKS, SQL, Sink  # noqa: E402

CLIENTS = 10
BESIDE_S = 5.0
"""How long the service is there before and after, under the same load."""
CATCH_UP_S = 120.0
OPTIONS = {
    "request_ttl": "infinity",
    "health_check_interval": "1s",
    "retry_interval": "1s",
    "batch_size": 100,
}


class Load(threading.Thread):
    """Clients that publish one after the other at a rate, each message acknowledged."""

    def __init__(self, port: int, rate: float) -> None:
        super().__init__(daemon=True)
        self.sent = 0
        self._clients = [RawClient(HOST, port) for _ in range(CLIENTS)]
        for number, client in enumerate(self._clients):
            client.connect(Connect(f"c{number}"))
        self._pause_s = 1 / rate
        self._ended = threading.Event()

    def run(self) -> None:
        due_s = time.monotonic()
        while not self._ended.wait(max(due_s - time.monotonic(), 0)):
            due_s += self._pause_s
            client, number = self._clients[self.sent % CLIENTS], self.sent // CLIENTS
            packet_id = client.packet_id()
            payload = b'{"n":%d}' % number
            client.send(Publish(f"out/{client.client_id}", payload, 1, packet_id))
            client.await_packet(PubAck, packet_id=packet_id)
            self.sent += 1

    def end(self) -> None:
        self._ended.set()
        self.join()
        for client in self._clients:
            client.drop()


class Look:
    """What rule and action count, and whether it ever did not add up."""

    def __init__(self, operator: Operator, action_id: str) -> None:
        self._rest = operator.rest
        self._path = f"/actions/{action_id}/metrics"
        self.wrong: list[Mapping[str, Any]] = []
        self.looks = 0
        self.most_waiting = 0

    def look(self) -> Mapping[str, int]:
        rule: Mapping[str, int] = self._rest.get("/rules/all/metrics")["metrics"]
        action: Mapping[str, int] = self._rest.get(self._path)["metrics"]
        ends = ("success", "failed", "dropped", "queuing", "inflight")
        is_right = rule["matched"] == rule["passed"] + rule["failed"]
        if not is_right or action["matched"] != sum(action[end] for end in ends):
            self.wrong.append({"rule": rule, "action": action})
        self.looks += 1
        self.most_waiting = max(self.most_waiting, action["queuing"] + action["inflight"])
        return action

    def during(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.look()
            time.sleep(1)


def define(operator: Operator, sink: Sink) -> str:
    """Connector, action and rule; the action's id."""
    post = operator.rest.post
    often = {"resource_opts": {"health_check_interval": "1s"}}
    post("/connectors", {"type": sink.type, "name": "c", **sink.connector, **often})
    action = {"type": sink.type, "name": "a", "connector": "c", "resource_opts": OPTIONS}
    post("/actions", {**action, "parameters": sink.parameters})
    action_id = f"{sink.type}:a"
    post("/rules", {"id": "all", "sql": SQL, "actions": [action_id]})
    return action_id


def outage(sink: Sink, given: argparse.Namespace) -> dict[str, Any]:
    """One service."""
    allowed = f"node.connector_file_dirs = [{json.dumps(str(sink.folder))}]" if sink.folder else ""
    with tempfile.TemporaryDirectory() as folder, operated(Path(folder), allowed) as operator:
        look = Look(operator, define(operator, sink))
        load = Load(operator.node.port, given.rate)
        load.start()
        look.during(BESIDE_S)
        sink.stop()
        began_s = time.monotonic()
        look.during(given.away)
        waiting = look.most_waiting
        sink.start()
        away_s = time.monotonic() - began_s
        look.during(BESIDE_S)
        load.end()
        counters = look.look()
        end_s = time.monotonic() + CATCH_UP_S
        while counters["queuing"] + counters["inflight"] and time.monotonic() < end_s:
            time.sleep(0.2)
            counters = look.look()
        rule = operator.rest.get("/rules/all/metrics")["metrics"]
    found = sink.found(load.sent)
    expected = {
        f"c{client}": list(range(len(range(client, load.sent, CLIENTS))))
        for client in range(CLIENTS)
    }
    try:
        is_in_order = {who: in_order(numbers) for who, numbers in found.items()} == expected
    except AssertionError:
        is_in_order = False
    return {
        "published": load.sent,
        "away_s": round(away_s, 1),
        "most_waiting": waiting,
        "arrived": sum(len(set(numbers)) for numbers in found.values()),
        "twice": sum(len(numbers) - len(set(numbers)) for numbers in found.values()),
        "in_order_per_client": is_in_order,
        "looks": look.looks,
        "looks_that_did_not_add_up": look.wrong,
        "rule": {name: rule[name] for name in ("matched", "passed", "failed")},
        "action": {
            name: counters[name]
            for name in (
                "matched",
                "success",
                "failed",
                "dropped",
                "queuing",
                "inflight",
                "retried",
            )
        },
        "is_right": is_in_order
        and not look.wrong
        and rule["matched"] == rule["passed"] == load.sent
        and counters["success"] == load.sent,
    }


def main() -> int:
    """All of them, one after the other; the exit code."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--away", type=float, default=60.0, help="seconds")
    arguments.add_argument("--rate", type=float, default=50.0, help="messages per second")
    arguments.add_argument("--only", default=",".join(SINKS), help="names with commas between")
    arguments.add_argument("--out", default="", help="a name in results/ instead of the output")
    given = arguments.parse_args()
    report: dict[str, Any] = {}
    for name in given.only.split(","):
        try:
            with tempfile.TemporaryDirectory() as folder, SINKS[name](Path(folder)) as sink:
                found = report[name] = outage(sink, given)
        except pytest.skip.Exception as missing:
            print(f"{name}: left out: {missing}", file=sys.stderr, flush=True)
            continue
        print(
            f"{name}: {found['arrived']} of {found['published']} arrived, {found['twice']} twice, "
            f"away {found['away_s']} s, {found['most_waiting']} waited at most, "
            f"{'right' if found['is_right'] else 'WRONG'}",
            file=sys.stderr,
            flush=True,
        )
    text = json.dumps(report, indent=1)
    if given.out:
        (ROOT / "bench/results" / f"{given.out}.json").write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    return 0 if all(found["is_right"] for found in report.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
