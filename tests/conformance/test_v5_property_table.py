"""Every property in every packet a client sends: allowed, refused, refused when repeated.

The table is MQTT-5.0 section 2.2.2.2, kept in ``harness/wire.py``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.node import Node, fresh_name
from harness.packets import ConnAck, PubAck, PubComp, PubRec, SubAck, UnsubAck, frame
from harness.statements import V5, statement
from harness.wire import PROPERTY_ROWS, Kind, PropertyRow, property_bytes, text, varint

VALUES: dict[str, int | bytes | str | tuple[str, str]] = {
    "byte": 1,
    "u16": 1,
    "u32": 1_000,
    "varint": 1,
    "text": "text",
    "binary": b"data",
    "pair": ("name", "value"),
}


def block(row: PropertyRow, times: int) -> bytes:
    """A property block with ``row`` in it ``times`` times."""
    value = 0 if row.name == "maximum_qos" else VALUES[row.form]
    data = property_bytes(row, value) * times
    return varint(len(data)) + data


def connect(properties: bytes, will: bytes | None = None) -> bytes:
    flags = 0x02 if will is None else 0x06
    body = text("MQTT") + bytes([5, flags]) + b"\0\x3c" + properties + text(fresh_name("p"))
    if will is not None:
        body += will + text("will/topic") + text("x")
    return frame(Kind.CONNECT, 0, body)


BUILDERS: dict[str, Callable[[bytes], bytes]] = {
    "CONNECT": connect,
    "WILL": lambda properties: connect(b"\0", properties),
    "PUBLISH": lambda properties: frame(Kind.PUBLISH, 2, text("t") + b"\0\1" + properties),
    "PUBACK": lambda properties: frame(Kind.PUBACK, 0, b"\0\1\0" + properties),
    "PUBREC": lambda properties: frame(Kind.PUBREC, 0, b"\0\1\0" + properties),
    "PUBREL": lambda properties: frame(Kind.PUBREL, 2, b"\0\1\0" + properties),
    "PUBCOMP": lambda properties: frame(Kind.PUBCOMP, 0, b"\0\1\0" + properties),
    "SUBSCRIBE": lambda properties: frame(
        Kind.SUBSCRIBE, 2, b"\0\1" + properties + text("t") + b"\0"
    ),
    "UNSUBSCRIBE": lambda properties: frame(Kind.UNSUBSCRIBE, 2, b"\0\1" + properties + text("t")),
    "DISCONNECT": lambda properties: frame(Kind.DISCONNECT, 0, b"\0" + properties),
}
ANSWERS = {"PUBLISH": PubAck, "PUBREL": PubComp, "SUBSCRIBE": SubAck, "UNSUBSCRIBE": UnsubAck}

# Allowed by the table, but not on their own or not from a client.
CONDITIONAL = {
    ("CONNECT", "authentication_method"),  # unknown here
    ("CONNECT", "authentication_data"),  # needs a method
    ("PUBLISH", "subscription_identifier"),  # servers only, [MQTT-3.3.4-6]
    ("DISCONNECT", "session_expiry_interval"),  # was 0 in CONNECT
    ("DISCONNECT", "server_reference"),  # servers only
}
ROWS = [(packet, row) for packet in BUILDERS for row in PROPERTY_ROWS if packet != "PUBREC"]


def name_of(value: object) -> str:
    return value.name if isinstance(value, PropertyRow) else str(value)


@statement(V5, "MQTT-4.13.1-1", "MQTT-2.2.2-1")
@pytest.mark.parametrize(("packet", "row"), ROWS, ids=name_of)
def test_property(node: Node, packet: str, row: PropertyRow) -> None:
    is_allowed = packet in row.packets and (packet, row.name) not in CONDITIONAL
    is_first = packet in {"CONNECT", "WILL"}
    client = node.open(5) if is_first else node.connect(level=5)
    client.send_raw(BUILDERS[packet](block(row, 1)))
    if not is_allowed:
        client.expect_closed({0x81, 0x82, 0x8C})
    elif packet == "DISCONNECT":
        client.expect_closed()
    elif is_first:
        client.expect(ConnAck, reason_code=0)
        client.expect_nothing()
    elif packet in ANSWERS:
        client.expect(ANSWERS[packet])
        client.expect_nothing()
    else:
        client.expect_nothing()


@statement(V5, "MQTT-4.13.1-1")
@pytest.mark.parametrize(
    ("packet", "row"), [item for item in ROWS if item[0] in item[1].packets], ids=name_of
)
def test_property_twice(node: Node, packet: str, row: PropertyRow) -> None:
    is_first = packet in {"CONNECT", "WILL"}
    client = node.open(5) if is_first else node.connect(level=5)
    client.send_raw(BUILDERS[packet](block(row, 2)))
    if row.name != "user_property":
        client.expect_closed({0x81, 0x82})
    elif packet == "DISCONNECT":
        client.expect_closed()
    else:
        if is_first:
            client.expect(ConnAck, reason_code=0)
        elif packet in ANSWERS:
            client.expect(ANSWERS[packet])
        client.expect_nothing()


@statement(V5, "MQTT-4.13.1-1")
@pytest.mark.parametrize("number", [0, 4, 5, 6, 7, 10, 0x2B, 0x7F, 0x80, 268_435_455])
@pytest.mark.parametrize("packet", [name for name in BUILDERS if name != "PUBREC"])
def test_an_unknown_property_is_malformed(node: Node, packet: str, number: int) -> None:
    client = node.open(5) if packet in {"CONNECT", "WILL"} else node.connect(level=5)
    data = varint(number) + b"\0\0\0\0"
    client.send_raw(BUILDERS[packet](varint(len(data)) + data))
    client.expect_closed({0x81, 0x82})


@statement(V5, "MQTT-3.5.2-1")
def test_pubrec_with_properties_is_read(node: Node, topic: str) -> None:
    client, publisher = node.connect(level=5), node.connect(level=5)
    client.subscribe(topic, qos=2)
    publisher.publish(topic, b"x", qos=2)
    message = client.expect_publish(topic)
    answer = PubRec(message.packet_id, 0, {"reason_string": "ok", "user_property": [("a", "b")]})
    client.send(answer)
    client.receive_packet()
    client.send(PubComp(message.packet_id))
    client.expect_nothing_from(publisher, 2)
