"""SUBSCRIBE and UNSUBSCRIBE: what is granted, replaced, removed and answered."""

from __future__ import annotations

import pytest

from harness.node import Node, StartNode, fresh_name
from harness.packets import Publish, PubRec, SubAck, Subscribe, Subscription, UnsubAck, Unsubscribe
from harness.statements import V5, V311, statement
from harness.wire import Properties

# Filters that break MQTT-5.0 section 4.7 or 4.8.2.
ILL_FORMED = ["", "#/a", "a/#/b", "a#", "a/b#", "+a", "a+/b", "a/+b", "##", "++", "a/#/"]
ILL_FORMED_SHARED = ["$share/g", "$share/g/", "$share//a", "$share/g+/a", "$share/g#/a", "$share/#"]


def expect_refused_filter(node: Node, level: int, topic_filter: str) -> None:
    """The filter is refused, by the SUBACK or by closing, and nothing was subscribed."""
    client = node.connect(level=level)
    client.send(Subscribe(9, [Subscription(topic_filter, 1)]))
    if level == 5:
        packet = client.receive_packet()
        if isinstance(packet, SubAck):
            assert packet.reason_codes == [0x8F]
            client.fence()
        else:
            assert packet.reason_code in {0x81, 0x82, 0x8F}  # type: ignore[attr-defined]
            client.expect_closed()
        return
    try:
        client.expect(SubAck, packet_id=9, reason_codes=[0x80])
    except AssertionError:
        client.expect_closed()


@statement(V311, "MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-2.3.1-7")
@statement(V5, "MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-2.2.1-6")
@pytest.mark.parametrize("packet_id", [1, 256, 65_535])
def test_suback_and_unsuback_carry_the_packet_id(
    node: Node, level: int, topic: str, packet_id: int
) -> None:
    client = node.connect(level=level)
    client.send(Subscribe(packet_id, [Subscription(topic)]))
    client.expect(SubAck, packet_id=packet_id)
    client.send(Unsubscribe(packet_id, [topic]))
    client.expect(UnsubAck, packet_id=packet_id)


@statement(V311, "MQTT-3.8.4-4", "MQTT-3.8.4-5", "MQTT-3.9.3-1", "MQTT-3.9.3-2", "MQTT-3.8.4-6")
@statement(V5, "MQTT-3.8.4-5", "MQTT-3.8.4-6", "MQTT-3.8.4-7", "MQTT-3.9.3-1", "MQTT-3.9.3-2")
def test_many_filters_in_one_subscribe_are_answered_in_order(
    node: Node, level: int, topic: str
) -> None:
    client = node.connect(level=level)
    filters = [Subscription(f"{topic}/{index}", index % 3) for index in range(50)]
    client.subscribe(*filters)
    publisher = node.connect(level=level)
    for index in (0, 1, 2, 49):
        publisher.publish(f"{topic}/{index}", b"x", qos=2)
        client.receive(f"{topic}/{index}", qos=index % 3)


@statement(V311, "MQTT-3.8.4-3", "MQTT-3.8.4-4")
@statement(V5, "MQTT-3.8.4-3", "MQTT-3.8.4-5")
def test_the_same_filter_again_replaces_the_subscription(
    node: Node, level: int, topic: str
) -> None:
    client, publisher = node.connect(level=level), node.connect(level=level)
    client.subscribe(topic, qos=0)
    client.subscribe(topic, qos=2)
    client.subscribe(Subscription(topic, 2), Subscription(topic, 1))
    publisher.publish(topic, b"x", qos=2)
    client.receive(topic, b"x", qos=1)
    client.expect_nothing_from(publisher, 2)
    client.unsubscribe(topic)
    publisher.publish(topic, b"x", qos=2)
    client.expect_nothing_from(publisher, 2)


@statement(V5, "MQTT-3.8.4-4")
@statement(V311, "MQTT-3.8.4-3")
def test_replacing_a_subscription_loses_no_message(node: Node, level: int, topic: str) -> None:
    client, publisher = node.connect(level=level), node.connect(level=level)
    client.subscribe(topic, qos=1)
    for index in range(50):
        publisher.publish(topic, b"%d" % index, qos=1)
        client.subscribe(topic, qos=1)
    for index in range(50):
        client.receive(topic, b"%d" % index)


@statement(V311, "MQTT-3.10.4-1", "MQTT-3.10.4-2", "MQTT-3.10.4-4", "MQTT-3.10.4-5")
@statement(V5, "MQTT-3.10.4-1", "MQTT-3.10.4-2", "MQTT-3.10.4-4", "MQTT-3.10.4-5")
def test_unsubscribe_removes_exactly_the_filter_named(node: Node, level: int, topic: str) -> None:
    client, publisher = node.connect(level=level), node.connect(level=level)
    client.subscribe(f"{topic}/+", qos=1)
    for other in (f"{topic}/a", f"{topic}/#", f"{topic}/+/", topic):
        client.unsubscribe(other)
    publisher.publish(f"{topic}/a", b"still", qos=1)
    client.receive(f"{topic}/a", b"still")
    client.unsubscribe(f"{topic}/+")
    publisher.publish(f"{topic}/a", b"gone", qos=1)
    client.expect_nothing_from(publisher, 1)


@statement(V311, "MQTT-3.10.4-6")
@statement(V5, "MQTT-3.10.4-6")
def test_many_filters_in_one_unsubscribe_are_answered_once(
    node: Node, level: int, topic: str
) -> None:
    client, publisher = node.connect(level=level), node.connect(level=level)
    filters = [f"{topic}/{index}" for index in range(20)]
    client.subscribe(*filters)
    client.unsubscribe(*filters[:10])
    for name in filters:
        publisher.publish(name, b"x")
    for name in filters[10:]:
        client.receive(name)
    client.expect_nothing_from(publisher)


@statement(V5, "MQTT-3.11.3-1", "MQTT-3.11.3-2", "MQTT-3.10.4-5")
def test_v5_unsuback_says_for_each_filter_whether_it_existed(node: Node, topic: str) -> None:
    client = node.connect(level=5)
    client.subscribe(f"{topic}/a", f"{topic}/c")
    answer = client.unsubscribe(f"{topic}/a", f"{topic}/b", f"{topic}/c", f"{topic}/a")
    assert answer.reason_codes == [0x00, 0x11, 0x00, 0x11]


@statement(V311, "MQTT-3.10.4-3")
@statement(V5, "MQTT-3.10.4-3")
@pytest.mark.parametrize("qos", [1, 2])
def test_unsubscribe_lets_deliveries_under_way_finish(
    node: Node, level: int, topic: str, qos: int
) -> None:
    client_id = fresh_name("half")
    client, publisher = node.durable(client_id, level), node.connect(level=level)
    client.subscribe(topic, qos=qos)
    publisher.publish(topic, b"x", qos=qos)
    message = client.expect_publish(topic, b"x")
    client.unsubscribe(topic)
    client.acknowledge(message)
    client.expect_nothing_from(publisher, qos)

    client.subscribe(topic, qos=qos)
    publisher.publish(topic, b"y", qos=qos)
    message = client.expect_publish(topic, b"y")
    client.unsubscribe(topic)
    client.drop()
    node.durable(client_id, level).receive(topic, b"y", packet_id=message.packet_id)


@statement(V311, "MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.7.3-1", "MQTT-3.8.3-2")
@statement(V5, "MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.3-1")
@pytest.mark.parametrize("topic_filter", ILL_FORMED)
def test_ill_formed_filters_are_refused(node: Node, level: int, topic_filter: str) -> None:
    expect_refused_filter(node, level, topic_filter)


@statement(V5, "MQTT-4.8.2-1", "MQTT-4.8.2-2")
@pytest.mark.parametrize("topic_filter", ILL_FORMED_SHARED)
def test_v5_ill_formed_shared_filters_are_refused(node: Node, topic_filter: str) -> None:
    expect_refused_filter(node, 5, topic_filter)


@statement(V5, "MQTT-3.8.3-3")
def test_v5_no_local_keeps_own_messages_away(node: Node, topic: str) -> None:
    client, other = node.connect(level=5), node.connect(level=5)
    client.subscribe(Subscription(topic, 1, no_local=True))
    client.publish(topic, b"own", qos=1)
    client.expect_nothing_from(client, 1)
    other.publish(topic, b"other", qos=1)
    client.receive(topic, b"other")


@statement(V5, "MQTT-3.8.3-3")
def test_v5_no_local_holds_for_messages_queued_for_oneself(node: Node, topic: str) -> None:
    client_id = fresh_name("nl")
    client = node.durable(client_id, 5)
    client.subscribe(Subscription(topic, 1, no_local=True))
    client.publish(topic, b"own", qos=1, retain=True)
    client.drop()
    client = node.durable(client_id, 5)
    client.expect_nothing_from(client, 1)


@statement(V5, "MQTT-3.8.3-4")
def test_v5_no_local_on_a_shared_subscription_is_a_protocol_error(node: Node, topic: str) -> None:
    client = node.connect(level=5)
    client.send(Subscribe(1, [Subscription(f"$share/g/{topic}", 1, no_local=True)]))
    client.expect_closed({0x82})


@statement(V5, "MQTT-3.3.4-3", "MQTT-3.3.4-4", "MQTT-3.3.4-5")
def test_v5_overlapping_subscriptions_carry_their_identifiers(node: Node, topic: str) -> None:
    client, publisher = node.connect(level=5), node.connect(level=5)
    for topic_filter, number in ((f"{topic}/#", 1), (f"{topic}/+", 268_435_455), (topic, 7)):
        client.subscribe(topic_filter, qos=1, properties={"subscription_identifier": number})
    client.subscribe(f"{topic}/a", qos=1)  # without one
    publisher.publish(f"{topic}/a", b"x", qos=1)
    found: list[int] = []
    while sorted(found) != [1, 268_435_455]:
        identifiers = client.receive(f"{topic}/a").properties["subscription_identifier"]
        assert isinstance(identifiers, list)
        found += identifiers  # type: ignore[arg-type]


@statement(V5, "MQTT-3.3.4-3")
def test_v5_a_new_subscription_replaces_the_identifier(node: Node, topic: str) -> None:
    client, publisher = node.connect(level=5), node.connect(level=5)
    wanted: list[Properties] = [
        {"subscription_identifier": [1]},
        {"subscription_identifier": [2]},
        {},
    ]
    for properties in wanted:
        client.subscribe(topic, qos=1, properties=properties)
        publisher.publish(topic, b"x", qos=1)
        assert client.receive(topic).properties == properties


@statement(V5, "MQTT-3.3.4-3")
def test_v5_identifiers_survive_the_connection_and_mark_retained(node: Node, topic: str) -> None:
    client_id = fresh_name("subid")
    client, publisher = node.durable(client_id, 5), node.connect(level=5)
    publisher.publish(topic, b"kept", qos=1, retain=True)
    client.subscribe(topic, qos=1, properties={"subscription_identifier": 300})
    assert client.receive(topic).properties == {"subscription_identifier": [300]}
    client.drop()
    publisher.publish(topic, b"queued", qos=1)
    client = node.durable(client_id, 5)
    assert client.receive(topic).properties == {"subscription_identifier": [300]}


@statement(V5, "MQTT-3.3.4-6")
def test_v5_publish_with_an_identifier_is_a_protocol_error(node: Node, topic: str) -> None:
    client = node.connect(level=5)
    client.send(Publish(topic, b"x", properties={"subscription_identifier": 1}))
    client.expect_closed({0x81, 0x82})


@statement(V5, "MQTT-3.2.2-9", "MQTT-3.2.2-10", "MQTT-3.2.2-11", "MQTT-3.8.4-8")
@pytest.mark.parametrize("maximum", [0, 1])
def test_v5_maximum_qos_is_announced_granted_and_enforced(
    shared_nodes: StartNode, topic: str, maximum: int
) -> None:
    broker = shared_nodes({"mqtt.max_qos_allowed": str(maximum)})
    client = broker.connect(level=5)
    assert client.connack.properties["maximum_qos"] == maximum
    answer = client.subscribe(
        *[Subscription(f"{topic}/{qos}", qos) for qos in (0, 1, 2)],
        granted=[0, min(1, maximum), min(2, maximum)],
    )
    assert len(answer.reason_codes) == 3
    client.publish(f"{topic}/2", b"x", qos=maximum)
    client.receive(f"{topic}/2", qos=maximum)
    client.send(Publish(topic, b"x", 2, 1))
    client.expect_closed({0x9B})


@statement(V5, "MQTT-3.2.2-8")
def test_v5_features_switched_off_are_announced_and_refused(
    shared_nodes: StartNode, topic: str
) -> None:
    broker = shared_nodes(
        {"mqtt.wildcard_subscription": "false", "mqtt.shared_subscription": "false"}
    )
    for topic_filter, name, code in (
        (f"{topic}/#", "wildcard_subscription_available", 0xA2),
        (f"$share/g/{topic}", "shared_subscription_available", 0x9E),
    ):
        client = broker.connect(level=5)
        assert client.connack.properties[name] == 0
        client.send(Subscribe(1, [Subscription(topic_filter)]))
        packet = client.receive_packet()
        if isinstance(packet, SubAck):
            assert packet.reason_codes == [code]
        else:
            assert getattr(packet, "reason_code", None) == code
            client.expect_closed()


def test_a_pubrec_does_not_end_the_subscription(node: Node, topic: str) -> None:
    client, publisher = node.connect(level=5), node.connect(level=5)
    client.subscribe(topic, qos=2)
    publisher.publish(topic, b"refused", qos=2)
    client.send(PubRec(client.expect_publish(topic).packet_id, 0x80))
    publisher.publish(topic, b"next", qos=2)
    client.receive(topic, b"next")
