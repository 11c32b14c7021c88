"""Retained messages: on every node at once, and alike again whatever happened between them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import ClusterNode, Proxy, await_retained, introduce, running
from harness.packets import PubAck, Publish
from harness.waiting import until

Nodes = tuple[ClusterNode, ClusterNode, ClusterNode]


@pytest.fixture(scope="module")
def three() -> Iterator[Nodes]:
    nodes = (ClusterNode("a@n"), ClusterNode("b@n"), ClusterNode("c@n"))
    with running(*nodes):
        introduce(*nodes)
        yield nodes


def keep(node: ClusterNode, topic: str, payload: str, qos: int = 1, **properties: Any) -> None:
    with node.connect() as client:
        client.publish(topic, payload.encode(), qos=qos, retain=True, properties=properties or None)


def clear(node: ClusterNode, *topics: str) -> None:
    with node.connect() as client:
        for topic in topics:
            client.publish(topic, b"", qos=1, retain=True)


@pytest.mark.parametrize("qos", [1, 2])
def test_what_is_acknowledged_is_there_for_who_subscribes_anywhere(three: Nodes, qos: int) -> None:
    a, b, c = three
    topic = f"plant/ü {qos}/state"
    properties: dict[str, Any] = {"content_type": "text/plain", "user_property": [("k", "v")]}
    keep(a, topic, "on", qos, **properties)
    for node in (b, c, a):
        with node.connect() as client:
            client.subscribe("plant/+/state", qos=1)
            got = client.receive(topic, b"on")
            assert got.retain
            assert got.properties["content_type"] == "text/plain"
            assert got.properties["user_property"] == [("k", "v")]
    clear(c, topic)
    assert topic not in a.retained() | b.retained() | c.retained(), "gone when it is acknowledged"


def test_the_latest_change_holds_wherever_it_was_made(three: Nodes) -> None:
    a, b, c = three
    for n, node in enumerate((a, b, c, b, a, c)):
        keep(node, "last", str(n))
    assert [node.retained()["last"] for node in three] == ["5"] * 3
    clear(b, "last")
    assert [node.retained().get("last") for node in three] == [None] * 3
    keep(c, "last", "again")
    assert [node.retained()["last"] for node in three] == ["again"] * 3
    clear(a, "last")


def test_a_message_of_qos_0_comes_too(three: Nodes) -> None:
    a, b, c = three
    keep(b, "zero", "0", qos=0)
    await_retained({"zero": "0"}, a, b, c)
    clear(a, "zero")


def test_what_expires_is_over_everywhere(three: Nodes) -> None:
    a, b, c = three
    keep(a, "short", "x", message_expiry_interval=1)
    assert "short" in b.retained()
    await_retained({}, a, b, c)
    with c.connect() as client:
        client.subscribe("short")
        client.expect_nothing()


def test_a_node_that_joins_gets_thousands(three: Nodes) -> None:
    a, b, c = three
    wanted = {f"many/{n % 50}/{n}": str(n) for n in range(3000)}
    with a.connect() as client:
        for n, (topic, payload) in enumerate(wanted.items()):
            client.send(Publish(topic, payload.encode(), 1, n % 60_000 + 1, retain=True))
            if n % 20 == 19:
                for _ in range(20):
                    client.await_packet(PubAck)
    assert b.retained() == c.retained() == wanted
    late = ClusterNode("d@n")
    with running(late):
        keep(late, "own", "of the joiner")
        introduce(a, b, c, late)
        wanted["own"] = "of the joiner"
        await_retained(wanted, late, a, b, c)
        with late.connect() as client:
            client.subscribe("many/7/+", qos=1)
            got = set()
            for _ in range(60):
                message = client.await_packet(Publish)
                client.acknowledge(message)
                got.add(message.topic_name)
            assert got == {topic for topic in wanted if topic.startswith("many/7/")}
    introduce(a, b, c)
    clear(b, *wanted)
    await_retained({}, a, b, c)


def two_with_a_proxy_between(a: ClusterNode, b: ClusterNode, to_a: Proxy, to_b: Proxy) -> None:
    a.ask(peers=[b.peer(to_b.port)])
    b.ask(peers=[a.peer(to_a.port)])
    for one, other in ((a, b), (b, a)):
        until(lambda x=one, y=other: x.status(y)["is_connected"], "lanes")  # type: ignore[misc]


def test_after_a_split_both_sides_are_alike(tmp_path: Path) -> None:
    a = ClusterNode("a@n", store=tmp_path / "a", retainer={"ack_timeout_ms": 500})
    b = ClusterNode("b@n", store=tmp_path / "b", retainer={"ack_timeout_ms": 500})
    with running(a, b), Proxy(a.lanes) as to_a, Proxy(b.lanes) as to_b:
        two_with_a_proxy_between(a, b, to_a, to_b)
        for name in ("both", "gone", "back", "stays"):
            keep(a, name, "before")
        assert b.retained() == a.retained()
        for proxy in (to_a, to_b):
            proxy.cut()
        until(lambda: not a.status(b)["is_connected"], "the cut is noticed")
        until(lambda: not b.status(a)["is_connected"], "the cut is noticed")
        # Each side goes on; of two changes of a topic the later one holds.
        keep(a, "both", "of a")
        keep(b, "both", "of b, later")
        clear(b, "gone")
        clear(a, "back")
        keep(b, "back", "again")
        keep(a, "only/a", "1")
        keep(b, "only/b", "2")
        clear(a, "never/there")
        for proxy in (to_a, to_b):
            proxy.heal()
        wanted = {"both": "of b, later", "back": "again", "stays": "before"}
        await_retained({**wanted, "only/a": "1", "only/b": "2"}, a, b)


def test_a_node_that_hangs_holds_nobody_up_for_ever_and_catches_up() -> None:
    a = ClusterNode("a@n", retainer={"ack_timeout_ms": 700})
    b = ClusterNode("b@n")
    with running(a, b):
        introduce(a, b)
        os.kill(b.pid, signal.SIGSTOP)
        try:
            with a.connect() as client:
                client.publish("hang", b"1", qos=1, retain=True)
            # The acknowledgement does not wait for the counter.
            until(lambda: a.metric("retained.unconfirmed") == 1, "it was counted")
        finally:
            os.kill(b.pid, signal.SIGCONT)
        await_retained({"hang": "1"}, a, b)
        keep(a, "hang", "2")
        until(lambda: b.retained() == {"hang": "2"}, "it follows again")


def test_an_acknowledged_message_outlives_the_node_that_took_it(tmp_path: Path) -> None:
    a, b = ClusterNode("a@n", store=tmp_path / "a"), ClusterNode("b@n", store=tmp_path / "b")
    with running(a, b):
        introduce(a, b)
        with a.connect() as client:
            for n in range(200):
                client.publish(f"t/{n}", b"%d" % n, qos=1, retain=True)
        clear(a, "t/0")
        a.kill9()
        wanted = {f"t/{n}": str(n) for n in range(1, 200)}
        assert b.retained() == wanted
        b.ask(peers=[])
        keep(b, "t/1", "changed")
        clear(b, "t/2")
        wanted["t/1"] = "changed"
        del wanted["t/2"]
        b.kill9()
        # Everything was on both disks; what one missed it hears of.
        b.start()
        a.start()
        assert b.retained() == wanted
        assert a.retained()["t/1"] == "1"
        introduce(a, b)
        await_retained(wanted, a, b)


def test_bounds_of_the_retainer_hold_on_each_node() -> None:
    a, b = ClusterNode("a@n"), ClusterNode("b@n", retainer={"max_retained_messages": 3})
    with running(a, b):
        introduce(a, b)
        for n in range(5):
            keep(a, f"b/{n}", str(n))
        assert len(a.retained()) == 5
        assert b.retained() == {f"b/{n}": str(n) for n in range(3)}
        keep(a, "b/0", "new")
        assert b.retained()["b/0"] == "new"
        clear(a, "b/1")
        assert "b/1" not in b.retained()
