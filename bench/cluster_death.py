"""What clients notice when a node of three dies: how long messages, new clients, writes and sessions wait."""

from __future__ import annotations

import contextlib
import itertools
import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cluster_nodes import cluster, folder, settle

from harness.client import ClosedError, RawClient
from harness.members import Member
from harness.packets import Connect, Publish

HOUR_S = 3600
EVERY_S = 0.005
WATCHED_S = 15.0
SESSIONS = 10
ADMITTED_WITHIN_S = 60.0
LIVE_MAX_S, DURABLE_MAX_S = 1.0, 12.0
BOUNDS = {
    "QoS 0 between live nodes": LIVE_MAX_S,
    "QoS 1 between live nodes": LIVE_MAX_S,
    "new clean session": LIVE_MAX_S,
    "durable write": DURABLE_MAX_S,
    "takeover from the dead node": DURABLE_MAX_S,
    "takeover between live nodes": DURABLE_MAX_S,
}


class Round(NamedTuple):
    """One death.

    Attributes:
        dead: Who dies.
        live: The others.
        number: Of the round.
        is_over: Nobody looks any more.
        took: Seconds by what was waited for.
    """

    dead: Member
    live: list[Member]
    number: int
    is_over: threading.Event
    took: dict[str, list[float]]


def measure(rounds: int, seed: int) -> dict[str, Any]:
    """That many deaths, one after the other; the node that died is started again each time."""
    took: dict[str, list[float]] = {name: [] for name in BOUNDS}
    present = [0, 0]
    drawn = random.Random(seed)
    with folder() as place, cluster(place, 3) as found:
        for number in range(rounds):
            dead = drawn.choice(found)
            live = [member for member in found if member is not dead]
            over = threading.Event()
            _round(Round(dead, live, number, over, took), present)
            dead.start()
            settle(found)
            print(f"round {number + 1} of {rounds}: {dead.name}", flush=True)
    result: dict[str, Any] = {"seed": seed, "rounds": rounds, "sessions_present": present}
    for name, values in took.items():
        result[name] = {"count": len(values), "p50_s": _at(values, 0.5), "p99_s": _at(values, 0.99)}
        result[name] |= {"max_s": max(values), "values_s": values}
        limit, p99_s = BOUNDS[name], result[name]["p99_s"]
        verdict = "holds" if p99_s < limit else "FAILS"
        print(
            f"{name}: {len(values)} waits, p50 {result[name]['p50_s']:.3f} s, p99 {p99_s:.3f} s, "
            f"longest {max(values):.3f} s (p99 < {limit:g} s) {verdict}"
        )
    print(f"sessions of the dead node that came along: {present[0]} of {present[1]}")
    return result


def _at(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _round(of: Round, present: list[int]) -> None:
    names = [f"moves-{of.number}-{n}" for n in range(SESSIONS)]
    for name in names:
        _session(of.dead, name)
        _session(of.live[0], f"{name}-live")
    works: list[Callable[[], None]] = [
        lambda: _flow(of, 0),
        lambda: _flow(of, 1),
        lambda: _new_clients(of),
        lambda: _durable_writes(of, names),
    ]
    with _together(works, of.is_over) as begin:
        begin.wait()
        of.dead.node.kill9()
        died = time.monotonic()
        for name in names:
            began = time.monotonic()
            client, was_there = _come(of.live[1], name)
            of.took["takeover from the dead node"].append(time.monotonic() - began)
            present[0] += was_there
            present[1] += 1
            client.disconnect()
            began = time.monotonic()
            client, _ = _come(of.live[1], f"{name}-live")
            of.took["takeover between live nodes"].append(time.monotonic() - began)
            client.disconnect()
        of.is_over.wait(max(0.0, died + WATCHED_S - time.monotonic()))


@contextlib.contextmanager
def _together(
    works: list[Callable[[], None]], is_over: threading.Event
) -> Iterator[threading.Event]:
    """Run them beside each other until the end; what went wrong in one is raised."""
    failed: list[BaseException] = []
    begin = threading.Event()

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below
            failed.append(error)
            is_over.set()

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    threading.Timer(1.0, begin.set).start()  # load before the death
    try:
        yield begin
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]


def _flow(of: Round, qos: int) -> None:
    """The longest time in which nothing arrived of what is sent every few milliseconds."""
    topic = f"flow/{of.number}/{qos}"
    source, sink = of.live
    longest_s, last = 0.0, 0.0
    with sink.node.connect(level=5) as reader, source.node.connect(level=5) as writer:
        reader.subscribe(topic, qos=qos)
        while not of.is_over.is_set():
            writer.publish(topic, b"x", qos=qos)
            found = reader.await_within(EVERY_S)
            if isinstance(found, Publish):
                reader.acknowledge(found)
                now = time.monotonic()
                # Before the first one the other node does not know that somebody subscribes.
                longest_s, last = max(longest_s, now - (last or now)), now
    of.took[f"QoS {qos} between live nodes"].append(max(longest_s, time.monotonic() - last))


def _new_clients(of: Round) -> None:
    for number in itertools.count():
        if of.is_over.wait(0.02):
            return
        began = time.monotonic()
        name = f"new-{of.number}-{number}"
        client = RawClient("127.0.0.1", of.live[number % 2].node.port, 5)
        client.connect(Connect(name, True, 60))
        of.took["new clean session"].append(time.monotonic() - began)
        client.disconnect()


def _durable_writes(of: Round, names: list[str]) -> None:
    """QoS 1 for sessions that are stored: those of the dead node, and of one that lives."""
    with of.live[0].node.connect(level=5) as writer:
        for number in itertools.count():
            if of.is_over.wait(0.02):
                return
            name = names[number % len(names)]
            topic = name if number % 2 else f"{name}-live"
            began = time.monotonic()
            with contextlib.suppress(ClosedError):
                writer.publish(topic, b"%d" % number, qos=1)
            of.took["durable write"].append(time.monotonic() - began)


def _session(member: Member, name: str) -> None:
    client, _ = _come(member, name)
    client.subscribe(name, qos=1)
    client.disconnect()


def _come(member: Member, name: str) -> tuple[RawClient, bool]:
    """Let in, after as many attempts as that takes, as clients do."""
    properties: dict[str, Any] = {"session_expiry_interval": HOUR_S}
    ends = time.monotonic() + ADMITTED_WITHIN_S
    while True:
        client = RawClient("127.0.0.1", member.node.port, 5)
        try:
            answer = client.connect(Connect(name, False, 60, properties=properties))
        except AssertionError:
            client.drop()
            if time.monotonic() >= ends:
                raise
        else:
            return client, answer.session_present
