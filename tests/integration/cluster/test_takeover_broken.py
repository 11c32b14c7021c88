"""Sessions that move while nodes crash, hang, or do not see each other."""

from __future__ import annotations

import contextlib
import random
import threading
from pathlib import Path

import pytest

from harness.client import ClosedError, RawClient
from harness.cluster import ClusterNode, Proxy, introduce, running
from harness.node import HOST
from harness.packets import ConnAck, Connect, Publish, Subscription
from harness.waiting import until
from harness.wire import Properties

HOUR = 3600
TAKEN_OVER = 0x8E


def come(node: ClusterNode, client_id: str, *, clean_start: bool = False) -> tuple[RawClient, bool]:
    client = RawClient(HOST, node.port, 5)
    properties: Properties = {"session_expiry_interval": HOUR}
    answer = client.connect(Connect(client_id, clean_start, 60, properties=properties))
    return client, answer.session_present


def fill(node: ClusterNode, client_id: str, count: int) -> None:
    """A session of a client that is away, with so many messages."""
    client, _ = come(node, client_id)
    client.subscribe(Subscription("t", 2))
    client.disconnect()
    with node.connect() as publisher:
        for n in range(count):
            publisher.publish("t", b"%d" % n, qos=1 + n % 2)


def take_all(client: RawClient, count: int) -> list[int]:
    got = []
    for _ in range(count):
        message = client.await_packet(Publish)
        client.acknowledge(message)
        got.append(int(message.payload))
    client.fence()
    client.expect_nothing()
    return got


def owners(*nodes: ClusterNode) -> list[str]:
    return [node.name for node in nodes if "c" in node.clients()]


@pytest.mark.parametrize("victim", ["a", "b"])
def test_a_crash_in_the_middle_of_a_move_leaves_one_session(tmp_path: Path, victim: str) -> None:
    chance = random.Random(f"a move, {victim}")
    nodes = {name: ClusterNode(f"{name}@n", store=tmp_path / name, takeover_s=0.5) for name in "ab"}
    a, b = nodes["a"], nodes["b"]
    count = 40
    with running(a, b):
        introduce(a, b)
        for _ in range(5):
            fill(a, "c", count)
            killed = threading.Timer(chance.uniform(0, 0.012), nodes[victim].kill9)
            client = RawClient(HOST, b.port, 5)
            properties: Properties = {"session_expiry_interval": HOUR}
            killed.start()
            packet = None
            with contextlib.suppress(ClosedError, OSError):
                client.send(Connect("c", False, 60, properties=properties))
                packet = client.await_packet(ConnAck)
            killed.join()
            client.drop()
            nodes[victim].start()
            introduce(a, b)
            until(lambda: len(owners(a, b)) == 1, "one of them has the session")
            # Whoever has it: nothing is lost.
            came_anew = packet is not None and not packet.session_present
            client, was_there = come(b, "c")
            assert was_there
            got = take_all(client, count)
            # A session that began without the other one gets what is of QoS 1 at the end.
            assert sorted(got) == list(range(count)), (came_anew, got)
            until(lambda: owners(a, b) == [b.name], "b has it")
            client.disconnect(properties={"session_expiry_interval": 0})
            until(lambda: owners(a, b) == [], "it is gone")


def test_a_node_that_is_down_gives_up_its_session_when_it_is_back(tmp_path: Path) -> None:
    a = ClusterNode("a@n", store=tmp_path / "a")
    b = ClusterNode("b@n", store=tmp_path / "b", takeover_s=1)
    with running(a, b):
        introduce(a, b)
        fill(a, "c", 10)
        a.kill9()
        # Membership does not know yet: the client waits, then it begins anew.
        client, was_there = come(b, "c")
        assert not was_there
        client.subscribe(Subscription("t", 2))
        b.ask(peers=[])
        with b.connect() as publisher:
            publisher.publish("t", b"10", qos=1)
            client.receive("t", b"10")
        a.start()
        introduce(a, b)
        assert sorted(take_all(client, 10)) == list(range(10))
        until(lambda: owners(a, b) == [b.name], "a gives it up")
        # Nor does it come back with another start.
        a.kill9()
        a.start()
        introduce(a, b)
        assert owners(a, b) == [b.name]


def test_nodes_that_see_each_other_again_keep_the_later_connection() -> None:
    a, b = ClusterNode("a@n"), ClusterNode("b@n", takeover_s=0.2)
    with running(a, b), Proxy(b.lanes) as to_b, Proxy(a.lanes) as to_a:
        a.ask(peers=[b.peer(to_b.port)])
        b.ask(peers=[a.peer(to_a.port)])
        until(lambda: a.status(b)["is_connected"] and b.status(a)["is_connected"], "lanes")
        first, _ = come(a, "c")
        to_a.cut()
        to_b.cut()
        until(lambda: not a.status(b)["is_connected"] and not b.status(a)["is_connected"], "a cut")
        second, was_there = come(b, "c")
        assert not was_there
        assert owners(a, b) == [a.name, b.name]
        to_a.heal()
        to_b.heal()
        assert first.expect_closed([TAKEN_OVER]) is not None
        until(lambda: owners(a, b) == [b.name], "one session")
        second.expect_nothing()


def test_a_node_that_hangs_is_waited_for_no_longer_than_is_said(tmp_path: Path) -> None:
    a, b = ClusterNode("a@n"), ClusterNode("b@n", takeover_s=0.5)
    with running(a, b), Proxy(b.lanes) as to_b:
        a.ask(peers=[b.peer(to_b.port)])
        b.ask(peers=[a.peer()])
        until(lambda: a.status(b)["is_connected"] and b.status(a)["is_connected"], "lanes")
        first, _ = come(a, "c")
        # It hears the question, and what it says does not come.
        to_b.freeze()
        second, was_there = come(b, "c")
        assert not was_there
        assert first.expect_closed([TAKEN_OVER]) is not None
        to_b.heal()
        until(lambda: owners(a, b) == [b.name], "one session")
        second.expect_nothing()
