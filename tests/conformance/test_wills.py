"""Will Messages: when they are published, and when not."""

from __future__ import annotations

import pytest

from harness.client import RawClient
from harness.node import Node, StartNode, fresh_name
from harness.packets import ConnAck, Connect, Packet, Publish, Subscribe, Will
from harness.statements import V5, V311, statement
from harness.wire import Properties


def dying(node: Node, level: int, will: Will, **properties: int) -> RawClient:
    """A client with ``will``."""
    return node.connect(fresh_name("dying"), level, will=will, properties={**properties})


@statement(V311, "MQTT-3.1.2-8", "MQTT-3.1.2-9", "MQTT-3.1.2-14", "MQTT-3.1.2-16")
@statement(V5, "MQTT-3.1.2-7", "MQTT-3.1.2-8", "MQTT-3.1.2-9", "MQTT-3.1.2-12", "MQTT-3.1.2-14")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_lost_connection_publishes_the_will(node: Node, level: int, topic: str, qos: int) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe(topic, qos=2)
    dying(node, level, Will(topic, b"lost", qos)).drop()
    watcher.receive(topic, b"lost", qos=qos, retain=False, dup=False)

    reader = node.connect(level=level)
    reader.subscribe(topic, qos=2)
    reader.expect_nothing_from(watcher, 2)


@statement(V311, "MQTT-3.1.2-17")
@statement(V5, "MQTT-3.1.2-15")
def test_a_will_with_retain_is_kept(node: Node, level: int, topic: str) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe(topic, qos=1)
    dying(node, level, Will(topic, b"lost", 1, retain=True)).drop()
    watcher.receive(topic, b"lost", retain=False)
    reader = node.connect(level=level)
    reader.subscribe(topic, qos=1)
    reader.receive(topic, b"lost", retain=True)


@statement(V311, "MQTT-3.1.2-10", "MQTT-3.14.4-3", "MQTT-3.1.2-12")
@statement(V5, "MQTT-3.1.2-10", "MQTT-3.14.4-3", "MQTT-3.1.2-8")
def test_disconnect_discards_the_will(node: Node, level: int, topic: str) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe(topic, qos=1)
    dying(node, level, Will(topic, b"lost", 1)).disconnect()
    watcher.expect_nothing_from(node.connect(level=level), 1)


@statement(V5, "MQTT-3.14.4-3", "MQTT-3.1.2-8")
@pytest.mark.parametrize("reason_code", [0x04, 0x80, 0x99])
def test_v5_disconnect_with_another_code_publishes_the_will(
    node: Node, topic: str, reason_code: int
) -> None:
    watcher = node.connect(level=5)
    watcher.subscribe(topic, qos=1)
    dying(node, 5, Will(topic, b"lost", 1)).disconnect(reason_code)
    watcher.receive(topic, b"lost")


@statement(V311, "MQTT-3.1.2-8", "MQTT-4.8.0-1")
@statement(V5, "MQTT-3.1.2-8")
@pytest.mark.parametrize(
    "packet",
    [Connect("again"), Publish("no/#", b""), Subscribe(1, [])],
    ids=lambda packet: packet.kind.name,
)
def test_a_protocol_error_publishes_the_will(
    node: Node, level: int, topic: str, packet: Packet
) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe(topic, qos=1)
    client = dying(node, level, Will(topic, b"lost", 1))
    client.send(packet)
    client.expect_closed()
    watcher.receive(topic, b"lost")


@statement(V311, "MQTT-3.1.2-24", "MQTT-3.1.2-8")
@statement(V5, "MQTT-3.1.2-22", "MQTT-3.1.2-8")
def test_keep_alive_running_out_publishes_the_will(node: Node, level: int, topic: str) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe(topic)
    client = node.connect(level=level, keep_alive=1, will=Will(topic, b"silent"))
    client.expect_closed({0x8D} if level == 5 else ())
    watcher.receive(topic, b"silent")


@statement(V311, "MQTT-3.1.2-8")
@statement(V5, "MQTT-3.1.2-8")
def test_a_takeover_publishes_the_will(node: Node, level: int, topic: str) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe(topic, qos=1)
    client_id = fresh_name("taken")
    node.connect(client_id, level, will=Will(topic, b"lost", 1))
    node.connect(client_id, level)
    watcher.receive(topic, b"lost")


@statement(V311, "MQTT-3.1.2-10")
@statement(V5, "MQTT-3.1.2-10")
def test_a_will_is_published_once(node: Node, level: int, topic: str) -> None:
    watcher = node.connect(level=level)
    watcher.subscribe(topic, qos=1)
    client_id = fresh_name("once")
    expiry: Properties = {"session_expiry_interval": 60} if level == 5 else {}
    client = node.connect(
        client_id, level, clean_start=False, will=Will(topic, b"1", 1), properties=expiry
    )
    client.drop()
    watcher.receive(topic, b"1")
    node.connect(client_id, level, clean_start=False, properties=expiry).drop()
    watcher.expect_nothing_from(node.connect(level=level), 1)


@statement(V5, "MQTT-3.1.2-8", "MQTT-3.1.3-9")
def test_v5_will_delay_ends_with_a_new_connection(node: Node, topic: str) -> None:
    watcher = node.connect(level=5)
    watcher.subscribe(topic, qos=1)
    client_id = fresh_name("delayed")
    will = Will(topic, b"late", 1, properties={"will_delay_interval": 1})
    expiry: Properties = {"session_expiry_interval": 60}
    node.connect(client_id, 5, will=will, properties=expiry).drop()
    node.connect(client_id, 5, clean_start=False, properties=expiry)
    node.let_pass(3)
    watcher.expect_nothing_from(node.connect(level=5), 1)


@statement(V5, "MQTT-3.1.2-8")
def test_v5_will_waits_for_its_delay(node: Node, topic: str) -> None:
    watcher = node.connect(level=5)
    watcher.subscribe(f"{topic}/#", qos=1)
    # In the order of their delays, not of the connections that were lost.
    for delay in (3, 1, 0):
        will = Will(f"{topic}/{delay}", b"late", 1, properties={"will_delay_interval": delay})
        dying(node, 5, will, session_expiry_interval=60).drop()
    for delay in (0, 1, 3):
        watcher.receive(f"{topic}/{delay}", b"late")


@statement(V5, "MQTT-3.1.2-8")
def test_v5_end_of_the_session_publishes_the_will_at_once(node: Node, topic: str) -> None:
    watcher = node.connect(level=5)
    watcher.subscribe(topic, qos=1)
    will = Will(topic, b"ended", 1, properties={"will_delay_interval": 86_400})
    client_id = fresh_name("ended")
    node.connect(client_id, 5, will=will, properties={"session_expiry_interval": 60}).drop()
    node.connect(client_id, 5, clean_start=True)  # ends the session, and with it the delay
    watcher.receive(topic, b"ended")


@statement(V5, "MQTT-3.1.2-8")
def test_v5_will_delay_is_cut_at_the_session_expiry(node: Node, topic: str) -> None:
    watcher = node.connect(level=5)
    watcher.subscribe(topic, qos=1)
    will = Will(topic, b"ended", 1, properties={"will_delay_interval": 86_400})
    dying(node, 5, will, session_expiry_interval=1).drop()
    watcher.receive(topic, b"ended")


@statement(V5, "MQTT-3.1.3-10", "MQTT-3.1.2-9", "MQTT-3.3.2-4", "MQTT-3.3.2-20")
def test_v5_will_properties_are_published_with_it(node: Node, topic: str) -> None:
    wanted: Properties = {
        "payload_format_indicator": 1,
        "content_type": "text/plain",
        "response_topic": "reply/here",
        "correlation_data": b"\x00\x01",
        "user_property": [("b", "2"), ("a", "1"), ("b", "1"), ("", "")],
    }
    watcher = node.connect(level=5)
    watcher.subscribe(topic, qos=1)
    dying(node, 5, Will(topic, "spät".encode(), 1, properties=wanted)).drop()
    assert watcher.receive(topic).properties == wanted


@statement(V5, "MQTT-3.2.2-12")
def test_v5_will_qos_over_the_maximum_is_refused(shared_nodes: StartNode, topic: str) -> None:
    broker = shared_nodes({"mqtt.max_qos_allowed": "0"})
    client = broker.open(5)
    client.send(Connect(fresh_name("c"), will=Will(topic, b"x", 1)))
    client.expect(ConnAck, reason_code=0x9B)
    client.expect_closed()


def test_the_dying_client_may_be_its_own_watcher_later(node: Node, level: int, topic: str) -> None:
    client_id = fresh_name("self")
    client = node.durable(client_id, level)
    client.subscribe(topic, qos=1)
    client.disconnect()
    expiry: Properties = {"session_expiry_interval": 60} if level == 5 else {}
    node.connect(
        client_id, level, clean_start=False, will=Will(topic, b"mine", 1), properties=expiry
    ).drop()
    watcher = node.connect(level=level)
    watcher.fence()
    node.durable(client_id, level).receive(topic, b"mine")
