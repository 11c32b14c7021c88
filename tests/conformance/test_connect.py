"""CONNECT, CONNACK and DISCONNECT: who gets in, as whom, and what the answer says."""

from __future__ import annotations

import pytest

from harness.client import ClosedError
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
)
from harness.statements import V5, V311, statement

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@statement(V311, "MQTT-3.2.0-1", "MQTT-4.2.0-1")
@statement(V5, "MQTT-3.1.4-5", "MQTT-3.2.0-1", "MQTT-3.2.2-1", "MQTT-3.2.2-8", "MQTT-4.2.0-1")
def test_the_first_packet_from_the_broker_is_connack(node: Node, level: int) -> None:
    client = node.open(level)
    client.send(Connect(fresh_name("c")), PingReq())
    client.expect(ConnAck, reason_code=0, session_present=False)
    client.expect(PingResp)


@statement(V311, "MQTT-3.1.0-2")
@statement(V5, "MQTT-3.1.0-2", "MQTT-3.2.0-2", "MQTT-4.13.1-1", "MQTT-4.13.2-1")
def test_a_second_connect_closes_the_connection(node: Node, level: int) -> None:
    client = node.connect("second", level)
    client.send(Connect("second"))
    client.expect_closed({0x82} if level == 5 else ())


@statement(V311, "MQTT-3.1.4-5", "MQTT-3.1.4-4")
@statement(V5, "MQTT-3.1.4-5")
def test_packets_sent_behind_connect_without_waiting_are_processed(
    node: Node, level: int, topic: str
) -> None:
    client = node.open(level)
    client.send(
        Connect(fresh_name("c")),
        Subscribe(7, [Subscription(topic, 1)]),
        Publish(topic, b"early", 1, 9),
    )
    client.expect(ConnAck, reason_code=0)
    client.expect(SubAck, packet_id=7, reason_codes=[1])
    client.await_packet(PubAck, packet_id=9, reason_code=0)
    client.receive(topic, b"early", qos=1)


@statement(V311, "MQTT-3.1.4-5", "MQTT-3.1.4-1", "MQTT-3.1.2-2", "MQTT-3.2.2-5")
@statement(V5, "MQTT-3.1.4-6", "MQTT-3.1.2-2", "MQTT-3.2.2-7")
def test_nothing_behind_a_refused_connect_is_processed(node: Node, level: int, topic: str) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe(topic)
    client = node.open(level)
    connect = Connect(fresh_name("c"), protocol_level=6)
    client.send_until_closed(connect.encode(level) + Publish(topic, b"no").encode(level))
    client.expect_closed()
    watcher.expect_nothing_from(node.connect(level=level))


@statement(V311, "MQTT-3.1.4-2")
@statement(V5, "MQTT-3.1.4-3", "MQTT-4.13.2-1")
def test_a_second_client_with_the_same_id_takes_over(node: Node, level: int) -> None:
    client_id = fresh_name("twin")
    first = node.connect(client_id, level)
    second = node.connect(client_id, level)
    first.expect_closed({0x8E} if level == 5 else ())
    second.fence()


@statement(V311, "MQTT-3.1.3-2", "MQTT-3.1.3-5")
@statement(V5, "MQTT-3.1.3-2", "MQTT-3.1.3-5")
@pytest.mark.parametrize("client_id", ["a", ALPHABET[:23], ALPHABET[23:46], ALPHABET[39:]])
def test_client_ids_that_must_be_allowed_are_and_name_the_session(
    node: Node, level: int, client_id: str
) -> None:
    node.connect(client_id, level).disconnect()
    node.durable(client_id, level).disconnect()
    again = node.durable(client_id, level)
    assert again.connack.session_present
    again.disconnect()
    assert not node.connect(client_id, level).connack.session_present


@statement(V311, "MQTT-3.1.3-6", "MQTT-3.1.3-7")
def test_v311_client_without_an_id_gets_one_of_its_own(node: Node, topic: str) -> None:
    first = node.connect("")
    second = node.connect("")
    first.subscribe(topic)
    second.publish(topic, b"x")
    first.receive(topic, b"x")  # the second connection did not take the first one over


@statement(V5, "MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16")
@pytest.mark.parametrize("clean_start", [True, False])
def test_v5_client_without_an_id_is_told_the_one_it_got(node: Node, clean_start: bool) -> None:
    ids = set()
    for _ in range(3):
        client = node.connect(
            "", 5, clean_start=clean_start, properties={"session_expiry_interval": 60}
        )
        ids.add(client.connack.properties["assigned_client_identifier"])
    assert len(ids) == 3
    assert "" not in ids

    assigned = str(ids.pop())
    assert node.durable(assigned, 5).connack.session_present


@statement(V5, "MQTT-3.2.2-16")
def test_an_id_chosen_by_the_client_is_not_assigned_again(node: Node) -> None:
    assert "assigned_client_identifier" not in node.connect("own", 5).connack.properties


@statement(V311, "MQTT-3.1.3-8", "MQTT-3.2.2-4")
@statement(V311, "MQTT-3.1.3-9")
def test_v311_no_id_with_clean_session_0_is_refused(node: Node) -> None:
    client = node.open(4)
    client.send(Connect("", clean_start=False))
    client.expect(ConnAck, reason_code=2, session_present=False)
    client.expect_closed()


@statement(V5, "MQTT-3.1.3-8", "MQTT-3.2.2-6", "MQTT-3.2.2-7")
def test_a_client_id_over_the_limit_is_refused(shared_nodes: StartNode) -> None:
    broker = shared_nodes({"mqtt.max_clientid_len": "23"})
    client = broker.open(5)
    client.send(Connect("x" * 24))
    client.expect(ConnAck, reason_code=0x85, session_present=False)
    client.expect_closed()


@statement(V311, "MQTT-3.14.4-1", "MQTT-3.14.4-2")
@statement(V5, "MQTT-3.14.4-1", "MQTT-3.14.4-2")
def test_nothing_behind_disconnect_is_processed(node: Node, level: int, topic: str) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe(topic)
    client = node.connect(level=level)
    client.send_until_closed(Disconnect().encode(level) + Publish(topic, b"too late").encode(level))
    with pytest.raises(ClosedError):
        client.receive_packet()
    watcher.expect_nothing_from(node.connect(level=level))


@statement(V5, "MQTT-3.14.2-1")
@pytest.mark.parametrize("reason_code", [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x93, 0x99])
def test_every_disconnect_reason_code_of_a_client_is_taken(node: Node, reason_code: int) -> None:
    node.connect(level=5).disconnect(reason_code, {"reason_string": "why not"})


@statement(V5, "MQTT-3.14.0-1")
@pytest.mark.parametrize(
    "packet",
    [Connect("x" * 10, protocol_level=6), Connect("", will=None, protocol_name="MQIsdp")],
    ids=["level", "name"],
)
def test_no_disconnect_comes_before_an_accepting_connack(node: Node, packet: Connect) -> None:
    client = node.open(5)
    client.send(packet)
    notice = client.expect_closed()
    assert notice is None or isinstance(notice, ConnAck)


@statement(V311, "MQTT-3.14.1-1", "MQTT-2.2.2-2")
@statement(V5, "MQTT-3.14.1-1", "MQTT-2.1.3-1")
def test_disconnect_with_reserved_bits_set_is_malformed(node: Node, level: int) -> None:
    client = node.connect(level=level)
    client.send_raw(b"\xe1\x00")
    client.expect_closed({0x81} if level == 5 else ())


@statement(V311, "MQTT-3.12.4-1")
@statement(V5, "MQTT-3.12.4-1")
def test_every_pingreq_is_answered(node: Node, level: int) -> None:
    client = node.connect(level=level)
    client.send(*[PingReq()] * 50)
    for _ in range(50):
        client.expect(PingResp)
    client.expect_nothing()


@statement(V5, "MQTT-3.1.2-28")
def test_response_information_is_not_sent_unasked(shared_nodes: StartNode) -> None:
    broker = shared_nodes({"mqtt.response_information": "replies/"})
    unasked = broker.connect(level=5)
    refused = broker.connect(level=5, properties={"request_response_information": 0})
    asked = broker.connect(level=5, properties={"request_response_information": 1})
    assert "response_information" not in unasked.connack.properties
    assert "response_information" not in refused.connack.properties
    assert asked.connack.properties["response_information"] == "replies/"


@statement(V5, "MQTT-3.1.2-29")
def test_no_reason_string_when_problem_information_is_declined(node: Node, topic: str) -> None:
    client = node.connect(level=5, properties={"request_problem_information": 0})
    assert client.subscribe(topic).properties == {}
    assert client.unsubscribe(topic).properties == {}
    ack = client.publish(topic + "/nobody", b"x", qos=1)
    assert ack is not None
    assert ack.properties == {}


@statement(V311, "MQTT-7.0.0-2", "MQTT-3.1.4-1")
def test_v31_clients_are_served_too(node: Node, topic: str) -> None:
    client = node.connect("v31", 3)
    client.subscribe(topic, qos=2)
    for qos in (0, 1, 2):
        client.publish(topic, b"x", qos=qos)
        client.receive(topic, b"x", qos=qos)
