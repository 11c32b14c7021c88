"""Messages between nodes that know of each other: who gets them, once, and in which order."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from harness.client import RawClient
from harness.cluster import ClusterNode, await_routes, introduce, running
from harness.packets import PubAck, Publish, Subscription
from harness.wire import Properties

Nodes = tuple[ClusterNode, ClusterNode, ClusterNode]


@pytest.fixture(scope="module")
def three() -> Iterator[Nodes]:
    nodes = (ClusterNode("a@n"), ClusterNode("b@n"), ClusterNode("c@n"))
    with running(*nodes):
        introduce(*nodes)
        yield nodes


@pytest.fixture
def nodes(three: Nodes) -> Nodes:
    """The nodes, without a subscription anywhere."""
    for node in three:
        others = [other for other in three if other is not node]
        await_routes(node, 0, *others)
    return three


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_message_goes_to_subscribers_of_every_node(nodes: Nodes, qos: int) -> None:
    a, b, c = nodes
    here, there, far = (node.connect() for node in nodes)
    with here, there, far:
        for client in (here, there, far):
            client.subscribe("t/+/x", qos=qos)
        await_routes(b, 1, a)
        await_routes(c, 1, a)
        here.publish("t/ü 1/x", b"to all", qos=qos)
        for client in (there, far):
            client.receive("t/ü 1/x", b"to all")


def test_any_topic_passes_unchanged(nodes: Nodes) -> None:
    a, b, _ = nodes
    chance = random.Random(8)
    letters = "/ .*>#+$%?&=\"'\\~üß中文字🦀🏳️‍🌈אب\u00a0\u200b\u2028\ufeff\ufffd\U0010fffd"
    letters = letters.replace("#", "").replace("+", "")
    topics = [
        "/", "//", " ", "a/", "/a", "a//b", "$", "$x/y", "ä" * 32_000, "🦀" * 16_000,
        *("x" + "".join(chance.choices(letters, k=chance.randint(1, 40))) for _ in range(200)),
    ]  # fmt: skip
    with a.connect() as publisher, b.connect() as subscriber:
        subscriber.subscribe("#", "$/#", "$x/#", qos=1)
        await_routes(b, 3, a)
        for topic in topics:
            publisher.publish(topic, b"x", qos=1)
            assert subscriber.receive().topic_name == topic


def test_properties_and_flags_go_with_a_message(nodes: Nodes) -> None:
    a, b, _ = nodes
    with a.connect() as publisher, b.connect() as subscriber:
        kept = Subscription("p/#", 1, retain_as_published=True)
        subscriber.subscribe(kept)
        await_routes(b, 1, a)
        properties: Properties = {
            "content_type": "text/plain",
            "response_topic": "answers",
            "correlation_data": b"\x00\xff",
            "user_property": [("a", "1"), ("a", "2")],
            "message_expiry_interval": 60,
        }
        publisher.publish("p/1", b"x", qos=1, retain=True, properties=properties)
        got = subscriber.receive("p/1", b"x")
        assert got.retain
        assert got.properties["message_expiry_interval"] in {59, 60}
        for name in ("content_type", "response_topic", "correlation_data", "user_property"):
            assert got.properties[name] == properties[name]
        publisher.publish("p/1", b"", qos=1, retain=True)


def test_a_node_gets_one_copy_however_many_filters_and_clients(nodes: Nodes) -> None:
    a, b, c = nodes
    before = b.status(a)["received"]
    first, second = b.connect(), b.connect()
    with a.connect() as publisher, first, second:
        first.subscribe("one/#", "one/+", "one/copy")
        second.subscribe("#", "one/#")
        await_routes(b, 4, a)
        for n in range(10):
            publisher.publish("one/copy", b"%d" % n, qos=1)
        for client in (first, second):
            for n in range(10):
                client.receive("one/copy", b"%d" % n)
            client.expect_nothing()
    assert b.status(a)["received"] - before == 10
    assert c.status(a)["received"] == a.status(c)["sent"]


def test_order_of_a_publisher_holds_on_every_node(nodes: Nodes) -> None:
    a, b, c = nodes
    publishers = [a.connect() for _ in range(3)]
    subscribers = [b.connect(), c.connect()]
    for client in subscribers:
        client.subscribe("order/+", qos=1)
    await_routes(b, 1, a)
    await_routes(c, 1, a)
    for n in range(30):
        for at, publisher in enumerate(publishers):
            publisher.send(Publish(f"order/{at}", b"%d" % n, n % 2, n + 1 if n % 2 else 0))
    for publisher in publishers:
        for _ in range(15):
            assert publisher.await_packet(PubAck).reason_code == 0
    for client in subscribers:
        got: dict[tuple[str, int], list[int]] = {}
        for _ in range(90):
            message = client.await_packet(Publish)
            client.acknowledge(message)
            got.setdefault((message.topic_name, message.qos), []).append(int(message.payload))
        # Order is promised within a QoS: what waits for room in the window may be overtaken.
        assert got == {
            (f"order/{at}", qos): list(range(qos, 30, 2)) for at in range(3) for qos in (0, 1)
        }
        client.expect_nothing()
    for client in (*publishers, *subscribers):
        client.disconnect()


def test_a_shared_subscription_over_nodes_gets_one_copy_and_every_member_some(
    nodes: Nodes,
) -> None:
    a, b, c = nodes
    members = [a.connect(), b.connect(), c.connect(), c.connect()]
    with a.connect() as publisher:
        for member in members:
            member.subscribe("$share/g/jobs/#", qos=1)
        await_routes(b, 1, a)
        await_routes(c, 1, a)
        # The second member of a node is a change of the same route.
        for n in range(40):
            publisher.publish("jobs/1", b"%d" % n, qos=1)
        got = [drain(member) for member in members]
        assert sorted(n for part in got for n in part) == list(range(40))
        assert all(len(part) >= 4 for part in got), got
    for member in members:
        member.disconnect()


def test_with_the_strategy_local_members_of_the_own_node_are_preferred() -> None:
    a, b = nodes = [ClusterNode(name, strategy="local") for name in ("a@n", "b@n")]
    with running(*nodes):
        introduce(*nodes)
        with a.connect() as publisher, a.connect() as near, b.connect() as far:
            for member in (near, far):
                member.subscribe("$share/g/jobs/#", qos=1)
            await_routes(b, 1, a)
            for n in range(10):
                publisher.publish("jobs/1", b"%d" % n, qos=1)
            assert [drain(near), drain(far)] == [list(range(10)), []]
            near.unsubscribe("$share/g/jobs/#")
            publisher.publish("jobs/1", b"10", qos=1)
            assert drain(far) == [10]


def test_who_wants_nothing_of_its_own_gets_what_others_publish(nodes: Nodes) -> None:
    a, b, _ = nodes
    with a.connect() as one, b.connect() as other:
        for client in (one, other):
            client.subscribe(Subscription("mine/#", 1, no_local=True))
        await_routes(a, 1, b)
        await_routes(b, 1, a)
        one.publish("mine/1", b"of one", qos=1)
        other.receive("mine/1", b"of one")
        other.publish("mine/1", b"of the other", qos=1)
        one.receive("mine/1", b"of the other")
        for client in (one, other):
            client.expect_nothing()


def drain(client: RawClient) -> list[int]:
    """What a client has got, up to an answer that comes behind all of it."""
    got = []
    while (message := client.await_within(0.5)) is not None:
        assert isinstance(message, Publish)
        client.acknowledge(message)
        got.append(int(message.payload))
    return got


def test_nothing_comes_after_the_last_subscriber_of_a_node_has_left(nodes: Nodes) -> None:
    a, b, _ = nodes
    with a.connect() as publisher, b.connect() as one, b.connect() as other:
        one.subscribe("left")
        other.subscribe("left")
        await_routes(b, 1, a)
        one.unsubscribe("left")
        publisher.publish("left", b"still", qos=1)
        other.receive("left", b"still")
        other.unsubscribe("left")
        await_routes(b, 0, a)
        sent = a.status(b)["sent"]
        ack = publisher.publish("left", b"gone", qos=1)
        assert ack is not None
        assert ack.reason_code == 0x10, "nobody is subscribed anywhere"
        assert a.status(b)["sent"] == sent
