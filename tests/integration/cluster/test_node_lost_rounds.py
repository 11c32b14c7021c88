"""A machine of three burns down, store and all, while messages are published: what was acknowledged comes.

Each round is drawn from its seed: who is lost, when, and whether the machine is back at once with an empty store or
only after the others have given it up. ``ROOKERY_NODE_LOST_ROUNDS`` makes a long run, ``ROOKERY_NODE_LOST_SEED`` is the first
seed.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections.abc import Iterator

import pytest

from harness.client import RawClient
from harness.members import Member, members, until_all_see
from harness.packets import Connect, Publish, Subscription
from harness.waiting import until

ROUNDS = int(os.environ.get("ROOKERY_NODE_LOST_ROUNDS", "2"))
SEED = int(os.environ.get("ROOKERY_NODE_LOST_SEED", "1"))
HOUR = 3600
SESSIONS = 6


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Member]]:
    with members(tmp_path_factory.mktemp("lost"), 3) as found:
        one, two, third = found
        two.join(one)
        third.join(one)
        yield found


def partner_of(member: Member) -> dict[str, object]:
    found: dict[str, object] = member.ctl.json("cluster", "status")["partner"] or {}
    return found


def until_doubled(found: list[Member]) -> None:
    for member in found:
        until(
            lambda member=member: partner_of(member).get("is_whole") is True,  # type: ignore[misc]
            "another node has the sessions",
            shows=lambda member=member: partner_of(member),  # type: ignore[misc]
            every_s=0.1,
        )


class Publisher(threading.Thread):
    """Publishes to every session in turn, and notes what was acknowledged."""

    def __init__(self, member: Member, label: str, topics: list[str], seed: int) -> None:
        super().__init__(name=f"publisher {label}")
        self._client = member.node.connect(level=5)
        self._label, self._topics = label, topics
        self._random = random.Random(seed)
        self.acknowledged: dict[str, list[tuple[str, int]]] = {topic: [] for topic in topics}
        self.over = threading.Event()
        self.failed = ""

    def run(self) -> None:
        number = 0
        try:
            # As fast as queues of a thousand messages allow.
            while not self.over.wait(0.005):
                number += 1
                topic, qos = self._random.choice(self._topics), self._random.choice((1, 2))
                text = f"{self._label}/{number}/{qos}"
                self._client.publish(topic, text.encode(), qos=qos)
                self.acknowledged[topic].append((text, qos))
        except Exception as error:  # noqa: BLE001 - told with the round
            self.failed = repr(error)


def come(member: Member, client_id: str) -> tuple[RawClient, bool]:
    client = member.node.open(5)
    packet = Connect(client_id, False, 60, properties={"session_expiry_interval": HOUR})
    return client, client.connect(packet).session_present


def take_all(client: RawClient) -> list[str]:
    """Everything that comes until a message that says so."""
    found: list[str] = []
    while True:
        packet = client.await_packet(Publish)
        client.acknowledge(packet)
        if packet.payload == b"end":
            return found
        found.append(packet.payload.decode())


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_what_was_acknowledged_comes(three: list[Member], seed: int) -> None:
    drawn = random.Random(seed)
    until_doubled(three)
    victim = drawn.choice(three)
    others = [member for member in three if member is not victim]
    names = [f"lost-{seed}-{n}" for n in range(SESSIONS)]
    for n, name in enumerate(names):
        client, _ = come(three[n % 3], name)
        client.subscribe(Subscription(name, 2))
        client.disconnect()
    for member in others:
        # From here on every node knows of every subscription.
        with member.node.connect(level=5) as first:
            for name in names:
                until(lambda name=name: _reaches(first, name, b"begin"), f"a route to {name}")  # type: ignore[misc]
    publishers = [
        Publisher(member, f"{seed}-{n}", names, seed + n) for n, member in enumerate(others)
    ]
    for publisher in publishers:
        publisher.start()
    time.sleep(drawn.uniform(0.3, 1.0))  # somewhere in the middle of things
    is_back_at_once = drawn.random() < 0.5
    victim.node.kill9()
    shutil.rmtree(victim.node.data_dir / "store")
    if is_back_at_once:
        victim.start()
    else:
        states = {member.name: "running" for member in others} | {victim.name: "stopped"}
        until_all_see(others, states, "it is lost")
        time.sleep(drawn.uniform(0.0, 1.0))  # publishers go on
    for publisher in publishers:
        publisher.over.set()
    for publisher in publishers:
        publisher.join(60)
        assert not publisher.failed, publisher.failed
        assert not publisher.is_alive()
    problems = check(names, publishers, others, drawn)
    told = f"seed {seed}: {victim.name} lost, {'back at once' if is_back_at_once else 'for longer'}"
    assert not problems, "\n".join([told, *problems[:20]])
    if not is_back_at_once:
        victim.start()
    until_all_see(three, {member.name: "running" for member in three}, "all run again")


def check(
    names: list[str], publishers: list[Publisher], live: list[Member], drawn: random.Random
) -> list[str]:
    problems = []
    with live[0].node.connect(level=5) as last:
        for name in names:
            client, was_there = come(drawn.choice(live), name)
            if not was_there:
                problems.append(f"{name}: the session is gone")
                client.drop()
                continue
            # Known everywhere by then.
            until(lambda name=name: _reaches(last, name, b"end"), f"a route to {name}")  # type: ignore[misc]
            got = take_all(client)
            acknowledged = [item for one in publishers for item in one.acknowledged[name]]
            if missing := [text for text, _ in acknowledged if text not in got]:
                problems.append(
                    f"{name}: {len(missing)} of {len(acknowledged)} lost: {missing[:5]}"
                )
            twice = [text for text in set(got) if text.endswith("/2") and got.count(text) > 1]
            if twice:
                problems.append(f"{name}: QoS 2 twice: {twice[:5]}")
            client.disconnect(properties={"session_expiry_interval": 0})
    return problems


def _reaches(publisher: RawClient, name: str, payload: bytes) -> bool:
    answer = publisher.publish(name, payload, qos=1)
    return answer is not None and answer.reason_code == 0
