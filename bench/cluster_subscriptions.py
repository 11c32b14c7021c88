"""Many subscriptions over three nodes: joining, coming back, and the memory of each."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cluster_nodes import Report, cluster, folder, pss_bytes, routes, rows, settle

from harness.members import Member, members
from harness.waiting import until
from rookery.native.bench import BenchProgress, run_bench

FILTERS_EACH = 500
WAIT_S = 900.0
RESYNC_MAX_S = 60.0


class Held:
    """Clients of one node with their subscriptions, until they are let go."""

    def __init__(self, member: Member, number: int, count: int, expiry_s: int) -> None:
        self._ends = threading.Event()
        self._stands = threading.Event()
        self.report: Report = {}
        self.error = ""
        self._config = {
            "mode": "conn",
            "protocol": "5",
            "addresses": [f"127.0.0.1:{member.node.port}"],
            "client_id_prefix": f"held{number}",
            "clean_start": False,
            "session_expiry_interval_s": expiry_s,
            "idle_connections": max(1, count // FILTERS_EACH),
            "idle_subscriptions": count,
            "topic_prefix": f"node{number}",
            "set_up_timeout_s": WAIT_S,
            "duration_s": 86_400.0,
        }
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        def wants_more(progress: BenchProgress) -> bool:
            if progress.phase == "measure":
                self._stands.set()
            return not self._ends.is_set()

        try:
            self.report = run_bench(self._config, wants_more)
        except Exception as error:  # noqa: BLE001 - told by whoever waits
            self.error = str(error)
        finally:
            self._stands.set()

    def until_it_stands(self) -> None:
        self._stands.wait()
        if self.error:
            raise SystemExit(self.error)

    def end(self) -> None:
        self._ends.set()
        self._thread.join()


@contextlib.contextmanager
def _holding() -> Iterator[list[Held]]:
    held: list[Held] = []
    try:
        yield held
    finally:
        for one in held:
            one.end()


def measure(total: int, *, expiry_s: int) -> dict[str, Any]:
    """Three nodes with a third of all subscriptions each.

    The third node has its own before it joins. It is killed then, and started again: its clients stay
    away, so that what it has is what its disk gave back (nothing, where sessions end with their
    connection).
    """
    each = total // 3
    with folder() as place, _two(place / "two") as two, _third(place / "third") as third:
        found: dict[str, Any] = {"subscriptions": total, "session_expiry_s": expiry_s}
        everybody = [*two, third]
        with _holding() as held:
            empty = {member.name: pss_bytes(member.node.pid) for member in everybody}
            for number, member in enumerate(everybody, 1):
                held.append(_subscribed(found, member, number, each, expiry_s, empty))
            found["join_s"] = _timed(lambda: _joins(third, two, each))
            found["after_join"] = {
                member.name: _per(pss_bytes(member.node.pid) - empty[member.name], total)
                for member in everybody
            }
            found |= _comes_back(third, two, each, keeps=expiry_s > 0)
    _say(found)
    return found


@contextlib.contextmanager
def _two(place: Path) -> Iterator[list[Member]]:
    place.mkdir()
    with cluster(place, 2) as found:
        yield found


@contextlib.contextmanager
def _third(place: Path) -> Iterator[Member]:
    place.mkdir()
    with members(place, 1) as (found,):
        yield found


def _subscribed(
    found: dict[str, Any],
    member: Member,
    number: int,
    count: int,
    expiry_s: int,
    empty: dict[str, int],
) -> Held:
    held = Held(member, number, count, expiry_s)
    seconds = _timed(held.until_it_stands)
    own = _per(pss_bytes(member.node.pid) - empty[member.name], count)
    found[f"node{number}"] = {"subscribe_s": seconds, "bytes_per_own_subscription": own}
    print(f"{member.name}: {count:,} subscriptions in {seconds:.1f} s, {own:.0f} bytes each")
    return held


def _joins(third: Member, two: list[Member], each: int) -> None:
    third.join(two[0])
    settle([*two, third])
    _until_known([third], {member.name: each for member in two})
    _until_known(two, {third.name: each})


def _comes_back(third: Member, two: list[Member], each: int, *, keeps: bool) -> dict[str, Any]:
    third.node.kill9()
    until(lambda: all(not _lanes_stand(member, third) for member in two), "seen to be gone")
    began = time.monotonic()
    third.start()
    started_s = time.monotonic() - began
    _until_known([third], {member.name: each for member in two})
    knows_s = time.monotonic() - began
    _until_known(two, {third.name: each if keeps else 0})
    return {
        "restart_s": started_s,
        "resync_s": knows_s,
        "resync_all_s": time.monotonic() - began,
        "bytes_per_foreign_route": _per(pss_bytes(third.node.pid), 2 * each),
    }


def _lanes_stand(member: Member, other: Member) -> bool:
    lanes = {row["node"]: row["lanes"] for row in rows(member)}[other.name]
    return bool(lanes and lanes["is_connected"])


def _until_known(at: list[Member], wanted: dict[str, int]) -> None:
    for member in at:
        until(
            lambda member=member: wanted.items() <= routes(member).items(),  # type: ignore[misc]
            f"{member.name} knows {wanted}",
            shows=lambda member=member: routes(member),  # type: ignore[misc]
            within_s=WAIT_S,
            every_s=0.2,
        )


def _timed(does: Any) -> float:
    began = time.monotonic()
    does()
    return time.monotonic() - began


def _per(grown_bytes: int, count: int) -> float:
    return grown_bytes / max(1, count)


def _say(found: dict[str, Any]) -> None:
    verdict = "holds" if found["resync_all_s"] < RESYNC_MAX_S else "FAILS"
    print(
        f"join {found['join_s']:.1f} s; start {found['restart_s']:.1f} s, knows the others' "
        f"{found['resync_s']:.1f} s, all know all {found['resync_all_s']:.1f} s "
        f"(< {RESYNC_MAX_S:g}) {verdict}"
    )
    for name, per in found["after_join"].items():
        print(f"{name}: {per:.0f} bytes for each of {found['subscriptions']:,} subscriptions")
