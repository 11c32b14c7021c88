"""PUBLISH and its acknowledgements: the three delivery protocols, both ways."""

from __future__ import annotations

import pytest

from harness.node import Node, StartNode, fresh_name
from harness.packets import PubAck, PubComp, Publish, PubRec, PubRel
from harness.statements import V5, V311, statement


@statement(V311, "MQTT-3.3.4-1", "MQTT-4.3.1-1", "MQTT-4.3.2-1", "MQTT-4.3.2-2", "MQTT-4.3.3-1")
@statement(V311, "MQTT-4.3.3-2", "MQTT-3.3.2-3", "MQTT-2.3.1-5", "MQTT-3.3.1-2", "MQTT-3.3.1-9")
@statement(V311, "MQTT-3.3.2-1", "MQTT-3.8.4-6")
@statement(V5, "MQTT-3.3.4-1", "MQTT-4.3.1-1", "MQTT-4.3.2-2", "MQTT-4.3.2-4", "MQTT-4.3.3-2")
@statement(V5, "MQTT-4.3.3-8", "MQTT-4.3.3-11", "MQTT-3.3.2-3", "MQTT-2.2.1-2", "MQTT-3.3.1-2")
@statement(V5, "MQTT-3.8.4-8", "MQTT-3.3.2-1")
@pytest.mark.parametrize("granted", [0, 1, 2])
@pytest.mark.parametrize("published", [0, 1, 2])
def test_qos_of_a_delivery_is_the_lower_of_published_and_granted(
    node: Node, level: int, topic: str, published: int, granted: int
) -> None:
    subscriber, publisher = node.connect(level=level), node.connect(level=level)
    subscriber.subscribe(topic, qos=granted)
    publisher.publish(topic, b"payload", qos=published)
    subscriber.receive(topic, b"payload", qos=min(published, granted), dup=False, retain=False)
    subscriber.expect_nothing_from(publisher, granted)


@statement(V311, "MQTT-2.3.1-6")
@statement(V5, "MQTT-2.2.1-5")
@pytest.mark.parametrize("packet_id", [1, 255, 256, 32_768, 65_535])
def test_acknowledgements_carry_the_packet_id_of_the_publish(
    node: Node, level: int, topic: str, packet_id: int
) -> None:
    client = node.connect(level=level)
    client.send(Publish(topic, b"1", 1, packet_id))
    client.expect(PubAck, packet_id=packet_id)
    client.send(Publish(topic, b"2", 2, packet_id))
    client.expect(PubRec, packet_id=packet_id)
    client.send(PubRel(packet_id))
    client.expect(PubComp, packet_id=packet_id)


@statement(V311, "MQTT-2.3.1-1", "MQTT-2.3.1-4", "MQTT-4.3.2-1")
@statement(V5, "MQTT-2.2.1-4", "MQTT-4.3.2-1", "MQTT-4.3.3-1")
def test_packet_ids_in_use_by_the_broker_are_not_given_out_again(
    node: Node, level: int, topic: str
) -> None:
    subscriber, publisher = node.connect(level=level), node.connect(level=level)
    subscriber.subscribe(topic, qos=2)
    held = set()
    for index in range(10):
        publisher.publish(topic, b"%d" % index, qos=1 + index % 2)
        message = subscriber.expect_publish(topic, b"%d" % index)
        assert message.packet_id not in held
        held.add(message.packet_id)


@statement(V311, "MQTT-4.3.3-2")
@statement(V5, "MQTT-4.3.3-10", "MQTT-4.3.3-12")
def test_a_qos_2_publish_is_delivered_once_until_its_pubrel(
    node: Node, level: int, topic: str
) -> None:
    subscriber, publisher = node.connect(level=level), node.connect(level=level)
    subscriber.subscribe(topic, qos=2)
    publisher.send(Publish(topic, b"one", 2, 5))
    publisher.expect(PubRec, packet_id=5)
    for _ in range(3):
        publisher.send(Publish(topic, b"one", 2, 5, dup=True))
        publisher.expect(PubRec, packet_id=5)
    publisher.send(PubRel(5))
    publisher.expect(PubComp, packet_id=5)
    subscriber.receive(topic, b"one")
    subscriber.expect_nothing_from(publisher, 2)

    publisher.send(Publish(topic, b"two", 2, 5))
    publisher.expect(PubRec, packet_id=5)
    publisher.send(PubRel(5))
    publisher.expect(PubComp, packet_id=5)
    subscriber.receive(topic, b"two")


@statement(V311, "MQTT-4.3.2-2")
@statement(V5, "MQTT-4.3.2-5")
@pytest.mark.parametrize("dup", [False, True])
def test_a_packet_id_after_puback_is_a_new_message(
    node: Node, level: int, topic: str, dup: bool
) -> None:
    subscriber, publisher = node.connect(level=level), node.connect(level=level)
    subscriber.subscribe(topic, qos=1)
    for payload in (b"one", b"two"):
        publisher.send(Publish(topic, payload, 1, 9, dup=dup))
        publisher.expect(PubAck, packet_id=9)
        subscriber.receive(topic, payload)


@statement(V311, "MQTT-3.3.1-3", "MQTT-3.3.1-1")
@statement(V5, "MQTT-3.3.1-3", "MQTT-4.3.2-2", "MQTT-4.3.3-2")
@pytest.mark.parametrize("qos", [1, 2])
def test_dup_of_the_publisher_is_not_passed_on(
    node: Node, level: int, topic: str, qos: int
) -> None:
    subscriber, publisher = node.connect(level=level), node.connect(level=level)
    subscriber.subscribe(topic, qos=qos)
    publisher.send(Publish(topic, b"x", qos, 3, dup=True))
    publisher.receive_packet()
    if qos == 2:
        publisher.send(PubRel(3))
        publisher.expect(PubComp, packet_id=3)
    subscriber.receive(topic, b"x", qos=qos, dup=False)


@statement(V311, "MQTT-4.6.0-5", "MQTT-4.6.0-6")
@statement(V5, "MQTT-4.6.0-5", "MQTT-4.6.0-6")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_of_a_topic_keep_their_order(node: Node, level: int, topic: str, qos: int) -> None:
    subscriber, publisher = node.connect(level=level), node.connect(level=level)
    subscriber.subscribe(topic, qos=qos)
    window = 10
    for start in range(0, 100, window):
        batch = range(start, start + window)
        publisher.send(
            *[Publish(topic, b"%d" % n, qos, n + 1 if qos else 0) for n in batch],
            *([PubRel(n + 1) for n in batch] if qos == 2 else []),
        )
        for n in batch:
            subscriber.receive(topic, b"%d" % n)
        for n in batch if qos else ():
            publisher.expect(PubAck if qos == 1 else PubRec, packet_id=n + 1)
        for n in batch if qos == 2 else ():
            publisher.expect(PubComp, packet_id=n + 1)


@statement(V311, "MQTT-4.6.0-6")
@statement(V5, "MQTT-4.6.0-5")
def test_order_holds_across_a_window_that_fills_up(node: Node, level: int, topic: str) -> None:
    client_id = fresh_name("slow")
    subscriber, publisher = node.durable(client_id, level), node.connect(level=level)
    subscriber.subscribe(topic, qos=1)
    for index in range(200):
        publisher.publish(topic, b"%d" % index, qos=1)
    for index in range(200):
        subscriber.receive(topic, b"%d" % index)
    subscriber.expect_nothing_from(publisher, 1)


@statement(V311, "MQTT-2.3.1-6")
@statement(V5, "MQTT-2.2.1-5")
def test_pubrel_for_an_unknown_packet_id_is_answered(node: Node, level: int) -> None:
    client = node.connect(level=level)
    client.send(PubRel(4_242))
    client.expect(PubComp, packet_id=4_242, reason_code=0x92 if level == 5 else 0)
    client.expect_nothing()


@pytest.mark.parametrize("kind", [PubAck, PubRec, PubComp])
def test_acknowledgements_of_nothing_do_no_harm(
    node: Node, level: int, kind: type[PubAck | PubRec | PubComp]
) -> None:
    client = node.connect(level=level)
    client.send(kind(4_242))
    if kind is PubRec and level == 5:
        client.expect(PubRel, packet_id=4_242, reason_code=0x92)
    elif kind is PubRec:
        client.send(PubRec(4_242))
        client.await_packet(PubRel, packet_id=4_242)
        client.expect(PubRel, packet_id=4_242)
    client.expect_nothing()


@statement(V311, "MQTT-4.5.0-1")
@statement(V5, "MQTT-4.5.0-1")
def test_every_matching_session_gets_its_copy(node: Node, level: int, topic: str) -> None:
    subscribers = [node.connect(level=4 + index % 2) for index in range(10)]
    for index, subscriber in enumerate(subscribers):
        subscriber.subscribe(topic, qos=index % 3)
    node.connect(level=level).publish(topic, b"all", qos=2)
    for index, subscriber in enumerate(subscribers):
        subscriber.receive(topic, b"all", qos=index % 3)


@statement(V311, "MQTT-4.5.0-1")
def test_a_client_receives_what_it_publishes_itself(node: Node, level: int, topic: str) -> None:
    client = node.connect(level=level)
    client.subscribe(topic, qos=2)
    for qos in (0, 1, 2):
        client.publish(topic, b"echo", qos=qos)
        client.receive(topic, b"echo", qos=qos)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 65_536, 900_000])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_payloads_arrive_as_they_are(node: Node, topic: str, size: int, qos: int) -> None:
    payload = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    subscriber, publisher = node.connect(level=5), node.connect(level=4)
    subscriber.subscribe(topic, qos=qos)
    publisher.publish(topic, payload, qos=qos)
    subscriber.receive(topic, payload, qos=qos)


@statement(V311, "MQTT-3.3.2-3", "MQTT-3.3.5-1")
@statement(V5, "MQTT-3.3.4-2")
@pytest.mark.parametrize("qos", [1, 2])
def test_overlapping_subscriptions_respect_the_highest_qos(
    node: Node, level: int, topic: str, qos: int
) -> None:
    client, publisher = node.connect(level=level), node.connect(level=level)
    client.subscribe(f"{topic}/#", qos=qos)
    client.subscribe(f"{topic}/+", qos=0)
    publisher.publish(f"{topic}/a", b"x", qos=2)
    marker = f"{topic}-end"
    client.subscribe(marker, qos=qos)
    publisher.publish(marker, b"end", qos=2)
    copies = []
    while (message := client.receive()).topic_name != marker:
        copies.append(message.qos)
    assert max(copies) == qos
    assert len(copies) in {1, 2}  # one for the client, or one for each subscription


@statement(V311, "MQTT-3.3.5-2")
@statement(V5, "MQTT-4.3.3-9")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_publish_that_is_not_authorized_is_answered_and_goes_nowhere(
    node: Node, level: int, qos: int
) -> None:
    name = f"$SYS/{fresh_name('forged')}"
    client = node.connect(level=level)
    client.subscribe(name, qos=2)
    client.send(Publish(name, b"x", qos, 7))
    refused = 0x87 if level == 5 else 0
    if qos == 1:
        client.expect(PubAck, packet_id=7, reason_code=refused)
    else:
        client.expect(PubRec, packet_id=7, reason_code=refused)
    if qos == 2 and level == 4:
        client.send(PubRel(7))
        client.expect(PubComp, packet_id=7)
    client.expect_nothing_from(node.connect(level=level), qos)


@statement(V5, "MQTT-4.3.3-9")
def test_a_packet_id_after_a_refusing_pubrec_is_a_new_message(
    shared_nodes: StartNode, topic: str
) -> None:
    broker = shared_nodes({"mqtt.max_awaiting_rel": "1"})
    reader, publisher = broker.connect(level=5), broker.connect(level=5)
    reader.subscribe(topic, qos=2)
    publisher.send(Publish(topic, b"1", 2, 1), Publish(topic, b"2", 2, 2))
    publisher.expect(PubRec, packet_id=1, reason_code=0)
    refusal = publisher.expect(PubRec, packet_id=2)
    assert refusal.reason_code >= 0x80
    publisher.send(PubRel(1), Publish(topic, b"3", 2, 2), PubRel(2))
    publisher.expect(PubComp, packet_id=1)
    publisher.expect(PubRec, packet_id=2, reason_code=0)
    publisher.expect(PubComp, packet_id=2, reason_code=0)
    reader.receive(topic, b"1")
    reader.receive(topic, b"3")
    reader.expect_nothing_from(publisher, 2)


@statement(V5, "MQTT-3.4.2-1", "MQTT-3.5.2-1", "MQTT-3.6.2-1", "MQTT-3.7.2-1")
def test_acknowledgements_use_reason_codes_of_their_own_table(node: Node, topic: str) -> None:
    tables = {
        PubAck: {0x00, 0x10},
        PubRec: {0x00, 0x10},
        PubRel: {0x00, 0x92},
        PubComp: {0x00, 0x92},
    }
    client = node.connect(level=5)
    client.subscribe(topic, qos=2)
    for name in (topic, topic + "/nobody"):
        client.send(Publish(name, b"x", 1, 1), Publish(name, b"x", 2, 2), PubRel(2), PubRel(3))
        for _ in range(4):
            ack = client.await_packet(PubAck | PubRec | PubComp)  # type: ignore[arg-type]
            assert ack.reason_code in tables[type(ack)]
