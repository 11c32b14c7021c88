"""What a link that keeps messages promises: nothing that was acknowledged is lost when an end dies, or is away
for long.

Publishers send one after the other, so the order of what arrives is known. What came before may come again.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness.client import ClosedError, RawClient
from harness.clock import Clock, clock_library
from harness.linked import PASSWORD, USER, Side, side
from harness.node import HOST, Where
from harness.operator import eventually
from harness.packets import Connect, PubAck, Publish
from harness.ports import free_port
from harness.wire import Properties

FOREVER = 0xFFFFFFFF
MINUTE_S, DAY_S = 60, 86_400


@dataclass
class Ends:
    """The cluster that keeps messages, the one that is away, and the clock of both."""

    keeps: Side
    away: Side
    clock: Clock

    def link(self) -> None:
        for one, other in ((self.keeps, self.away), (self.away, self.keeps)):
            one.put(one.link_to(other))
        self.stand()

    def stand(self) -> None:
        self.keeps.wait_for("away", None)
        self.away.wait_for("keeps", None)


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    """Two clusters that find each other where they were after a restart."""
    folder = tmp_path_factory.mktemp("ends")
    clock = Clock(folder / "clock", clock_library(folder))
    where = Where(prefix=clock.prefix)

    def settings() -> dict[str, str]:
        # What is sent twice must push nothing out of the queue of a subscriber.
        queue = {"mqtt.max_mqueue_len": "100000"}
        return {"listeners.tcp.default.bind": f"{HOST}:{free_port()}", **queue}

    with (
        side(folder / "keeps", "keeps", ("away",), where, **settings()) as keeps,
        side(folder / "away", "away", ("keeps",), where, **settings()) as away,
    ):
        found = Ends(keeps, away, clock)
        # Whatever is published is wanted there, from the first message of each test on.
        subscriber(away, "t/#").drop()
        found.link()
        keeps.wait_for_routes("away", 1)
        yield found


@contextlib.contextmanager
def paused(of: Side) -> Iterator[None]:
    """It stands still, and nobody is told."""
    pid = of.operator.node.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def subscriber(at: Side, topic_filter: str) -> RawClient:
    """One whose session stays."""
    client = RawClient(HOST, at.operator.node.port, 5)
    expiry: Properties = {"session_expiry_interval": FOREVER}
    packet = Connect(f"reader of {topic_filter}", False, 600, None, USER, PASSWORD.encode(), expiry)
    client.connect(packet)
    client.subscribe(topic_filter, qos=1)
    return client


def publish(at: Side, topic: str, numbers: range) -> None:
    with at.client("writer") as writer:
        for number in numbers:
            writer.publish(topic, b"%d" % number, qos=1 + number % 2)


def receive(reader: RawClient, numbers: range) -> None:
    """All of them come, in order."""
    expected = numbers.start
    while expected < numbers.stop:
        number = int(reader.receive().payload)
        assert number <= expected
        expected = max(expected, number + 1)


def kept(ends: Ends) -> int:
    [node] = ends.keeps.link("away")["node_status"]
    assert node["store"] == "agreed"
    return int(node["stored"])


def test_what_was_acknowledged_is_on_disk_when_this_end_is_killed(ends: Ends) -> None:
    topic = "t/killed-here"
    with subscriber(ends.away, topic) as reader:
        with paused(ends.away):
            # The link stands as far as anybody knows, and nothing is taken at its other end.
            publish(ends.keeps, topic, range(200))
            ends.keeps.operator.node.kill9()
        ends.keeps.operator.node.start()
        receive(reader, range(200))


def test_a_kill_amid_messages_loses_none_that_was_acknowledged(ends: Ends) -> None:
    topic = "t/amid"
    ends.stand()
    with subscriber(ends.away, topic) as reader:
        writer = ends.keeps.client("writer")
        known = 0
        # Half of the last window is not waited for.
        for window in range(40):
            first = window * 20
            writer.send(
                *(Publish(topic, b"%d" % n, 1, 1 + n % 60) for n in range(first, first + 20))
            )
            for _ in range(20 if window < 39 else 10):
                writer.expect(PubAck)
                known += 1
        ends.keeps.operator.node.kill9()
        with contextlib.suppress(ClosedError):
            while True:
                writer.expect(PubAck)
                known += 1
        ends.keeps.operator.node.start()
        receive(reader, range(known))


def test_what_was_acknowledged_arrives_when_the_other_end_is_killed(ends: Ends) -> None:
    topic = "t/killed-there"
    ends.stand()
    subscriber(ends.away, topic).drop()
    publish(ends.keeps, topic, range(50))
    ends.away.operator.node.kill9()
    publish(ends.keeps, topic, range(50, 150))
    ends.away.operator.node.start()
    publish(ends.keeps, topic, range(150, 200))
    with subscriber(ends.away, topic) as reader:
        receive(reader, range(200))
    eventually(lambda: kept(ends) == 0)


def test_an_outage_of_a_day_loses_nothing_and_one_beyond_the_age_what_is_too_old(
    ends: Ends,
) -> None:
    topic = "t/day"
    ends.stand()
    subscriber(ends.away, topic).drop()
    ends.away.operator.node.stop()
    publish(ends.keeps, topic, range(50))
    ends.clock.jump(10 * MINUTE_S)
    publish(ends.keeps, topic, range(50, 100))
    ends.clock.jump(DAY_S)
    # Half way the other end dies as well.
    ends.keeps.operator.node.kill9()
    ends.keeps.operator.node.start()
    publish(ends.keeps, topic, range(100, 150))
    eventually(lambda: kept(ends) == 150)
    [node] = ends.keeps.link("away")["node_status"]
    assert node["stored_bytes"] > 0
    assert node["stored_since"] < node["since"]
    ends.away.operator.node.start()
    with subscriber(ends.away, topic) as reader:
        receive(reader, range(150))
        ends.stand()
        eventually(lambda: kept(ends) == 0)

        ends.away.operator.node.stop()
        publish(ends.keeps, topic, range(150, 160))
        ends.clock.jump(8 * DAY_S)
        publish(ends.keeps, topic, range(160, 170))
        ends.away.operator.node.start()
    with subscriber(ends.away, topic) as reader:
        receive(reader, range(160, 170))
    assert ends.keeps.metrics("away")["forwarding"]["dropped"] == 10
