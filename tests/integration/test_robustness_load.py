"""Clients that take without giving: the harm stays with them, memory stays bounded."""

from __future__ import annotations

import contextlib

import pytest

from harness.client import ClosedError, RawClient
from harness.node import Node, StartNode, fresh_name
from harness.packets import (
    ConnAck,
    Connect,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    Subscription,
)

MIB = 1 << 20


def test_a_subscriber_that_does_not_read_costs_the_others_nothing(
    start_node: StartNode, topic: str
) -> None:
    node = start_node()
    stalled, healthy = node.connect(level=5), node.connect(level=5)
    publisher = node.connect(level=4)
    stalled.subscribe(topic)
    healthy.subscribe(f"{topic}/healthy", qos=1)
    payload = bytes(100_000)
    batch = b"".join(Publish(topic, payload).encode(4) for _ in range(10))
    for index in range(100):  # 100 MB that nobody takes
        publisher.send_raw(batch)
        if index % 10 == 0:
            publisher.publish(f"{topic}/healthy", b"%d" % index, qos=1)
            healthy.receive(f"{topic}/healthy", b"%d" % index)
    publisher.fence()
    assert node.memory() < 300 * MIB
    node.assert_served()


def test_a_publisher_that_does_not_read_its_acknowledgements(start_node: StartNode) -> None:
    node = start_node()
    deaf = node.connect(level=4)
    packet = Publish("flood", b"x", 1, 1).encode(4) * 1_000
    refused = 0
    with contextlib.suppress(ConnectionError):  # closing such a client is allowed as well
        for _ in range(3_000):
            refused = refused + 1 if deaf.send_without_blocking(packet) == 0 else 0
            if refused > 50:
                break
            if refused % 10 == 9:
                node.assert_served()
    assert node.memory() < 300 * MIB
    node.assert_served()


def test_a_client_that_publishes_to_itself_without_reading(
    start_node: StartNode, topic: str
) -> None:
    node = start_node()
    client = node.connect(level=4)
    client.subscribe(topic, qos=0)
    packet = Publish(topic, bytes(50_000)).encode(4) * 10
    with contextlib.suppress(ConnectionError):
        for _ in range(400):
            client.send_without_blocking(packet)
    assert node.memory() < 300 * MIB
    node.assert_served()


def test_pubrel_for_every_packet_id(node: Node, level: int) -> None:
    client = node.connect(level=level)
    for start in range(1, 65_536, 5_000):
        ids = range(start, min(start + 5_000, 65_536))
        client.send(*[PubRel(packet_id) for packet_id in ids])
        for packet_id in ids:
            client.expect(PubComp, packet_id=packet_id, reason_code=0x92 if level == 5 else 0)
    node.assert_served()


def test_qos_2_without_pubrel_is_bounded(shared_nodes: StartNode, topic: str) -> None:
    """More than max_awaiting_rel unfinished exchanges are refused, finished ones make room."""
    broker = shared_nodes({"mqtt.max_awaiting_rel": "5", "mqtt.max_inflight": "100"})
    client = broker.connect(level=5)
    for packet_id in range(1, 6):
        client.send(Publish(topic, b"x", 2, packet_id))
        assert client.expect(PubRec, packet_id=packet_id).reason_code < 0x80
    client.send(Publish(topic, b"x", 2, 6))
    client.expect(PubRec, packet_id=6, reason_code=0x93)
    for _ in range(10):  # the same ones again are no new exchanges
        client.send(Publish(topic, b"x", 2, 3, dup=True))
        assert client.expect(PubRec, packet_id=3).reason_code < 0x80
    client.send(PubRel(1))
    client.expect(PubComp, packet_id=1, reason_code=0)
    client.send(Publish(topic, b"x", 2, 6))
    assert client.expect(PubRec, packet_id=6).reason_code < 0x80
    broker.assert_served()


def test_qos_2_without_pubrel_is_bounded_before_mqtt_5_too(
    shared_nodes: StartNode, topic: str
) -> None:
    """There is no answer that refuses: as many again wait, then the connection ends."""
    broker = shared_nodes({"mqtt.max_awaiting_rel": "5", "mqtt.max_inflight": "100"})
    client = broker.connect(level=4)
    for packet_id in range(1, 11):
        client.send(Publish(topic, b"x", 2, packet_id))
    for packet_id in range(1, 6):
        client.expect(PubRec, packet_id=packet_id)
    client.expect_nothing()
    client.send(PubRel(1))
    client.expect(PubComp, packet_id=1)
    client.expect(PubRec, packet_id=6)
    client.send(*[Publish(topic, b"x", 2, packet_id) for packet_id in (11, 12)])
    client.expect_closed()
    broker.assert_served()


def test_every_packet_id_of_a_v311_client_in_qos_2(shared_nodes: StartNode, topic: str) -> None:
    node = shared_nodes({"mqtt.max_awaiting_rel": "infinity"})
    client = node.connect(level=4)
    for start in range(1, 65_536, 5_000):
        ids = range(start, min(start + 5_000, 65_536))
        client.send(*[Publish(topic, b"x", 2, packet_id) for packet_id in ids])
        for packet_id in ids:
            client.expect(PubRec, packet_id=packet_id)
    client.send(PubRel(65_535))
    client.expect(PubComp, packet_id=65_535)
    node.assert_served()


@pytest.mark.parametrize("level", [4, 5])
def test_a_subscriber_that_never_acknowledges(
    shared_nodes: StartNode, level: int, topic: str
) -> None:
    """The window fills, the queue fills to its bound, and acknowledging drains both in order."""
    broker = shared_nodes({"mqtt.max_inflight": "20", "mqtt.max_mqueue_len": "50"})
    properties = {"receive_maximum": 65_535} if level == 5 else {}
    holder = broker.connect(level=level, properties={**properties})
    holder.subscribe(topic, qos=1)
    publisher = broker.connect(level=4)
    count = 500
    publisher.send(*[Publish(topic, b"%d" % n, 1, n + 1) for n in range(count)])
    for n in range(count):
        publisher.expect(PubAck, packet_id=n + 1)
    first = [holder.expect_publish(topic, b"%d" % n) for n in range(20)]
    holder.expect_nothing()
    for message in first:
        holder.acknowledge(message)
    rest = [int(holder.receive(topic).payload) for _ in range(50)]
    assert rest == sorted(rest)
    assert set(rest) <= set(range(20, count))
    holder.expect_nothing_from(publisher, 1)
    broker.assert_served()


def test_sixty_five_thousand_in_flight(start_node: StartNode, topic: str) -> None:
    node = start_node({"mqtt.max_inflight": "65535", "mqtt.max_mqueue_len": "100000"})
    holder = node.connect(level=5, properties={"receive_maximum": 65_535})
    holder.subscribe(topic, qos=1)
    publisher = node.connect(level=4)
    total = 66_000
    sent = received = 0
    held: list[int] = []
    while sent < total:
        numbers = range(sent, min(sent + 3_000, total))
        publisher.send(*[Publish(topic, b"", 1, n % 65_000 + 1) for n in numbers])
        for n in numbers:
            publisher.expect(PubAck, packet_id=n % 65_000 + 1)
        sent = numbers.stop
        while received < min(sent, 65_535):
            held.append(holder.expect_publish(topic).packet_id)
            received += 1
    assert len(set(held)) == 65_535
    holder.expect_nothing()
    holder.send(*[PubAck(packet_id) for packet_id in held])
    for _ in range(total - 65_535):
        holder.receive(topic)
    node.assert_served()


def test_takeovers_in_a_loop(node: Node, level: int) -> None:
    client_id = fresh_name("loop")
    previous = node.durable(client_id, level)
    for _ in range(200):
        current = node.durable(client_id, level)
        previous.expect_closed()
        previous.drop()
        previous = current
    previous.fence()
    assert previous.connack.session_present
    node.assert_served()


def test_takeovers_all_at_once(node: Node, level: int) -> None:
    client_id = fresh_name("race")
    clients = [node.open(level) for _ in range(100)]
    for client in clients:
        client.send(Connect(client_id, clean_start=False))
    alive: list[RawClient] = []
    for client in clients:
        with contextlib.suppress(ClosedError, AssertionError):
            client.expect(ConnAck, reason_code=0)
            alive.append(client)
    survivors = 0
    for client in alive:
        with contextlib.suppress(ClosedError, AssertionError, ConnectionError):
            client.fence()
            survivors += 1
    assert survivors == 1
    node.assert_served()


def test_connections_that_say_nothing_are_closed(shared_nodes: StartNode) -> None:
    broker = shared_nodes({"mqtt.idle_timeout": "1s"})
    silent = [broker.open() for _ in range(300)]
    broker.assert_served()
    for client in silent:
        client.expect_closed()
    broker.assert_served()


def test_a_connect_that_trickles_in_is_closed(shared_nodes: StartNode) -> None:
    """The time for CONNECT does not start again with each byte."""
    broker = shared_nodes({"mqtt.idle_timeout": "1s"})
    client = broker.open()
    data = iter(Connect("x" * 60_000).encode(4))
    with pytest.raises((ClosedError, ConnectionError)):
        while True:
            client.send_raw(bytes([next(data)]))
            assert client.await_within(0.05) is None
    broker.assert_served()


def test_a_connected_client_is_not_held_to_the_time_for_connect(shared_nodes: StartNode) -> None:
    broker = shared_nodes({"mqtt.idle_timeout": "1s"})
    client = broker.connect(level=5)
    broker.let_pass(3)
    client.fence()


def test_wildcard_storm(node: Node, topic: str) -> None:
    """Every combination of name and `+` on eight levels: one message, one copy each at most."""
    client, publisher = node.connect(level=5), node.connect(level=5)
    filters = [
        Subscription("/".join([topic, *("+" if bits >> n & 1 else "x" for n in range(8))]), 0)
        for bits in range(256)
    ]
    client.subscribe(*filters)
    publisher.publish("/".join([topic, *"xxxxxxxx"]), b"storm")
    marker = fresh_name("end/")
    client.subscribe(marker)
    publisher.publish(marker, b"")
    copies = 0
    while client.receive().topic_name != marker:
        copies += 1
    assert 1 <= copies <= len(filters)
    node.assert_served()


def test_many_clients_come_and_go(node: Node, level: int) -> None:
    for _ in range(300):
        client = node.connect(level=level)
        client.subscribe("churn/#")
        client.drop()
    node.assert_served()
