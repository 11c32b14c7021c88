"""A further node joins behind a balancer that runs, under load: when it has its share, and who is dropped."""

from __future__ import annotations

import threading
import time
from typing import Any

from cluster_nodes import Report, folder, rest, settle

from harness.members import Member, members
from harness.plain_balancer import PlainHaProxy
from harness.waiting import until
from rookery.native.bench import BenchProgress, run_bench

PAIRS = 500
MESSAGES_A_SECOND = 2000.0
CONNECTS_A_SECOND = 200.0
WARM_S, AFTER_S = 5.0, 20.0
LOOK_S = 2.0
SHARE_OF = 3
# Of a third: new connections are counted in short spans.
GOOD_SHARE = 0.8
SHARE_MAX_S = 10.0


class Load:
    """A run of the generator that lasts until it is ended."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._ends = threading.Event()
        self.goes_on = threading.Event()
        self.report: Report = {}
        self.error = ""
        self._config = {
            "duration_s": 3600.0,
            "protocol": "5",
            "retry_s": 1.0,
            "drain_s": 10.0,
            **config,
        }
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        def wants_more(progress: BenchProgress) -> bool:
            if progress.phase == "measure":
                self.goes_on.set()
            return not self._ends.is_set()

        try:
            self.report = run_bench(self._config, wants_more)
        except Exception as error:  # noqa: BLE001 - told by whoever waits
            self.error = str(error)
        finally:
            self.goes_on.set()

    def end(self) -> Report:
        self._ends.set()
        self._thread.join()
        if self.error:
            raise SystemExit(self.error)
        return self.report


def measure() -> dict[str, Any]:
    """Two nodes with pairs and with clients that come and go; the third one is joined and added."""
    with folder() as place, members(place, 3) as found:
        one, two, _ = found
        two.join(one)
        settle([one, two])
        balancer = PlainHaProxy(place)
        try:
            balancer.front([one, two])
            return _measured(found, balancer)
        finally:
            balancer.stop()


def _measured(found: list[Member], balancer: PlainHaProxy) -> dict[str, Any]:
    third = found[2]
    address = {"addresses": [f"127.0.0.1:{balancer.mqtt_port}"]}
    pairs = {"mode": "pairs", "publishers": PAIRS, "qos": 1, "rate": MESSAGES_A_SECOND}
    coming = {"mode": "churn", "publishers": 50, "connect_rate": CONNECTS_A_SECOND}
    loads = []
    try:
        for config in (pairs, coming):
            loads.append(Load({**address, **config}))
            loads[-1].goes_on.wait()
        time.sleep(WARM_S)  # load that is under way
        third.join(found[0])
        settle(found)
        balancer.add("node3", third)
        began = time.monotonic()
        took_s = until(
            lambda: _has_share(found) and time.monotonic() - began, "its share", within_s=60.0
        )
        time.sleep(AFTER_S)  # load that goes on
    finally:
        reports = [load.end() for load in loads]
    result = {
        "share_s": took_s,
        "steady": {
            key: reports[0][key]
            for key in ("connected", "disconnects", "sent", "received", "lost", "duplicates")
        },
        "churn": {key: reports[1][key] for key in ("cycles", "cycles_per_s", "errors", "refused")},
    }
    verdict = "holds" if took_s < SHARE_MAX_S and not reports[0]["disconnects"] else "FAILS"
    print(
        f"its share of {CONNECTS_A_SECOND:.0f} new connections a second after {took_s:.1f} s "
        f"(< {SHARE_MAX_S:g}), of {reports[0]['connected']} steady clients "
        f"{reports[0]['disconnects']} were dropped, {reports[0]['lost']} messages lost: {verdict}"
    )
    return result


def _has_share(found: list[Member]) -> bool:
    """Whether the last one had its part of the connections of a short span."""
    before = [_connects(member) for member in found]
    time.sleep(LOOK_S)  # the span
    came = [_connects(member) - count for member, count in zip(found, before, strict=True)]
    return sum(came) > 0 and came[-1] >= GOOD_SHARE * sum(came) / SHARE_OF


def _connects(member: Member) -> int:
    rows = rest(member.node).get("/metrics")
    mine = next(row for row in rows if row["node"] == member.name)
    return int(mine["client.connect"])
