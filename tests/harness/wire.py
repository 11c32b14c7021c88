"""Primitive encodings of MQTT and the table of MQTT 5 properties.

Owns bytes below the packet level. Knows no packet layout and no socket.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import IntEnum

VARINT_MAX = 268_435_455

PropertyValue = int | str | bytes | list[int] | list[tuple[str, str]]
Properties = dict[str, PropertyValue]


class WireError(ValueError):
    """Bytes from the broker break the specification."""


class Kind(IntEnum):
    """Control packet types, MQTT-5.0 section 2.1.2."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


@dataclasses.dataclass(frozen=True)
class PropertyRow:
    """One row of the property table, MQTT-5.0 section 2.2.2.2."""

    number: int
    name: str
    form: str  # byte | u16 | u32 | varint | text | binary | pair
    packets: frozenset[str]


_ACKS = "CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH"
_TABLE = (
    (0x01, "payload_format_indicator", "byte", "PUBLISH WILL"),
    (0x02, "message_expiry_interval", "u32", "PUBLISH WILL"),
    (0x03, "content_type", "text", "PUBLISH WILL"),
    (0x08, "response_topic", "text", "PUBLISH WILL"),
    (0x09, "correlation_data", "binary", "PUBLISH WILL"),
    (0x0B, "subscription_identifier", "varint", "PUBLISH SUBSCRIBE"),
    (0x11, "session_expiry_interval", "u32", "CONNECT CONNACK DISCONNECT"),
    (0x12, "assigned_client_identifier", "text", "CONNACK"),
    (0x13, "server_keep_alive", "u16", "CONNACK"),
    (0x15, "authentication_method", "text", "CONNECT CONNACK AUTH"),
    (0x16, "authentication_data", "binary", "CONNECT CONNACK AUTH"),
    (0x17, "request_problem_information", "byte", "CONNECT"),
    (0x18, "will_delay_interval", "u32", "WILL"),
    (0x19, "request_response_information", "byte", "CONNECT"),
    (0x1A, "response_information", "text", "CONNACK"),
    (0x1C, "server_reference", "text", "CONNACK DISCONNECT"),
    (0x1F, "reason_string", "text", _ACKS),
    (0x21, "receive_maximum", "u16", "CONNECT CONNACK"),
    (0x22, "topic_alias_maximum", "u16", "CONNECT CONNACK"),
    (0x23, "topic_alias", "u16", "PUBLISH"),
    (0x24, "maximum_qos", "byte", "CONNACK"),
    (0x25, "retain_available", "byte", "CONNACK"),
    (0x26, "user_property", "pair", f"CONNECT PUBLISH WILL SUBSCRIBE UNSUBSCRIBE {_ACKS}"),
    (0x27, "maximum_packet_size", "u32", "CONNECT CONNACK"),
    (0x28, "wildcard_subscription_available", "byte", "CONNACK"),
    (0x29, "subscription_identifier_available", "byte", "CONNACK"),
    (0x2A, "shared_subscription_available", "byte", "CONNACK"),
)
PROPERTY_ROWS = tuple(
    PropertyRow(number, name, form, frozenset(packets.split()))
    for number, name, form, packets in _TABLE
)
_BY_NAME = {row.name: row for row in PROPERTY_ROWS}
_BY_NUMBER = {row.number: row for row in PROPERTY_ROWS}
_WIDTHS = {"byte": 1, "u16": 2, "u32": 4}


def varint(value: int) -> bytes:
    """Encode a Variable Byte Integer in the fewest bytes."""
    if not 0 <= value <= VARINT_MAX:
        raise ValueError(f"{value} does not fit a variable byte integer")
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def text(value: str) -> bytes:
    """Encode a length-prefixed UTF-8 string."""
    return binary(value.encode("utf-8", "surrogatepass"))


def binary(value: bytes) -> bytes:
    """Encode length-prefixed bytes."""
    return len(value).to_bytes(2, "big") + value


def property_bytes(row: PropertyRow, value: PropertyValue | tuple[str, str]) -> bytes:
    """Encode one property, identifier included."""
    head = varint(row.number)
    if isinstance(value, int):
        width = _WIDTHS.get(row.form)
        return head + (varint(value) if width is None else value.to_bytes(width, "big"))
    if isinstance(value, str):
        return head + text(value)
    if isinstance(value, bytes):
        return head + binary(value)
    if isinstance(value, tuple):
        name, content = value
        return head + text(name) + text(content)
    raise TypeError(f"{row.name} cannot carry {value!r}")


def properties(values: Mapping[str, PropertyValue] | None) -> bytes:
    """Encode a property block with its length."""
    body = bytearray()
    for name, value in (values or {}).items():
        row = _BY_NAME[name]
        if isinstance(value, list):
            for item in value:
                body += property_bytes(row, item)
        else:
            body += property_bytes(row, value)
    return varint(len(body)) + bytes(body)


class Reader:
    """Consumes the body of one packet. Every read past the end raises :class:`WireError`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not consumed."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise WireError(f"{count} bytes wanted, {self.left} left")
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> bytes:
        return self.take(self.left)

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def varint(self) -> int:
        value = 0
        for index in range(4):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << (7 * index)
            if not byte & 0x80:
                if len(varint(value)) != index + 1:
                    raise WireError("variable byte integer is longer than needed")
                return value
        raise WireError("variable byte integer has more than four bytes")

    def binary(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        raw = self.binary()
        try:
            value = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise WireError(f"not UTF-8: {raw!r}") from error
        if "\0" in value:
            raise WireError("U+0000 in a string")
        return value

    def properties(self, packet: str) -> Properties:
        """Decode the property block of ``packet`` and check it against the table."""
        block = Reader(self.take(self.varint()))
        values: Properties = {}
        pairs: list[tuple[str, str]] = []
        identifiers: list[int] = []
        while block.left:
            row = _BY_NUMBER.get(block.varint())
            if row is None or packet not in row.packets:
                raise WireError(f"property {row.name if row else '?'} in {packet}")
            if row.form == "pair":
                pairs.append((block.text(), block.text()))
            elif row.name == "subscription_identifier":
                identifiers.append(block.varint())
            elif row.name in values:
                raise WireError(f"{row.name} twice in {packet}")
            else:
                values[row.name] = block._value(row.form)
        if pairs:
            values["user_property"] = pairs
        if identifiers:
            values["subscription_identifier"] = identifiers
        return values

    def _value(self, form: str) -> PropertyValue:
        if form in _WIDTHS:
            return self.number(_WIDTHS[form])
        if form == "text":
            return self.text()
        return self.binary()
