"""Enhanced authentication on a broker that has no method configured."""

from __future__ import annotations

import pytest

from harness.node import Node, fresh_name
from harness.packets import Auth, ConnAck, Connect, PingResp
from harness.statements import V5, statement


@statement(V5, "MQTT-4.12.0-1", "MQTT-4.12.0-4", "MQTT-3.1.4-2")
def test_an_unknown_authentication_method_is_refused(node: Node) -> None:
    client = node.open(5)
    client.send(Connect(fresh_name("c"), properties={"authentication_method": "NOSUCH-1"}))
    answer = client.expect(ConnAck)
    assert answer.reason_code in {0x8C, 0x87}
    client.expect_closed()


@statement(V5, "MQTT-4.12.0-6")
def test_no_method_asked_for_none_answered(node: Node) -> None:
    client = node.connect(level=5)
    assert "authentication_method" not in client.connack.properties
    assert "authentication_data" not in client.connack.properties
    client.expect_nothing()


@statement(V5, "MQTT-4.12.0-7", "MQTT-4.12.1-1", "MQTT-4.12.1-2")
@pytest.mark.parametrize("reason_code", [0x00, 0x18, 0x19])
def test_auth_without_a_method_in_connect_is_a_protocol_error(node: Node, reason_code: int) -> None:
    client = node.connect(level=5)
    client.send(Auth(reason_code, {"authentication_method": "PLAIN"}))
    client.expect_closed({0x82, 0x8C})


@statement(V5, "MQTT-4.12.0-7", "MQTT-3.1.0-1")
def test_auth_before_connect_closes(node: Node) -> None:
    client = node.open(5)
    client.send(Auth(0x18, {"authentication_method": "PLAIN"}))
    client.expect_closed()


@statement(V5, "MQTT-4.13.1-1")
def test_authentication_data_without_a_method_is_a_protocol_error(node: Node) -> None:
    client = node.open(5)
    client.send(Connect(fresh_name("c"), properties={"authentication_data": b"x"}))
    client.expect_closed({0x82})


@statement(V5, "MQTT-3.15.1-1")
def test_auth_with_reserved_bits_set_is_malformed(node: Node) -> None:
    client = node.connect(level=5)
    client.send_raw(b"\xf1\x00")
    client.expect_closed({0x81, 0x82})


@statement(V5, "MQTT-3.1.2-16", "MQTT-3.1.2-17", "MQTT-3.1.2-18", "MQTT-3.1.2-19", "MQTT-3.1.3-1")
@pytest.mark.parametrize("username", [None, "", "user"])
@pytest.mark.parametrize("password", [None, b"", b"\x00\xff secret"])
def test_user_name_and_password_are_read_where_their_flags_say(
    node: Node, username: str | None, password: bytes | None
) -> None:
    client = node.open(5)
    connect = Connect(fresh_name("c"), username=username, password=password)
    client.send_raw(connect.encode(5) + b"\xc0\x00")
    client.expect(ConnAck, reason_code=0)
    client.expect(PingResp)
