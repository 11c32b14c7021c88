"""Wills and delayed messages of a node that is lost: another one publishes them, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import RawClient
from harness.cluster import ClusterNode, await_routes, introduce, running
from harness.node import HOST
from harness.packets import Connect, Publish, Will
from harness.waiting import until

Nodes = tuple[ClusterNode, ClusterNode, ClusterNode]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    found = (ClusterNode("a@n", store=tmp_path / "a"), ClusterNode("b@n"), ClusterNode("c@n"))
    with running(*found):
        introduce(*found)
        yield found


def with_will(node: ClusterNode, client_id: str, delay_s: int = 0, expiry_s: int = 0) -> RawClient:
    client = RawClient(HOST, node.port, 5)
    properties: dict[str, Any] = {"will_delay_interval": delay_s} if delay_s else {}
    will = Will(f"wills/{client_id}", b"lost", 1, properties=properties)
    session: dict[str, Any] = {"session_expiry_interval": expiry_s} if expiry_s else {}
    client.connect(Connect(client_id, True, 60, will, properties=session))
    return client


def lose(lost: ClusterNode, *others: ClusterNode) -> None:
    """A node dies, and the others are told so."""
    lost.kill9()
    for node in others:
        node.ask(peers=[other.peer() for other in others if other is not node])
    for node in others:
        node.ask(lost=[lost.name])


def topics_of(client: RawClient, count: int) -> set[str]:
    found = []
    for _ in range(count):
        message = client.await_packet(Publish)
        client.acknowledge(message)
        found.append(message.topic_name)
    assert len(set(found)) == count, found
    return set(found)


def known(count: int, *at: ClusterNode) -> None:
    for node in at:
        until(lambda a=node: a.ask(pledges=True) == count, f"{count} pledges")  # type: ignore[misc]


def test_wills_of_a_lost_node_are_published_once_by_the_others(nodes: Nodes) -> None:
    a, b, c = nodes
    watch = b.connect()
    watch.subscribe("wills/#", qos=1)
    await_routes(b, 1, a, c)
    clients = [with_will(a, f"w{n}") for n in range(20)]
    said_goodbye = with_will(a, "polite")
    elsewhere = with_will(c, "elsewhere")
    known(22, b, c)
    said_goodbye.disconnect()
    known(21, b, c)
    lose(a, b, c)
    assert topics_of(watch, 20) == {f"wills/w{n}" for n in range(20)}
    watch.expect_nothing()
    # The node comes back with the wills on its disk: they are not published again.
    a.start()
    introduce(a, b, c)
    known(1, a, b, c)
    watch.expect_nothing()
    elsewhere.drop()
    assert topics_of(watch, 1) == {"wills/elsewhere"}
    for client in clients:
        client.drop()


def test_a_delayed_will_waits_and_a_client_that_comes_back_keeps_it_away(nodes: Nodes) -> None:
    a, b, c = nodes
    watch = b.connect()
    watch.subscribe("wills/#", qos=1)
    await_routes(b, 1, a, c)
    with_will(a, "waits", delay_s=2, expiry_s=60)
    with_will(a, "returns", delay_s=2, expiry_s=60)
    known(2, b, c)
    lose(a, b, c)
    back = c.connect("returns", clean_start=False, session_expiry_interval=60)
    assert topics_of(watch, 1) == {"wills/waits"}
    known(0, b, c)
    watch.expect_nothing()
    back.disconnect()


def test_a_delayed_message_of_a_lost_node_comes_when_it_is_due(nodes: Nodes) -> None:
    a, b, c = nodes
    watch = b.connect()
    watch.subscribe("later", qos=1)
    await_routes(b, 1, a, c)
    with a.connect() as client:
        client.publish("$delayed/3/later", b"1", qos=1)
    assert b.ask(pledges=True) == c.ask(pledges=True) == 1, "known when it is acknowledged"
    lose(a, b, c)
    watch.receive("later", b"1")
    known(0, b, c)
    watch.expect_nothing()
