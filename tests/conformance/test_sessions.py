"""What a session keeps, for how long, and what ends it."""

from __future__ import annotations

import pytest

from harness.node import Node, fresh_name
from harness.packets import Connect, Disconnect, PubAck, PubComp, Publish, PubRec, PubRel
from harness.statements import V5, V311, statement


@statement(V311, "MQTT-3.1.2-4", "MQTT-3.1.2-5", "MQTT-3.2.2-2", "MQTT-3.2.2-3", "MQTT-4.1.0-1")
@statement(V311, "MQTT-4.1.0-2", "MQTT-4.5.0-1")
@statement(V5, "MQTT-3.1.2-5", "MQTT-3.1.2-6", "MQTT-3.1.2-23", "MQTT-3.2.2-3", "MQTT-4.1.0-1")
@statement(V5, "MQTT-4.5.0-1", "MQTT-3.1.4-4")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_durable_session_queues_while_its_client_is_away(
    node: Node, level: int, topic: str, qos: int
) -> None:
    client_id = fresh_name("durable")
    client = node.durable(client_id, level)
    assert not client.connack.session_present
    client.subscribe(topic, qos=qos)
    client.disconnect()

    publisher = node.connect(level=level)
    for index in range(20):
        publisher.publish(topic, b"%d" % index, qos=qos)

    client = node.durable(client_id, level)
    assert client.connack.session_present
    for index in range(20):
        client.receive(topic, b"%d" % index, qos=qos, dup=False, retain=False)
    client.expect_nothing_from(publisher, qos)


@statement(V311, "MQTT-3.1.2-6", "MQTT-3.2.2-1", "MQTT-3.1.4-3")
@statement(V5, "MQTT-3.1.2-4", "MQTT-3.2.2-2", "MQTT-3.1.4-4")
def test_clean_start_discards_the_session(node: Node, level: int, topic: str) -> None:
    client_id = fresh_name("cleaned")
    client = node.durable(client_id, level)
    client.subscribe(topic, qos=1)
    client.disconnect()
    publisher = node.connect(level=level)
    publisher.publish(topic, b"queued", qos=1)

    client = node.durable(client_id, level, clean_start=True)
    assert not client.connack.session_present
    client.expect_nothing_from(publisher, 1)
    publisher.publish(topic, b"not subscribed", qos=1)
    client.expect_nothing_from(publisher, 1)


@statement(V311, "MQTT-3.1.2-6", "MQTT-3.2.2-3")
def test_v311_clean_session_leaves_nothing_behind(node: Node, topic: str) -> None:
    client_id = fresh_name("clean")
    node.connect(client_id).subscribe(topic, qos=1)
    again = node.connect(client_id, clean_start=False)
    assert not again.connack.session_present
    publisher = node.connect()
    publisher.publish(topic, b"x", qos=1)
    again.expect_nothing_from(publisher, 1)


@statement(V5, "MQTT-4.1.0-2")
@pytest.mark.parametrize("properties", [{}, {"session_expiry_interval": 0}])
def test_v5_session_without_expiry_ends_with_its_connection(
    node: Node, properties: dict[str, int]
) -> None:
    client_id = fresh_name("brief")
    node.connect(client_id, 5, clean_start=False, properties={**properties}).disconnect()
    assert not node.durable(client_id, 5).connack.session_present


@statement(V5, "MQTT-4.1.0-2", "MQTT-3.1.2-23")
def test_v5_session_expires_after_its_interval(node: Node, topic: str) -> None:
    short, long = fresh_name("short"), fresh_name("long")
    for client_id, expiry_s in ((short, 1), (long, 3600)):
        client = node.durable(client_id, 5, expiry_s=expiry_s)
        client.subscribe(topic, qos=1)
        client.disconnect()
    node.let_pass(3)
    assert not node.durable(short, 5).connack.session_present
    assert node.durable(long, 5).connack.session_present


@statement(V5, "MQTT-4.1.0-1")
def test_v5_session_lives_while_connected_whatever_its_interval(node: Node, topic: str) -> None:
    client_id = fresh_name("lives")
    client = node.durable(client_id, 5, expiry_s=1)
    client.subscribe(topic, qos=1)
    node.let_pass(2)
    node.connect(level=5).publish(topic, b"x", qos=1)
    client.receive(topic, b"x")


@statement(V5, "MQTT-3.14.2-2", "MQTT-4.1.0-2")
def test_v5_disconnect_may_change_the_expiry_interval(node: Node) -> None:
    shortened, lengthened = fresh_name("s"), fresh_name("l")
    node.durable(shortened, 5).disconnect(0, {"session_expiry_interval": 0})
    assert not node.durable(shortened, 5).connack.session_present

    node.durable(lengthened, 5, expiry_s=1).disconnect(0, {"session_expiry_interval": 3600})
    node.let_pass(2)
    assert node.durable(lengthened, 5).connack.session_present


@statement(V5, "MQTT-4.13.1-1")
def test_v5_disconnect_may_not_revive_a_session_that_was_to_end(node: Node) -> None:
    client_id = fresh_name("dead")
    client = node.connect(client_id, 5)
    client.send(Disconnect(0, {"session_expiry_interval": 60}))
    client.expect_closed()
    assert not node.durable(client_id, 5).connack.session_present


@statement(V311, "MQTT-3.1.2-7")
def test_retained_messages_are_no_part_of_a_session(node: Node, level: int, topic: str) -> None:
    client_id = fresh_name("r")
    client = node.connect(client_id, level)
    client.publish(topic, b"kept", retain=True)
    client.disconnect()
    node.connect(client_id, level)
    reader = node.connect(level=level)
    reader.subscribe(topic)
    reader.receive(topic, b"kept", retain=True)


@statement(V311, "MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.6.0-6")
@statement(V5, "MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.3.2-3", "MQTT-4.3.3-3", "MQTT-4.8.2-4")
@pytest.mark.parametrize("qos", [1, 2])
def test_unacknowledged_messages_are_sent_again_on_resume(
    node: Node, level: int, topic: str, qos: int
) -> None:
    client_id = fresh_name("again")
    client = node.durable(client_id, level)
    client.subscribe(topic, qos=qos)
    publisher = node.connect(level=level)
    for index in range(3):
        publisher.publish(topic, b"%d" % index, qos=qos)
    first = [client.expect_publish(topic, b"%d" % index, dup=False) for index in range(3)]
    client.drop()

    client = node.durable(client_id, level)
    for before in first:
        client.receive(topic, before.payload, qos=qos, packet_id=before.packet_id, dup=True)
    client.expect_nothing_from(publisher, qos)


@statement(V311, "MQTT-4.4.0-1", "MQTT-4.3.3-1")
@statement(V5, "MQTT-4.4.0-1", "MQTT-4.3.3-4", "MQTT-4.3.3-5", "MQTT-4.3.3-6")
def test_after_pubrec_only_pubrel_is_sent_again(node: Node, level: int, topic: str) -> None:
    client_id = fresh_name("pubrel")
    client = node.durable(client_id, level)
    client.subscribe(topic, qos=2)
    publisher = node.connect(level=level)
    publisher.publish(topic, b"x", qos=2)
    message = client.expect_publish(topic, b"x", qos=2)
    client.send(PubRec(message.packet_id))
    client.expect(PubRel, packet_id=message.packet_id)
    client.drop()

    client = node.durable(client_id, level)
    client.expect(PubRel, packet_id=message.packet_id)
    client.send(PubComp(message.packet_id))
    client.expect_nothing_from(publisher, 2)
    client.drop()
    node.durable(client_id, level).expect_nothing_from(publisher, 2)


@statement(V311, "MQTT-4.4.0-1")
@statement(V5, "MQTT-4.4.0-1")
def test_nothing_is_sent_again_while_the_connection_lasts(
    node: Node, level: int, topic: str
) -> None:
    client = node.connect(level=level)
    client.subscribe(topic, qos=1)
    publisher = node.connect(level=level)
    publisher.publish(topic, b"x", qos=1)
    client.expect_publish(topic, b"x")
    node.let_pass(2)
    client.expect_nothing_from(publisher, 1)


@statement(V311, "MQTT-4.3.3-2")
@statement(V5, "MQTT-4.3.3-10")
def test_inbound_qos_2_state_survives_the_connection(node: Node, level: int, topic: str) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe(topic, qos=2)
    client_id = fresh_name("in2")
    client = node.durable(client_id, level)
    client.send(Publish(topic, b"once", 2, 77))
    client.expect(PubRec, packet_id=77)
    client.drop()

    client = node.durable(client_id, level)
    client.send(Publish(topic, b"once", 2, 77, dup=True))
    client.expect(PubRec, packet_id=77, reason_code=0)
    client.send(PubRel(77))
    client.expect(PubComp, packet_id=77)
    watcher.receive(topic, b"once")
    watcher.expect_nothing_from(node.connect(level=level), 2)


@statement(V311, "MQTT-4.8.0-2")
@statement(V5, "MQTT-3.1.2-23")
def test_a_takeover_hands_the_session_on(node: Node, level: int, topic: str) -> None:
    client_id = fresh_name("heir")
    first = node.durable(client_id, level)
    first.subscribe(topic, qos=1)
    publisher = node.connect(level=level)
    publisher.publish(topic, b"one", qos=1)
    before = first.expect_publish(topic, b"one")

    second = node.durable(client_id, level)
    assert second.connack.session_present
    second.receive(topic, b"one", dup=True, packet_id=before.packet_id)
    first.expect_closed({0x8E} if level == 5 else ())
    publisher.publish(topic, b"two", qos=1)
    second.receive(topic, b"two", dup=False)


@statement(V311, "MQTT-3.1.2-4")
def test_a_session_may_change_the_protocol_version(node: Node, topic: str) -> None:
    client_id = fresh_name("upgrade")
    client = node.durable(client_id, 4)
    client.subscribe(topic, qos=1)
    client.disconnect()
    node.connect().publish(topic, b"x", qos=1)
    client = node.durable(client_id, 5)
    assert client.connack.session_present
    client.receive(topic, b"x")


@statement(V5, "MQTT-4.4.0-2")
@pytest.mark.parametrize("qos", [1, 2])
def test_v5_negative_acknowledgement_ends_the_delivery(node: Node, topic: str, qos: int) -> None:
    client_id = fresh_name("nack")
    client = node.durable(client_id, 5)
    client.subscribe(topic, qos=qos)
    publisher = node.connect(level=5)
    publisher.publish(topic, b"x", qos=qos)
    message = client.expect_publish(topic, b"x")
    client.send((PubAck if qos == 1 else PubRec)(message.packet_id, 0x83))
    client.expect_nothing_from(publisher, qos)
    client.drop()
    node.durable(client_id, 5).expect_nothing_from(publisher, qos)


def test_a_connect_that_fails_leaves_the_session_alone(node: Node, level: int) -> None:
    client_id = fresh_name("keep")
    node.durable(client_id, level).disconnect()
    intruder = node.open(level)
    intruder.send(Connect(client_id, protocol_level=9))
    intruder.expect_closed()
    assert node.durable(client_id, level).connack.session_present


@statement(V311, "MQTT-4.5.0-1")
@statement(V5, "MQTT-4.5.0-1")
def test_a_client_that_resumes_during_the_delivery_misses_nothing(node: Node, level: int) -> None:
    """What another subscriber has already received is not lost on the one that comes back."""
    for index in range(30):
        topic, client_id = fresh_name("t/"), fresh_name("back")
        away = node.durable(client_id, level)
        away.subscribe(topic, qos=2)
        if index % 2:
            away.disconnect()
        else:
            away.drop()
        watcher, publisher = node.connect(level=level), node.connect(level=level)
        watcher.subscribe(topic, qos=1)
        for number in range(5):
            publisher.send(Publish(topic, b"%d" % number, 2, number + 1))
            watcher.receive(topic, b"%d" % number)
        back = node.durable(client_id, level)
        for number in range(5):
            back.receive(topic, b"%d" % number, qos=2)
