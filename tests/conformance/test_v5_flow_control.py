"""Receive Maximum and Maximum Packet Size, both ways."""

from __future__ import annotations

import pytest

from harness.client import RawClient
from harness.node import Node, StartNode, fresh_name
from harness.packets import (
    ConnAck,
    Connect,
    Disconnect,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    Subscribe,
    Subscription,
    Unsubscribe,
    Will,
)
from harness.statements import V5, statement
from harness.wire import Properties
from harness.wire import properties as encoded


@statement(V5, "MQTT-3.3.4-9", "MQTT-4.9.0-1", "MQTT-4.9.0-2", "MQTT-3.3.4-10", "MQTT-4.9.0-3")
@pytest.mark.parametrize("qos", [1, 2])
@pytest.mark.parametrize("maximum", [1, 3])
def test_no_more_than_receive_maximum_is_in_flight_to_a_client(
    node: Node, topic: str, maximum: int, qos: int
) -> None:
    client = node.connect(level=5, properties={"receive_maximum": maximum})
    publisher = node.connect(level=5)
    client.subscribe(topic, qos=qos)
    count = 10
    for index in range(count):
        publisher.publish(topic, b"%d" % index, qos=qos)
    held = [client.expect_publish(topic, b"%d" % index) for index in range(maximum)]
    # QoS 0 and everything that is not a PUBLISH still flow past the full window.
    client.subscribe(f"{topic}/0", qos=0)
    publisher.publish(f"{topic}/0", b"past")
    client.receive(f"{topic}/0", b"past")
    client.expect_nothing()
    for index in range(maximum, count):
        client.acknowledge(held.pop(0))
        held.append(client.expect_publish(topic, b"%d" % index))
    for message in held:
        client.acknowledge(message)
    client.expect_nothing_from(publisher, qos)


@statement(V5, "MQTT-3.3.4-9")
def test_the_quota_of_qos_2_is_given_back_by_pubcomp_not_pubrec(node: Node, topic: str) -> None:
    client = node.connect(level=5, properties={"receive_maximum": 1})
    publisher = node.connect(level=5)
    client.subscribe(topic, qos=2)
    for payload in (b"1", b"2", b"3"):
        publisher.publish(topic, payload, qos=2)
    first = client.expect_publish(topic, b"1")
    client.send(PubRec(first.packet_id))
    client.expect(PubRel, packet_id=first.packet_id)
    client.expect_nothing()
    client.send(PubComp(first.packet_id))
    second = client.expect_publish(topic, b"2")
    client.send(PubRec(second.packet_id, 0x80))  # an error gives it back at once
    client.receive(topic, b"3")


@statement(V5, "MQTT-3.3.4-9", "MQTT-4.9.0-1")
def test_receive_maximum_holds_for_what_is_sent_again(node: Node, topic: str) -> None:
    client_id = fresh_name("rm")
    client, publisher = node.durable(client_id, 5), node.connect(level=5)
    client.subscribe(topic, qos=1)
    for index in range(5):
        publisher.publish(topic, b"%d" % index, qos=1)
    for index in range(5):
        client.expect_publish(topic, b"%d" % index)
    client.drop()
    properties: Properties = {"session_expiry_interval": 60, "receive_maximum": 2}
    client = node.connect(client_id, 5, clean_start=False, properties=properties)
    held = [client.expect_publish(topic, b"0"), client.expect_publish(topic, b"1")]
    client.expect_nothing()
    for index in range(2, 5):
        client.acknowledge(held.pop(0))
        held.append(client.expect_publish(topic, b"%d" % index))


@statement(V5, "MQTT-3.3.4-7", "MQTT-4.13.1-1")
def test_more_than_the_broker_allows_in_flight_closes(node: Node, topic: str) -> None:
    client = node.connect(level=5)
    maximum = client.connack.properties.get("receive_maximum", 65_535)
    assert isinstance(maximum, int)
    if maximum > 1_000:
        pytest.skip("the broker allows more than a test should send")
    for packet_id in range(1, maximum + 1):
        client.send(Publish(topic, b"x", 2, packet_id))
        client.expect(PubRec, packet_id=packet_id)
    client.send(Publish(topic, b"x", 2, maximum + 1))
    client.expect_closed({0x93})


@statement(V5, "MQTT-3.3.4-8")
def test_a_full_window_may_be_used_again_after_pubcomp(node: Node, topic: str) -> None:
    client = node.connect(level=5)
    maximum = client.connack.properties.get("receive_maximum", 65_535)
    assert isinstance(maximum, int)
    for packet_id in range(1, min(maximum, 200) + 1):
        client.send(Publish(topic, b"x", 2, packet_id))
        client.expect(PubRec, packet_id=packet_id)
    client.send(PubRel(1))
    client.expect(PubComp, packet_id=1)
    client.send(Publish(topic, b"x", 2, 1))
    client.expect(PubRec, packet_id=1)


@statement(V5, "MQTT-3.1.2-24", "MQTT-3.1.2-25")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_over_the_client_s_limit_are_dropped_and_count_as_sent(
    node: Node, topic: str, qos: int
) -> None:
    limit = 100
    properties: Properties = {"maximum_packet_size": limit, "receive_maximum": 1}
    client = node.connect(level=5, properties=properties)
    publisher, other = node.connect(level=5), node.connect(level=5)
    client.subscribe(topic, qos=qos)
    other.subscribe(topic, qos=qos)
    overhead = 2 + 2 + len(topic) + (2 if qos else 0) + 1
    exact = bytes(limit - overhead)
    for payload in (exact, exact + b"+", bytes(5_000), b"after"):
        publisher.publish(topic, payload, qos=qos)
        other.receive(topic, payload)
    client.receive(topic, exact)
    client.receive(topic, b"after")
    client.expect_nothing_from(publisher, qos)


@statement(V5, "MQTT-3.1.2-24")
def test_the_client_s_limit_holds_for_queued_and_retained(node: Node, topic: str) -> None:
    client_id = fresh_name("limit")
    client, publisher = node.durable(client_id, 5), node.connect(level=5)
    client.subscribe(topic, qos=1)
    client.drop()
    publisher.publish(topic, bytes(1_000), qos=1, retain=True)
    publisher.publish(topic, b"small", qos=1)
    properties: Properties = {"session_expiry_interval": 60, "maximum_packet_size": 200}
    client = node.connect(client_id, 5, clean_start=False, properties=properties)
    client.receive(topic, b"small")
    client.subscribe(topic, qos=1)
    client.expect_nothing_from(publisher, 1)


@statement(V5, "MQTT-3.1.2-24", "MQTT-3.4.2-2", "MQTT-3.4.2-3", "MQTT-3.5.2-2", "MQTT-3.5.2-3")
@statement(V5, "MQTT-3.6.2-2", "MQTT-3.6.2-3", "MQTT-3.7.2-2", "MQTT-3.7.2-3")
@statement(V5, "MQTT-3.9.2-1", "MQTT-3.9.2-2", "MQTT-3.11.2-1", "MQTT-3.11.2-2")
@statement(V5, "MQTT-3.14.2-3", "MQTT-3.14.2-4")
def test_no_reason_string_makes_an_answer_too_large(node: Node, topic: str) -> None:
    limit = 20

    def small() -> RawClient:
        return node.connect(level=5, properties={"maximum_packet_size": limit})

    client = small()
    client.publish(f"{topic}/nobody", b"x", qos=1)
    client.publish(f"{topic}/nobody", b"x", qos=2)
    client.send(PubRel(999))
    assert len(client.expect(PubComp, packet_id=999).encode(5)) <= limit
    # Answers with a code for each filter cannot be made smaller: what would need one is not done.
    filters = [f"{topic}/{index}" for index in range(60)]
    for request in (
        Subscribe(1, [Subscription(name) for name in filters]),
        Unsubscribe(2, filters),
    ):
        client = small()
        client.send(request)
        closing = client.expect_closed({0x95})
        assert closing is not None
        assert len(closing.encode(5)) <= limit

    # The same fault, told with words to whom they fit and without them to whom they do not.
    fault = Publish(topic, b"x", properties={"subscription_identifier": [5]})
    client = node.connect(level=5)
    client.send(fault)
    told = client.expect_closed({0x82})
    assert isinstance(told, Disconnect)
    assert told.properties["reason_string"]
    assert len(told.encode(5)) > limit
    client = small()
    client.send(fault)
    brief = client.expect_closed({told.reason_code})
    assert isinstance(brief, Disconnect)
    assert len(brief.encode(5)) <= limit


@statement(V5, "MQTT-3.1.2-24", "MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.15.2-2", "MQTT-3.15.2-3")
@pytest.mark.parametrize("limit", [1, 4, 5, 12, 20, 200])
def test_no_connack_is_larger_than_the_client_takes(node: Node, limit: int) -> None:
    limited: Properties = {"maximum_packet_size": limit}
    refused = Connect("", properties={"authentication_method": "NO-SUCH", **limited})
    nameless = Connect("", properties=limited)
    for connect, expected in ((refused, 0x8C), (nameless, 0x95)):
        client = node.open(5)
        client.send(connect)
        if limit == 200 and connect is nameless:
            assert isinstance(client.receive_packet(), ConnAck)
            continue
        answer = client.expect_closed()
        if limit < 5:
            assert answer is None
            continue
        assert isinstance(answer, ConnAck)
        assert answer.reason_code == expected
        assert 4 + len(encoded(answer.properties)) <= limit
        assert ("reason_string" in answer.properties) == (limit == 200)


@statement(V5, "MQTT-3.2.2-15", "MQTT-4.13.1-1")
def test_packets_over_the_broker_s_limit_close(shared_nodes: StartNode, topic: str) -> None:
    broker = shared_nodes({"mqtt.max_packet_size": "1000B"})
    client = broker.connect(level=5)
    assert client.connack.properties["maximum_packet_size"] == 1000
    client.subscribe(topic, qos=1)
    overhead = 3 + 2 + len(topic) + 2 + 1
    client.publish(topic, bytes(1000 - overhead), qos=1)
    client.receive(topic)
    client.send_until_closed(Publish(topic, bytes(1001 - overhead), 1, 5).encode(5))
    client.expect_closed({0x95})

    client = broker.connect(level=4)
    client.send_until_closed(Publish(topic, bytes(2000), 1, 5).encode(4))
    client.expect_closed()


@statement(V5, "MQTT-3.1.4-1")
def test_a_connect_over_the_broker_s_limit_is_refused(shared_nodes: StartNode, topic: str) -> None:
    broker = shared_nodes({"mqtt.max_packet_size": "1000B"})
    client = broker.open(5)
    will = Will(topic, bytes(2_000))
    client.send_until_closed(Connect(fresh_name("c"), will=will).encode(5))
    notice = client.expect_closed()
    assert notice is None or (isinstance(notice, ConnAck) and notice.reason_code == 0x95)


@statement(V5, "MQTT-4.9.0-3")
def test_a_window_full_of_own_messages_delays_no_acknowledgement(node: Node, topic: str) -> None:
    client = node.connect(level=5, properties={"receive_maximum": 1})
    client.subscribe(topic, qos=1)
    for index in range(20):
        client.send(Publish(topic, b"x", 1, index + 1))
        client.await_packet(PubAck, packet_id=index + 1)
