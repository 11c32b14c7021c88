"""A further node joins a cluster that works, behind a balancer that runs: nobody notices but it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from harness.client import RawClient
from harness.cluster_rounds import rest
from harness.members import Member, members, until_all_see
from harness.node import HOST, fresh_name
from harness.packets import Connect, Publish
from harness.plain_balancer import PlainHaProxy
from harness.waiting import until

STEADY = 10
NEW = 30


class Steady:
    """Clients that were there before, each with what it publishes to itself through the cluster."""

    def __init__(self, balancer: PlainHaProxy) -> None:
        self._balancer = balancer
        self._ends = threading.Event()
        self.rounds = 0
        self.problems: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self.rounds or self.problems, "the load has begun")
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def go_on(self) -> None:
        """Wait until every one of them has had another message."""
        before = self.rounds
        until(lambda: self.rounds > before + 1 or self.problems, "the load goes on")

    def _run(self) -> None:
        try:
            clients = [connect(self._balancer) for _ in range(STEADY)]
            for client in clients:
                client.subscribe(f"to/{client.client_id}", qos=1)
            self._exchange(clients, is_first=True)
            while not self._ends.is_set():
                self._exchange(clients, is_first=False)
                self.rounds += 1
        except (AssertionError, OSError) as error:
            self.problems.append(repr(error))

    def _exchange(self, clients: list[RawClient], *, is_first: bool) -> None:
        """Each to the next one, which mostly is on another node."""
        for source, sink in zip(clients, clients[1:] + clients[:1], strict=True):
            text = b"%d" % self.rounds

            def arrives(
                source: RawClient = source, sink: RawClient = sink, text: bytes = text
            ) -> bool:
                source.publish(f"to/{sink.client_id}", text, qos=1)
                found = sink.await_within(0.2 if is_first else 60.0)
                if not isinstance(found, Publish):
                    return False
                sink.acknowledge(found)
                assert found.payload == text
                return True

            # The other node may not know of the subscription yet: then once more.
            if is_first:
                until(arrives, "the first message")
            else:
                assert arrives(), "a message was lost"


def connect(balancer: PlainHaProxy) -> RawClient:
    client = RawClient(HOST, balancer.mqtt_port, 5)
    client.connect(Connect(fresh_name("through"), True, 60))
    return client


def clients_of(member: Member) -> set[str]:
    rows = rest(member).get(f"/clients?node={member.name}&limit=1000")["data"]
    return {row["clientid"] for row in rows}


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Member]]:
    with members(tmp_path, 3) as found:
        one, two, _ = found
        two.join(one)
        names = {member.name: "running" for member in (one, two)}
        until_all_see((one, two), names, "two see two")
        yield found


def test_a_further_node_gets_its_share_and_nobody_is_dropped(
    three: list[Member], tmp_path: Path
) -> None:
    one, two, third = three
    balancer = PlainHaProxy(tmp_path)
    try:
        balancer.front([one, two])
        with Steady(balancer) as steady:
            third.join(one)
            until_all_see(three, {member.name: "running" for member in three}, "three see three")
            balancer.add("node3", third)
            balancer.await_up("nodes/node3")

            clients = [connect(balancer) for _ in range(NEW)]

            shares = [
                len(clients_of(member) & {client.client_id for client in clients})
                for member in three
            ]
            assert sum(shares) == NEW
            assert min(shares) >= NEW // 4, shares
            steady.go_on()
        assert not steady.problems
        for client in clients:
            client.fence()
    finally:
        balancer.stop()
