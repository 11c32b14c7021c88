"""Keep Alive: who is closed for being silent, and who is not."""

from __future__ import annotations

import pytest

from harness.client import ClosedError
from harness.node import Node, StartNode
from harness.packets import PingReq, PingResp
from harness.statements import V5, V311, statement


@statement(V311, "MQTT-3.1.2-24")
@statement(V5, "MQTT-3.1.2-22", "MQTT-3.2.2-22")
def test_a_silent_client_is_closed(node: Node, level: int) -> None:
    client = node.connect(level=level, keep_alive=1)
    client.expect_closed({0x8D} if level == 5 else ())


@statement(V311, "MQTT-3.1.2-24")
@statement(V5, "MQTT-3.1.2-22")
def test_a_client_that_only_receives_is_silent(node: Node, level: int, topic: str) -> None:
    client = node.connect(level=level, keep_alive=1)
    client.subscribe(topic)
    publisher = node.connect(level=level)
    with pytest.raises((ClosedError, AssertionError)):
        for _ in range(1_000_000):
            publisher.publish(topic, b"x")
            client.expect_publish(topic)


@statement(V5, "MQTT-3.2.2-22")
def test_keep_alive_0_never_closes(node: Node, level: int) -> None:
    client = node.connect(level=level, keep_alive=0)
    node.let_pass(3)
    client.fence()


@statement(V311, "MQTT-3.1.2-24")
@statement(V5, "MQTT-3.1.2-22")
def test_a_client_that_pings_stays(node: Node, level: int) -> None:
    client = node.connect(level=level, keep_alive=1)
    silent = node.connect(level=level, keep_alive=3)
    while True:  # until the broker has closed one with three times the allowance
        client.send(PingReq())
        client.expect(PingResp)
        try:
            silent.await_within(0.3)
        except ClosedError:
            break
    client.fence()


@statement(V5, "MQTT-3.2.2-21", "MQTT-3.1.2-21")
def test_v5_server_keep_alive_replaces_that_of_the_client(shared_nodes: StartNode) -> None:
    broker = shared_nodes({"mqtt.server_keepalive": "1"})
    client = broker.connect(level=5, keep_alive=3_600)
    assert client.connack.properties["server_keep_alive"] == 1
    client.expect_closed({0x8D})
