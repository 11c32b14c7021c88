"""Topics with a meaning of their own, as EMQX has them: queue, exclusive, delayed."""

from __future__ import annotations

import pytest

from harness.node import Node, StartNode, fresh_name
from harness.packets import SubAck, Subscribe, Subscription


def test_queue_is_one_group_for_all(node: Node, level: int, topic: str) -> None:
    members, publisher = [node.connect(level=level) for _ in range(2)], node.connect(level=level)
    for member in members:
        member.subscribe(f"$queue/{topic}", qos=1)
    for index in range(10):
        publisher.publish(topic, b"%d" % index, qos=1)
    found = [members[0].receive(topic).payload for _ in range(5)]
    found += [members[1].receive(topic).payload for _ in range(5)]
    assert sorted(found) == [b"%d" % index for index in range(10)]
    for member in members:
        member.expect_nothing_from(publisher, 1)


def test_delayed_messages_come_in_the_order_of_their_delays(node: Node, topic: str) -> None:
    reader, publisher = node.connect(level=5), node.connect(level=5)
    reader.subscribe(f"{topic}/#", qos=1)
    for delay in (3, 1, 2):
        publisher.publish(f"$delayed/{delay}/{topic}/{delay}", b"late", qos=1)
    publisher.publish(f"{topic}/0", b"now", qos=1)
    for delay in (0, 1, 2, 3):
        reader.receive(f"{topic}/{delay}")
    reader.expect_nothing_from(publisher, 1)


def test_a_delayed_message_may_be_retained(node: Node, topic: str) -> None:
    node.connect(level=5).publish(f"$delayed/1/{topic}", b"kept", qos=1, retain=True)
    early = node.connect(level=5)
    early.subscribe(topic, qos=1)
    early.receive(topic, b"kept", retain=False)
    late = node.connect(level=5)
    late.subscribe(topic, qos=1)
    late.receive(topic, b"kept", retain=True)


def test_an_exclusive_topic_has_one_subscriber(shared_nodes: StartNode, level: int) -> None:
    broker = shared_nodes({"mqtt.exclusive_subscription": "true"})
    topic = fresh_name("x/")
    first, second = broker.connect(level=level), broker.connect(level=level)
    first.subscribe(f"$exclusive/{topic}", qos=1)
    second.send(Subscribe(1, [Subscription(f"$exclusive/{topic}", 1)]))
    second.expect(SubAck, reason_codes=[0x97 if level == 5 else 0x80])
    second.publish(topic, b"x", qos=1)
    first.receive(topic, b"x")
    first.disconnect()
    second.subscribe(f"$exclusive/{topic}", qos=1)


def test_exclusive_is_off_by_default(node: Node) -> None:
    client = node.connect(level=5)
    client.send(Subscribe(1, [Subscription("$exclusive/any", 1)]))
    client.expect(SubAck, reason_codes=[0x8F])


@pytest.mark.parametrize("filters", [["#"], ["+/#", "$share/all/#"]])
def test_messages_of_the_system_reach_only_who_asks(node: Node, filters: list[str]) -> None:
    client = node.connect(level=5)
    client.subscribe(*filters)
    marker = fresh_name("end/")
    client.subscribe(marker)
    client.publish(marker, b"")
    while (message := client.receive()).topic_name != marker:
        assert not message.topic_name.startswith("$SYS")
