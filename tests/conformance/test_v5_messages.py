"""MQTT 5 properties of an Application Message: carried unaltered, or acted on."""

from __future__ import annotations

import pytest

from harness.node import Node, StartNode, fresh_name
from harness.packets import Publish
from harness.statements import V5, statement
from harness.wire import Properties

ALL_CARRIED: Properties = {
    "payload_format_indicator": 1,
    "content_type": "application/json; charset=utf-8",
    "response_topic": "reply/to/me",
    "correlation_data": bytes(range(256)),
    "user_property": [("b", "2"), ("a", "1"), ("b", "1"), ("", ""), ("ключ", "值")],
}


@statement(V5, "MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17", "MQTT-3.3.2-18")
@statement(V5, "MQTT-3.3.2-20", "MQTT-2.2.2-1")
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("properties", [{}, ALL_CARRIED], ids=["none", "all"])
def test_properties_reach_live_queued_and_retained_readers(
    node: Node, topic: str, qos: int, properties: Properties
) -> None:
    publisher, live = node.connect(level=5), node.connect(level=5)
    client_id = fresh_name("away")
    away = node.durable(client_id, 5)
    live.subscribe(topic, qos=qos)
    away.subscribe(topic, qos=2)
    away.drop()
    publisher.publish(topic, b"{}", qos=qos, retain=True, properties=properties)
    assert live.receive(topic, b"{}").properties == properties
    if qos:
        away = node.durable(client_id, 5)
        assert away.receive(topic, b"{}").properties == properties
    late = node.connect(level=5)
    late.subscribe(topic, qos=qos)
    assert late.receive(topic, b"{}", retain=True).properties == properties


def test_a_v311_reader_gets_the_payload_without_properties(node: Node, topic: str) -> None:
    reader, publisher = node.connect(level=4), node.connect(level=5)
    reader.subscribe(topic, qos=1)
    publisher.publish(topic, b"x", qos=1, properties=ALL_CARRIED)
    reader.receive(topic, b"x")


def test_a_v311_publisher_reaches_a_v5_reader(node: Node, topic: str) -> None:
    reader, publisher = node.connect(level=5), node.connect(level=4)
    reader.subscribe(topic, qos=1)
    publisher.publish(topic, b"x", qos=1)
    assert reader.receive(topic, b"x").properties == {}


@statement(V5, "MQTT-3.3.2-6")
@pytest.mark.parametrize("interval", [1_000, 0xFFFF_FFFF])
def test_message_expiry_interval_counts_the_time_spent_waiting(
    node: Node, topic: str, interval: int
) -> None:
    publisher, live = node.connect(level=5), node.connect(level=5)
    client_id = fresh_name("away")
    away = node.durable(client_id, 5)
    live.subscribe(topic, qos=1)
    away.subscribe(topic, qos=1)
    away.drop()
    expiry: Properties = {"message_expiry_interval": interval}
    publisher.publish(topic, b"x", qos=1, retain=True, properties=expiry)
    fresh = live.receive(topic).properties["message_expiry_interval"]
    assert isinstance(fresh, int)
    assert fresh in {interval, interval - 1}
    node.let_pass(3)
    late = node.connect(level=5)
    late.subscribe(topic, qos=1)
    for reader in (node.durable(client_id, 5), late):
        left = reader.receive(topic).properties["message_expiry_interval"]
        assert isinstance(left, int)
        assert interval - 120 < left <= interval - 2


@statement(V5, "MQTT-3.3.2-5")
@pytest.mark.parametrize("qos", [1, 2])
def test_expired_messages_are_not_delivered(node: Node, topic: str, qos: int) -> None:
    publisher = node.connect(level=5)
    client_id = fresh_name("away")
    away = node.durable(client_id, 5)
    away.subscribe(topic, qos=qos)
    away.drop()
    expiry: Properties = {"message_expiry_interval": 1}
    publisher.publish(topic, b"brief", qos=qos, retain=True, properties=expiry)
    publisher.publish(f"{topic}/other", b"kept", qos=qos, retain=True)
    node.let_pass(3)
    publisher.publish(topic, b"lasting", qos=qos)
    away = node.durable(client_id, 5)
    away.receive(topic, b"lasting")
    away.expect_nothing_from(publisher, qos)
    late = node.connect(level=5)
    late.subscribe(f"{topic}/#", qos=qos)
    late.receive(f"{topic}/other", b"kept")
    late.expect_nothing_from(publisher, qos)


@statement(V5, "MQTT-4.3.3-7", "MQTT-4.3.3-13")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_delivery_that_has_started_does_not_expire(node: Node, topic: str, qos: int) -> None:
    publisher = node.connect(level=5)
    client_id = fresh_name("started")
    client = node.durable(client_id, 5)
    client.subscribe(topic, qos=qos)
    publisher.publish(topic, b"x", qos=qos, properties={"message_expiry_interval": 1})
    before = client.expect_publish(topic, b"x")
    node.let_pass(3)
    client.drop()
    client = node.durable(client_id, 5)
    client.receive(topic, b"x", packet_id=before.packet_id, dup=True)


@statement(V5, "MQTT-3.3.2-7", "MQTT-3.3.2-12")
def test_topic_alias_of_a_publisher(node: Node, topic: str) -> None:
    publisher, reader = node.connect("aliaser", 5), node.connect(level=5)
    reader.subscribe(f"{topic}/#", qos=1)
    maximum = publisher.connack.properties["topic_alias_maximum"]
    assert isinstance(maximum, int)
    assert maximum > 0
    first: Properties = {"topic_alias": 1}
    last: Properties = {"topic_alias": maximum}
    publisher.publish(f"{topic}/a", b"1", properties=first)
    publisher.publish(f"{topic}/b", b"2", qos=1, properties=last)
    publisher.publish("", b"3", qos=2, properties=first)
    publisher.publish("", b"4", properties=last)
    publisher.publish(f"{topic}/c", b"5", properties=first)
    publisher.publish("", b"6", properties=first)
    for suffix, payload in zip("abABCC".lower(), b"123456", strict=True):
        message = reader.receive(f"{topic}/{suffix}", bytes([payload]))
        assert "topic_alias" not in message.properties

    publisher = node.connect("aliaser", 5)
    publisher.send(Publish("", b"7", properties=first))
    publisher.expect_closed({0x82, 0x94})


@statement(V5, "MQTT-3.3.2-8", "MQTT-3.3.2-9", "MQTT-3.2.2-17")
@pytest.mark.parametrize("alias", ["zero", "over"])
def test_topic_alias_out_of_range_closes(shared_nodes: StartNode, topic: str, alias: str) -> None:
    broker = shared_nodes({"mqtt.max_topic_alias": "5"})
    client = broker.connect(level=5)
    assert client.connack.properties["topic_alias_maximum"] == 5
    number = 0 if alias == "zero" else 6
    client.send(Publish(topic, b"x", properties={"topic_alias": number}))
    client.expect_closed({0x94})


@statement(V5, "MQTT-3.2.2-18")
def test_no_alias_is_taken_when_none_is_allowed(shared_nodes: StartNode, topic: str) -> None:
    broker = shared_nodes({"mqtt.max_topic_alias": "0"})
    client = broker.connect(level=5)
    assert client.connack.properties.get("topic_alias_maximum", 0) == 0
    client.send(Publish(topic, b"x", properties={"topic_alias": 1}))
    client.expect_closed({0x94})


@statement(V5, "MQTT-3.1.2-26", "MQTT-3.1.2-27", "MQTT-3.3.2-11")
@pytest.mark.parametrize("maximum", [0, 1, 3])
def test_topic_alias_of_the_broker_stays_within_what_the_client_allows(
    node: Node, topic: str, maximum: int
) -> None:
    properties: Properties = {"topic_alias_maximum": maximum} if maximum else {}
    reader, publisher = node.connect(level=5, properties=properties), node.connect(level=5)
    reader.subscribe(f"{topic}/#", qos=1)
    aliases: dict[int, str] = {}
    for index in range(40):
        name = f"{topic}/{index % 5}"
        publisher.publish(name, b"x", qos=index % 2)
        message = reader.receive()
        alias = message.properties.get("topic_alias")
        if alias is None:
            assert message.topic_name == name
            continue
        assert isinstance(alias, int)
        assert 0 < alias <= maximum
        if message.topic_name:
            aliases[alias] = message.topic_name
        assert aliases[alias] == name


@statement(V5, "MQTT-3.3.2-13", "MQTT-3.3.2-14")
@pytest.mark.parametrize("response_topic", ["a/#", "+", "#"])
def test_a_response_topic_with_wildcards_is_an_error(
    node: Node, topic: str, response_topic: str
) -> None:
    client = node.connect(level=5)
    client.send(Publish(topic, b"x", properties={"response_topic": response_topic}))
    client.expect_closed({0x81, 0x82, 0x90})


@statement(V5, "MQTT-3.3.2-15", "MQTT-3.3.2-16")
def test_request_and_response(node: Node, topic: str) -> None:
    requester, responder = node.connect(level=5), node.connect(level=5)
    requester.subscribe(f"{topic}/reply", qos=1)
    responder.subscribe(topic, qos=1)
    requester.publish(
        topic,
        b"question",
        qos=1,
        properties={"response_topic": f"{topic}/reply", "correlation_data": b"\x00\xff"},
    )
    request = responder.receive(topic, b"question")
    response_topic = request.properties.pop("response_topic")
    assert isinstance(response_topic, str)
    responder.publish(response_topic, b"answer", qos=1, properties=request.properties)
    answer = requester.receive(f"{topic}/reply", b"answer")
    assert answer.properties == {"correlation_data": b"\x00\xff"}
