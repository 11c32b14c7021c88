"""A node dies for ever, with its disk: its durable sessions go on at another one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.client import RawClient
from harness.cluster import ClusterNode, await_routes, introduce, running
from harness.node import HOST, fresh_name
from harness.packets import (
    Connect,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    Subscription,
)
from harness.waiting import until
from harness.wire import Properties

HOUR = 3600


class Three:
    """A cluster of three, each with a disk. One of them dies and another one takes its place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.nodes = [
            ClusterNode(f"{name}@n", store=folder / name, takeover_s=20) for name in "abc"
        ]
        introduce(*self.nodes)
        self.until_doubled()

    def until_doubled(self) -> None:
        """Wait until another node keeps the sessions of each."""
        for node in self.nodes:
            until(
                lambda a=node: a.ask(partner=True)["is_whole"],  # type: ignore[misc]
                f"a partner of {node.name}",
                shows=lambda a=node: a.ask(partner=True),  # type: ignore[misc]
            )

    def partner(self, node: ClusterNode) -> ClusterNode:
        name = node.ask(partner=True)["name"]
        return next(other for other in self.nodes if other.name == name)

    def roles(self) -> tuple[ClusterNode, ClusterNode, ClusterNode]:
        """One that is to be lost, its partner, the third."""
        lost = self.nodes[0]
        partner = self.partner(lost)
        third = next(node for node in self.nodes if node not in (lost, partner))
        return lost, partner, third

    def others(self, node: ClusterNode) -> list[ClusterNode]:
        return [other for other in self.nodes if other is not node]

    def tell_lost(self, lost: ClusterNode) -> None:
        """Membership notices."""
        for node in self.others(lost):
            others = [other.peer() for other in self.others(lost) if other is not node]
            node.ask(peers=others)
            node.ask(lost=[lost.name], may_adopt=True)

    def lose(self, lost: ClusterNode, *, with_disk: bool = True) -> None:
        lost.kill9()
        if with_disk:
            shutil.rmtree(self._folder / lost.name[0])
        self.tell_lost(lost)

    def bring_back(self, lost: ClusterNode) -> None:
        lost.start()
        introduce(*self.nodes)
        for node in self.nodes:
            node.ask(lost=[])
        self.until_doubled()


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    with contextlib.ExitStack() as stack:
        found = Three(tmp_path_factory.mktemp("stores"))
        stack.enter_context(running(*found.nodes))
        yield found


def come(node: ClusterNode, client_id: str) -> tuple[RawClient, bool]:
    client = RawClient(HOST, node.port, 5)
    properties: Properties = {"session_expiry_interval": HOUR}
    answer = client.connect(Connect(client_id, False, 60, None, properties=properties))
    return client, answer.session_present


def take(client: RawClient, count: int) -> list[int]:
    got = []
    for _ in range(count):
        message = client.await_packet(Publish)
        got.append(int(message.payload))
        client.acknowledge(message)
    client.fence()
    client.expect_nothing()
    return got


def end(client: RawClient) -> None:
    client.disconnect(properties={"session_expiry_interval": 0})


@pytest.mark.parametrize("qos", [1, 2])
def test_every_acknowledged_message_comes_once_from_another_node(three: Three, qos: int) -> None:
    lost, partner, third = three.roles()
    name = fresh_name("s")
    client, _ = come(lost, name)
    client.subscribe(Subscription(f"{name}/#", 2))
    await_routes(lost, 1, partner, third)
    client.disconnect()
    count = 120
    with third.connect() as publisher:
        for n in range(count):
            publisher.publish(f"{name}/t", b"%d" % n, qos=qos)
        three.lose(lost)
        client, was_there = come(third, name)
        assert was_there
        assert take(client, count) == list(range(count)), "all of them, once, in order"
        # The subscription went along.
        publisher.publish(f"{name}/t", b"999", qos=qos)
        assert take(client, 1) == [999]
    end(client)
    three.bring_back(lost)


def test_what_was_in_flight_goes_on_under_its_identifier(three: Three) -> None:
    lost, partner, third = three.roles()
    name = fresh_name("flight")
    client, _ = come(lost, name)
    client.subscribe(Subscription(f"{name}/in", 2))
    with third.connect() as watcher, third.connect() as publisher:
        watcher.subscribe(f"{name}/out", qos=2)
        await_routes(third, 1, lost)
        await_routes(lost, 1, third)
        publisher.publish(f"{name}/in", b"1", qos=1)
        publisher.publish(f"{name}/in", b"2", qos=2)
        publisher.publish(f"{name}/in", b"3", qos=2)
        one, two, three_ = (client.await_packet(Publish) for _ in range(3))
        client.send(PubRec(two.packet_id))
        client.await_packet(PubRel, packet_id=two.packet_id)
        # What the client publishes has been received, and is not released.
        client.send(Publish(f"{name}/out", b"once", 2, 77))
        client.await_packet(PubRec, packet_id=77)
        watched = watcher.await_packet(Publish)
        watcher.acknowledge(watched)
        three.lose(lost)
        client, was_there = come(partner, name)
        assert was_there
        found = {}
        for _ in range(3):
            packet = client.await_within(60)
            assert isinstance(packet, Publish | PubRel)
            found[packet.packet_id] = packet
        assert found.keys() == {one.packet_id, two.packet_id, three_.packet_id}
        assert isinstance(found[two.packet_id], PubRel)
        again = [found[one.packet_id], found[three_.packet_id]]
        assert [(m.payload, m.dup) for m in again if isinstance(m, Publish)] == [
            (b"1", True),
            (b"3", True),
        ]
        client.send(Publish(f"{name}/out", b"once", 2, 77, dup=True))
        client.await_packet(PubRec, packet_id=77)
        client.send(PubRel(77))
        client.await_packet(PubComp, packet_id=77)
        watcher.fence()
        watcher.expect_nothing()
    end(client)
    three.bring_back(lost)


def test_messages_on_their_way_to_a_lost_node_are_held_and_come(three: Three) -> None:
    lost, partner, third = three.roles()
    name = fresh_name("way")
    away, _ = come(lost, name)
    away.subscribe(Subscription(f"{name}/#", 1))
    await_routes(lost, 1, partner, third)
    away.disconnect()
    publishers = [third.connect(), partner.connect()]
    lost.kill9()
    # Nobody knows yet that the node is lost: what is published for it is not acknowledged.
    for n, publisher in enumerate(publishers):
        publisher.send(Publish(f"{name}/t", b"%d" % n, 1, 7))
    # Nor does a client that wants its session get another one.
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(come, third, name)
        for publisher in publishers:
            assert publisher.await_within(0.3) is None
        assert not coming.done()
        three.tell_lost(lost)
        for publisher in publishers:
            publisher.await_packet(PubAck, packet_id=7)
        client, was_there = coming.result(60)
    assert was_there
    assert sorted(take(client, 2)) == [0, 1]
    for publisher in publishers:
        publisher.disconnect()
    end(client)
    three.bring_back(lost)


def test_a_node_that_comes_back_with_its_disk_gives_its_sessions_up(three: Three) -> None:
    lost, partner, third = three.roles()
    names = [fresh_name("back"), fresh_name("stays")]
    for name in names:
        client, _ = come(lost, name)
        client.subscribe(Subscription(f"{name}/#", 2))
        client.disconnect()
    await_routes(lost, 2, partner, third)
    with third.connect() as publisher:
        for name in names:
            for n in range(10):
                publisher.publish(f"{name}/t", b"%d" % n, qos=1 + n % 2)
        three.lose(lost, with_disk=False)
        client, was_there = come(partner, names[0])
        assert was_there
        assert take(client, 10) == list(range(10))
        three.bring_back(lost)
        until(lambda: not lost.clients(), "it has given them up", shows=lost.clients)
        # What came before comes no more, and nothing came to those that nobody fetched but once.
        publisher.publish(f"{names[0]}/t", b"10", qos=2)
        assert take(client, 1) == [10]
    other, was_there = come(lost, names[1])
    assert was_there
    assert take(other, 10) == list(range(10))
    for one in (client, other):
        end(one)


def test_a_session_without_expiry_is_nobodys_concern(three: Three) -> None:
    lost, _, third = three.roles()
    with lost.connect("gone") as client:
        client.subscribe("t")
        three.lose(lost)
        assert all("gone" not in node.clients() for node in three.others(lost))
        client.drop()
    again, was_there = come(third, "gone")
    assert not was_there
    end(again)
    three.bring_back(lost)


def test_when_the_partner_is_lost_another_one_has_everything(three: Three) -> None:
    lost, partner, third = three.roles()
    name = fresh_name("partner")
    client, _ = come(lost, name)
    client.subscribe(Subscription(f"{name}/#", 1))
    client.disconnect()
    await_routes(lost, 1, third)
    with third.connect() as publisher:
        for n in range(20):
            publisher.publish(f"{name}/t", b"%d" % n, qos=1)
        three.lose(partner)
        until(lambda: lost.ask(partner=True)["is_whole"], "another partner")
        assert lost.ask(partner=True)["name"] == third.name
        for n in range(20, 30):
            publisher.publish(f"{name}/t", b"%d" % n, qos=1)
    three.bring_back(partner)
    three.lose(lost)
    client, was_there = come(partner, name)
    assert was_there
    assert take(client, 30) == list(range(30))
    end(client)
    three.bring_back(lost)


def test_a_node_that_stops_keeps_what_it_takes_over(three: Three) -> None:
    """Also while its own partner does not answer, which nobody waits for any more."""
    # The partner of whose partner is not itself.
    pairs = [(node, three.partner(node)) for node in three.nodes]
    lost, partner = next((a, b) for a, b in pairs if three.partner(b) is not a)
    third = three.partner(partner)
    name = fresh_name("stops")
    # More than are on their way at once.
    names = {f"{name}-{n}" for n in range(150)}
    for one in names:
        client, _ = come(lost, one)
        client.subscribe(Subscription(one, 1))
        client.disconnect()
    lost.kill9()
    os.kill(third.pid, signal.SIGSTOP)
    try:
        partner.ask(peers=[third.peer()])
        partner.ask(lost=[lost.name], may_adopt=True)
        until(lambda: names & set(partner.clients()), "it has begun")
        partner.stop()
    finally:
        os.kill(third.pid, signal.SIGCONT)
    partner.start()
    assert names <= set(partner.clients())
    three.bring_back(lost)
    client, was_there = come(third, min(names))
    assert was_there
    end(client)
