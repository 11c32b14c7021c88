"""Retained messages: what is kept, replaced and removed, and who is given them."""

from __future__ import annotations

import pytest

from harness.node import Node, StartNode, fresh_name
from harness.packets import ConnAck, Connect, Publish, Subscription, Will
from harness.statements import V5, V311, statement


@statement(V311, "MQTT-3.3.1-5", "MQTT-3.3.1-6", "MQTT-3.3.1-8")
@statement(V5, "MQTT-3.3.1-5", "MQTT-3.3.1-9")
@pytest.mark.parametrize("granted", [0, 1, 2])
@pytest.mark.parametrize("published", [0, 1, 2])
def test_a_new_subscription_gets_the_retained_message(
    node: Node, level: int, topic: str, published: int, granted: int
) -> None:
    node.connect(level=level).publish(topic, b"kept", qos=published, retain=True)
    reader = node.connect(level=level)
    reader.subscribe(topic, qos=granted)
    reader.receive(topic, b"kept", retain=True, qos=min(published, granted), dup=False)


@statement(V311, "MQTT-3.3.1-5", "MQTT-3.3.1-7")
@statement(V5, "MQTT-3.3.1-5")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_only_the_last_retained_message_is_kept(
    node: Node, level: int, topic: str, qos: int
) -> None:
    publisher, reader = node.connect(level=level), node.connect(level=level)
    publisher.publish(topic, b"old", qos=2, retain=True)
    publisher.publish(topic, b"new", qos=qos, retain=True)
    reader.subscribe(topic, qos=2)
    reader.receive(topic, b"new", retain=True, qos=qos)
    reader.expect_nothing_from(publisher, 2)


@statement(V311, "MQTT-3.3.1-10", "MQTT-3.3.1-11")
@statement(V5, "MQTT-3.3.1-6", "MQTT-3.3.1-7")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_an_empty_payload_removes_the_retained_message(
    node: Node, level: int, topic: str, qos: int
) -> None:
    watcher, publisher = node.connect(level=level), node.connect(level=level)
    publisher.publish(topic, b"kept", qos=1, retain=True)
    watcher.subscribe(topic, qos=2)
    watcher.receive(topic, b"kept", retain=True)
    publisher.publish(topic, b"", qos=qos, retain=True)
    watcher.receive(topic, b"", retain=False, qos=qos)  # delivered as any other message

    reader = node.connect(level=level)
    reader.subscribe(topic, qos=2)
    reader.expect_nothing_from(publisher, 2)


@statement(V311, "MQTT-3.3.1-12")
@statement(V5, "MQTT-3.3.1-8")
@pytest.mark.parametrize("payload", [b"passing", b""])
def test_a_message_without_retain_changes_nothing_kept(
    node: Node, level: int, topic: str, payload: bytes
) -> None:
    publisher, reader = node.connect(level=level), node.connect(level=level)
    publisher.publish(topic, b"kept", qos=1, retain=True)
    publisher.publish(topic, payload, qos=1)
    reader.subscribe(topic, qos=1)
    reader.receive(topic, b"kept", retain=True)
    reader.expect_nothing_from(publisher, 1)


@statement(V311, "MQTT-3.3.1-9")
@statement(V5, "MQTT-3.3.1-12")
def test_established_subscriptions_see_retain_0(node: Node, level: int, topic: str) -> None:
    reader, publisher = node.connect(level=level), node.connect(level=level)
    reader.subscribe(topic, qos=1)
    publisher.publish(topic, b"kept", qos=1, retain=True)
    reader.receive(topic, b"kept", retain=False)


@statement(V311, "MQTT-3.8.4-3")
@statement(V5, "MQTT-3.8.4-4", "MQTT-3.8.4-3")
def test_subscribing_again_gives_the_retained_message_again(
    node: Node, level: int, topic: str
) -> None:
    reader, publisher = node.connect(level=level), node.connect(level=level)
    publisher.publish(topic, b"kept", qos=1, retain=True)
    for _ in range(3):
        reader.subscribe(topic, qos=1)
        reader.receive(topic, b"kept", retain=True)
    publisher.publish(topic, b"live", qos=1)
    reader.receive(topic, b"live", retain=False)
    reader.expect_nothing_from(publisher, 1)


@statement(V311, "MQTT-3.3.1-6")
@statement(V5, "MQTT-3.3.1-9")
@pytest.mark.parametrize(
    ("suffix", "wanted"),
    [
        ("/#", {"", "/a", "/a/b", "/a/b/c", "/d", "//e"}),
        ("/+", {"/a", "/d"}),
        ("/+/b", {"/a/b"}),
        ("/a/#", {"/a", "/a/b", "/a/b/c"}),
        ("/+/+", {"/a/b", "//e"}),
        ("/+/#", {"/a", "/a/b", "/a/b/c", "/d", "//e"}),
        ("//+", {"//e"}),
        ("/a", {"/a"}),
        ("/nothing/+", set()),
    ],
)
def test_wildcards_find_all_retained_messages_that_match(
    node: Node, level: int, topic: str, suffix: str, wanted: set[str]
) -> None:
    publisher, reader = node.connect(level=level), node.connect(level=level)
    for name in ("", "/a", "/a/b", "/a/b/c", "/d", "//e"):
        publisher.publish(topic + name, name.encode() or b"root", qos=1, retain=True)
    reader.subscribe(topic + suffix, qos=1)
    found = {reader.receive(retain=True).topic_name.removeprefix(topic) for _ in wanted}
    assert found == wanted
    reader.expect_nothing_from(publisher, 1)


@statement(V311, "MQTT-4.7.2-1")
@statement(V5, "MQTT-4.7.2-1")
def test_leading_wildcards_find_no_retained_dollar_topics(node: Node, level: int) -> None:
    name = fresh_name("$conf/")
    publisher, reader = node.connect(level=level), node.connect(level=level)
    publisher.publish(name, b"x", qos=0, retain=True)
    leaf = name.removeprefix("$conf")
    reader.subscribe(f"+{leaf}")
    reader.expect_nothing_from(publisher)


@statement(V5, "MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11", "MQTT-3.8.4-4")
@pytest.mark.parametrize(
    ("handling", "on_first", "on_second"), [(0, True, True), (1, True, False), (2, False, False)]
)
def test_retain_handling(
    node: Node, topic: str, handling: int, on_first: bool, on_second: bool
) -> None:
    publisher, reader = node.connect(level=5), node.connect(level=5)
    publisher.publish(topic, b"kept", qos=1, retain=True)
    for is_sent in (on_first, on_second):
        reader.subscribe(Subscription(topic, 1, retain_handling=handling))
        if is_sent:
            reader.receive(topic, b"kept", retain=True)
        reader.expect_nothing_from(publisher, 1)


@statement(V5, "MQTT-3.3.1-12", "MQTT-3.3.1-13")
@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize("as_published", [False, True])
def test_retain_as_published(node: Node, topic: str, retain: bool, as_published: bool) -> None:
    publisher, reader = node.connect(level=5), node.connect(level=5)
    reader.subscribe(Subscription(topic, 1, retain_as_published=as_published))
    publisher.publish(topic, b"x", qos=1, retain=retain)
    reader.receive(topic, b"x", retain=retain and as_published)


@statement(V5, "MQTT-3.3.1-9")
def test_shared_subscriptions_are_given_no_retained_messages(node: Node, topic: str) -> None:
    publisher, reader = node.connect(level=5), node.connect(level=5)
    publisher.publish(topic, b"kept", qos=1, retain=True)
    reader.subscribe(f"$share/{fresh_name('g')}/{topic}", qos=1)
    reader.expect_nothing_from(publisher, 1)


@statement(V5, "MQTT-3.2.2-13", "MQTT-3.2.2-14")
def test_a_broker_without_retain_refuses_it(shared_nodes: StartNode, topic: str) -> None:
    broker = shared_nodes({"mqtt.retain_available": "false"})
    client = broker.connect(level=5)
    assert client.connack.properties["retain_available"] == 0
    client.send(Publish(topic, b"x", 0, 0, retain=True))
    client.expect_closed({0x9A})

    client = broker.open(5)
    client.send(Connect(fresh_name("c"), will=Will(topic, retain=True)))
    client.expect(ConnAck, reason_code=0x9A)
    client.expect_closed()


def test_many_retained_messages_all_arrive(node: Node, level: int, topic: str) -> None:
    publisher, reader = node.connect(level=level), node.connect(level=level)
    names = [f"{topic}/{index}" for index in range(500)]
    publisher.send(*[Publish(name, b"x", retain=True) for name in names])
    publisher.fence()
    reader.subscribe(f"{topic}/+")
    assert sorted(reader.receive(retain=True).topic_name for _ in names) == sorted(names)
