"""Bytes meant to hurt: the sender is closed, and everybody else is served as before."""

from __future__ import annotations

import pytest

from harness.client import ClosedError, RawClient
from harness.node import Node, StartNode, fresh_name
from harness.packets import (
    ConnAck,
    Connect,
    Disconnect,
    PingReq,
    PingResp,
    PubAck,
    Publish,
    SubAck,
    Subscribe,
    Subscription,
    Unsubscribe,
    Will,
)
from harness.wire import Kind, Properties, varint

USER_PROPERTIES_MAX = 1024  # the default of limits.user_properties


@pytest.mark.parametrize("first", [kind << 4 for kind in range(16)])
def test_a_huge_length_before_authentication_reserves_nothing(node: Node, first: int) -> None:
    before = node.memory()
    clients = [node.open() for _ in range(20)]
    for client in clients:
        client.send_until_closed(bytes([first, 0xFF, 0xFF, 0xFF, 0x7F]) + bytes(100))
    for client in clients:
        client.expect_closed()
    assert node.memory() - before < 64 << 20
    node.assert_served()


@pytest.mark.parametrize("first", [kind << 4 | 2 for kind in range(1, 16)])
def test_a_length_of_five_bytes_closes(node: Node, level: int, first: int) -> None:
    client = node.connect(level=level)
    client.send_until_closed(bytes([first, 0x80, 0x80, 0x80, 0x80, 0x01]))
    client.expect_closed({0x81} if level == 5 else ())
    node.assert_served()


@pytest.mark.parametrize("first", [0x30, 0x32, 0x82, 0xA2, 0x40, 0x62])
def test_a_packet_over_the_limit_is_refused_by_its_header(
    node: Node, level: int, first: int
) -> None:
    client = node.connect(level=level)
    client.send_until_closed(bytes([first, 0xFF, 0xFF, 0xFF, 0x7F]))
    client.expect_closed({0x95} if level == 5 else ())
    node.assert_served()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n\x21\x11" + bytes(20),
        bytes(1),
        bytes(1_000),
        b"\xff" * 1_000,
    ],
    ids=["http", "tls", "ssh", "proxy1", "proxy2", "zero", "zeros", "ones"],
)
def test_other_protocols_are_closed(node: Node, data: bytes) -> None:
    client = node.open()
    client.send_until_closed(data)
    client.end_of_input()
    client.expect_closed()
    node.assert_served()


def cut_short(packet: bytes) -> list[bytes]:
    """``packet`` truncated at every byte of its body, with a fixed header that says so."""
    first, body = packet[0], packet[2:]
    assert packet[1] == len(body) < 128
    return [bytes([first, size]) + body[:size] for size in range(len(body))]


def test_connect_cut_at_every_byte_is_closed(node: Node, level: int) -> None:
    will = Will("w", b"x", 1, properties={"content_type": "c"} if level == 5 else {})
    properties: Properties = {"receive_maximum": 10} if level == 5 else {}
    connect = Connect("cut", will=will, username="u", password=b"p", properties=properties)
    for data in cut_short(connect.encode(level)):
        client = node.open(level)
        client.send_until_closed(data)
        client.expect_closed()
    node.assert_served()


@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize(
    "packet",
    [
        Subscribe(1, [Subscription("a/b"), Subscription("c")]),
        Unsubscribe(1, ["a/b", "c"]),
    ],
    ids=lambda packet: type(packet).__name__,
)
def test_subscribe_cut_at_every_byte_is_closed_or_whole(
    node: Node, level: int, packet: Subscribe | Unsubscribe
) -> None:
    for data in cut_short(packet.encode(level)):
        client = node.connect(level=level)
        client.send_until_closed(data)
        client.end_of_input()
        try:
            answer = client.receive_packet()  # a cut between two filters is a shorter list
        except ClosedError:
            continue
        if isinstance(answer, Disconnect):
            assert answer.reason_code in {0x81, 0x82}
        client.expect_closed()
    node.assert_served()


@pytest.mark.parametrize("count", [100, 13_000, 200_000])
def test_user_properties_in_masses(node: Node, topic: str, count: int) -> None:
    """They arrive unaltered, or the packet is refused for its size or for their number."""
    reader, client = node.connect(level=5), node.connect(level=5)
    reader.subscribe(topic)
    pairs: list[tuple[str, str]] = [("", "")] * count
    packet = Publish(topic, b"x", properties={"user_property": pairs})
    client.send_until_closed(packet.encode(5) + PingReq().encode(5))
    answer = client.receive_packet()
    if isinstance(answer, PingResp):
        assert reader.receive(topic, b"x").properties == {"user_property": pairs}
    else:
        assert count > 100
        assert isinstance(answer, Disconnect)
        assert answer.reason_code in {0x95, 0x97}
        client.expect_closed()
    node.assert_served()


def test_user_properties_in_masses_before_authentication(node: Node) -> None:
    pairs: list[tuple[str, str]] = [("", "")] * 150_000
    client = node.open(5)
    client.send_until_closed(Connect("bomb", properties={"user_property": pairs}).encode(5))
    answer = client.receive_packet()
    assert isinstance(answer, ConnAck)
    assert answer.reason_code in {0x00, 0x95, 0x97}
    node.assert_served()


def test_sixty_five_thousand_levels(node: Node, level: int) -> None:
    deep = "/" * 65_000
    client = node.connect(level=level)
    client.send_until_closed(Publish(deep, b"x").encode(level))
    client.expect_closed({0x90} if level == 5 else ())

    for topic_filter in (deep, "+/" * 32_000 + "+", "a/" * 32_000 + "#"):
        client = node.connect(level=level)
        client.send_until_closed(Subscribe(1, [Subscription(topic_filter)]).encode(level))
        client.expect(SubAck, reason_codes=[0x8F if level == 5 else 0x80])
        client.unsubscribe(topic_filter)

    client = node.open(level)
    client.send_until_closed(Connect("deep", will=Will(deep)).encode(level))
    notice = client.expect_closed()
    assert level == 4 or (isinstance(notice, ConnAck) and notice.reason_code == 0x90)
    node.assert_served()


def test_the_level_limit_counts_exactly(shared_nodes: StartNode, level: int) -> None:
    broker = shared_nodes({"mqtt.max_topic_levels": "4"})
    unique = fresh_name("x").replace("/", "-")
    client = broker.connect(level=level)
    client.subscribe(f"{unique}/2/3/4", f"{unique}/+/+/#")
    client.send(Subscribe(9, [Subscription(f"{unique}/2/3/4/5")]))
    client.expect(SubAck, packet_id=9, reason_codes=[0x8F if level == 5 else 0x80])
    client.unsubscribe(f"{unique}/+/+/#")
    client.publish(f"{unique}/2/3/4", b"x")
    client.receive(f"{unique}/2/3/4", b"x")
    client.send(Publish(f"{unique}/2/3/4/5", b"x"))
    client.expect_closed({0x90} if level == 5 else ())


def test_ten_thousand_filters_in_one_subscribe(node: Node, level: int, topic: str) -> None:
    """All are granted, or the limit on filters is told; either way bounded and answered."""
    client = node.connect(level=level)
    filters = [Subscription(f"{topic}/{index}", 1) for index in range(10_000)]
    client.send_until_closed(Subscribe(1, filters).encode(level))
    answer = client.receive_packet()
    if isinstance(answer, SubAck):
        assert len(answer.reason_codes) == len(filters)
        assert set(answer.reason_codes) <= {1, 0x80, 0x97}
        client.unsubscribe(*[item.topic_filter for item in filters])
    else:
        assert isinstance(answer, Disconnect)
        assert answer.reason_code == 0x97
        client.expect_closed()
    node.assert_served()


@pytest.mark.parametrize(
    "client_id", ["#", "+", "/", "a/b", "$SYS", "%c", "%u", " ", "名前", "'--"]
)
def test_client_ids_that_look_like_something_else(node: Node, level: int, client_id: str) -> None:
    with node.connect(client_id, level) as client:
        topic_name = fresh_name("odd/")
        client.subscribe(topic_name)
        client.publish(topic_name, b"x")
        client.receive(topic_name, b"x")


def test_wills_to_topics_of_the_broker_are_not_published(node: Node, level: int) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe("$SYS/forged/#", qos=1)
    client = node.open(level)
    client.send(Connect(fresh_name("f"), will=Will("$SYS/forged/x", b"lie", 1)))
    client.receive_packet()
    client.drop()
    watcher.expect_nothing_from(node.connect(level=level), 1)


def test_one_byte_at_a_time_is_the_same_packet(node: Node, level: int, topic: str) -> None:
    client = node.open(level)
    conversation = (
        Connect(fresh_name("drip")).encode(level)
        + Subscribe(1, [Subscription(topic, 1)]).encode(level)
        + Publish(topic, b"drop by drop", 1, 1).encode(level)
    )
    for byte in conversation:
        client.send_raw(bytes([byte]))
    client.expect(ConnAck, reason_code=0)
    client.expect(SubAck)
    packets = [client.receive_packet(), client.receive_packet()]
    assert {packet.kind for packet in packets} == {Kind.PUBACK, Kind.PUBLISH}


def test_a_packet_in_many_writes_between_other_clients(node: Node, topic: str) -> None:
    slow: list[RawClient] = [node.connect(level=4) for _ in range(10)]
    body = Publish(topic, bytes(50_000), 1, 1).encode(4)
    for start in range(0, len(body), 7_000):
        for client in slow:
            client.send_raw(body[start : start + 7_000])
        node.assert_served()
    for client in slow:
        client.expect(PubAck, packet_id=1)


def test_lengths_on_every_boundary(node: Node, topic: str) -> None:
    reader, client = node.connect(level=4), node.connect(level=4)
    reader.subscribe(topic)
    overhead = 2 + len(topic)
    for total in (126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385):
        payload = bytes(total - overhead)
        packet = Publish(topic, payload).encode(4)
        assert packet[1 : len(packet) - total] == varint(total)
        client.send_raw(packet)
        reader.receive(topic, payload)
