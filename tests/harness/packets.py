"""MQTT control packets ⇄ bytes, for protocol levels 3 (3.1), 4 (3.1.1) and 5 (5.0).

``encode(level)`` never refuses what the specification forbids: sending it is what tests are
for. ``parse`` is strict: whatever the broker sends must be well formed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar

from harness.wire import Kind, Properties, Reader, WireError, binary, properties, text, varint


def frame(kind: Kind, flags: int, body: bytes) -> bytes:
    """Put the fixed header before ``body``."""
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


@dataclasses.dataclass
class Packet:
    """Base of all control packets."""

    kind: ClassVar[Kind]

    def encode(self, level: int) -> bytes:
        """Encode for protocol level ``level``."""
        return frame(self.kind, 0, b"")


@dataclasses.dataclass
class Will:
    """The Will Message of a CONNECT."""

    topic: str
    payload: bytes = b"gone"
    qos: int = 0
    retain: bool = False
    properties: Properties = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Connect(Packet):
    """CONNECT. ``clean_start`` is called Clean Session before MQTT 5."""

    kind: ClassVar[Kind] = Kind.CONNECT
    client_id: str = ""
    clean_start: bool = True
    keep_alive: int = 60
    will: Will | None = None
    username: str | None = None
    password: bytes | None = None
    properties: Properties = dataclasses.field(default_factory=dict)
    protocol_name: str | None = None
    protocol_level: int | None = None

    def encode(self, level: int) -> bytes:
        flags = 0x02 if self.clean_start else 0
        payload = text(self.client_id)
        if self.will is not None:
            flags |= 0x04 | self.will.qos << 3 | (0x20 if self.will.retain else 0)
            payload += properties(self.will.properties) if level == 5 else b""
            payload += text(self.will.topic) + binary(self.will.payload)
        if self.username is not None:
            flags |= 0x80
            payload += text(self.username)
        if self.password is not None:
            flags |= 0x40
            payload += binary(self.password)
        name = self.protocol_name or ("MQIsdp" if level == 3 else "MQTT")
        sent_level = level if self.protocol_level is None else self.protocol_level
        head = text(name) + bytes([sent_level, flags]) + self.keep_alive.to_bytes(2, "big")
        if level == 5:
            head += properties(self.properties)
        return frame(self.kind, 0, head + payload)


@dataclasses.dataclass
class ConnAck(Packet):
    """CONNACK."""

    kind: ClassVar[Kind] = Kind.CONNACK
    session_present: bool = False
    reason_code: int = 0
    properties: Properties = dataclasses.field(default_factory=dict)

    def encode(self, level: int) -> bytes:
        body = bytes([self.session_present, self.reason_code])
        return frame(self.kind, 0, body + (properties(self.properties) if level == 5 else b""))

    @classmethod
    def parse(cls, flags: int, body: Reader, level: int) -> ConnAck:
        _no_flags("CONNACK", flags)
        acknowledge_flags, reason_code = body.number(1), body.number(1)
        if acknowledge_flags > 1:
            raise WireError(f"reserved CONNACK flags are set: {acknowledge_flags:#x}")
        values: Properties = body.properties("CONNACK") if level == 5 and body.left else {}
        return cls(bool(acknowledge_flags), reason_code, values)


@dataclasses.dataclass
class Publish(Packet):
    """PUBLISH."""

    kind: ClassVar[Kind] = Kind.PUBLISH
    topic_name: str = ""
    payload: bytes = b""
    qos: int = 0
    packet_id: int = 0
    retain: bool = False
    dup: bool = False
    properties: Properties = dataclasses.field(default_factory=dict)

    def encode(self, level: int) -> bytes:
        flags = (8 if self.dup else 0) | self.qos << 1 | (1 if self.retain else 0)
        body = text(self.topic_name)
        if self.qos:
            body += self.packet_id.to_bytes(2, "big")
        if level == 5:
            body += properties(self.properties)
        return frame(self.kind, flags, body + self.payload)

    @classmethod
    def parse(cls, flags: int, body: Reader, level: int) -> Publish:
        qos = flags >> 1 & 3
        if qos == 3:
            raise WireError("PUBLISH with QoS 3")
        if qos == 0 and flags & 8:
            raise WireError("PUBLISH with QoS 0 and DUP")
        topic_name = body.text()
        if "+" in topic_name or "#" in topic_name:
            raise WireError(f"wildcard in topic name {topic_name!r}")
        packet_id = body.number(2) if qos else 0
        if qos and not packet_id:
            raise WireError("PUBLISH with packet identifier 0")
        values: Properties = body.properties("PUBLISH") if level == 5 else {}
        return cls(
            topic_name, body.rest(), qos, packet_id, bool(flags & 1), bool(flags & 8), values
        )


@dataclasses.dataclass
class Ack(Packet):
    """What PUBACK, PUBREC, PUBREL and PUBCOMP have in common."""

    flags: ClassVar[int] = 0
    packet_id: int = 0
    reason_code: int = 0
    properties: Properties = dataclasses.field(default_factory=dict)

    def encode(self, level: int) -> bytes:
        body = self.packet_id.to_bytes(2, "big")
        if level == 5 and (self.reason_code or self.properties):
            body += bytes([self.reason_code])
            body += properties(self.properties) if self.properties else b""
        return frame(self.kind, self.flags, body)


@dataclasses.dataclass
class PubAck(Ack):
    """PUBACK."""

    kind: ClassVar[Kind] = Kind.PUBACK


@dataclasses.dataclass
class PubRec(Ack):
    """PUBREC."""

    kind: ClassVar[Kind] = Kind.PUBREC


@dataclasses.dataclass
class PubRel(Ack):
    """PUBREL."""

    kind: ClassVar[Kind] = Kind.PUBREL
    flags: ClassVar[int] = 2


@dataclasses.dataclass
class PubComp(Ack):
    """PUBCOMP."""

    kind: ClassVar[Kind] = Kind.PUBCOMP


def _parse_ack(cls: type[Ack], flags: int, body: Reader, level: int) -> Ack:
    if flags != cls.flags:
        raise WireError(f"{cls.kind.name} with flags {flags:#x}")
    packet_id, reason_code = body.number(2), 0
    values: Properties = {}
    if level == 5 and body.left:
        reason_code = body.number(1)
        values = body.properties(cls.kind.name) if body.left else {}
    return cls(packet_id, reason_code, values)


@dataclasses.dataclass
class Subscription:
    """A Topic Filter and its Subscription Options."""

    topic_filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0

    def options(self) -> int:
        """The options byte. Before MQTT 5 only the QoS bits exist."""
        return (
            self.qos
            | (4 if self.no_local else 0)
            | (8 if self.retain_as_published else 0)
            | self.retain_handling << 4
        )


@dataclasses.dataclass
class Subscribe(Packet):
    """SUBSCRIBE."""

    kind: ClassVar[Kind] = Kind.SUBSCRIBE
    packet_id: int = 1
    subscriptions: list[Subscription] = dataclasses.field(default_factory=list)
    properties: Properties = dataclasses.field(default_factory=dict)

    def encode(self, level: int) -> bytes:
        body = self.packet_id.to_bytes(2, "big")
        body += properties(self.properties) if level == 5 else b""
        for entry in self.subscriptions:
            body += text(entry.topic_filter) + bytes([entry.options()])
        return frame(self.kind, 2, body)


@dataclasses.dataclass
class SubAck(Packet):
    """SUBACK."""

    kind: ClassVar[Kind] = Kind.SUBACK
    packet_id: int = 0
    reason_codes: list[int] = dataclasses.field(default_factory=list)
    properties: Properties = dataclasses.field(default_factory=dict)

    @classmethod
    def parse(cls, flags: int, body: Reader, level: int) -> SubAck:
        _no_flags("SUBACK", flags)
        packet_id = body.number(2)
        values: Properties = body.properties("SUBACK") if level == 5 else {}
        return cls(packet_id, list(body.rest()), values)


@dataclasses.dataclass
class Unsubscribe(Packet):
    """UNSUBSCRIBE."""

    kind: ClassVar[Kind] = Kind.UNSUBSCRIBE
    packet_id: int = 1
    topic_filters: list[str] = dataclasses.field(default_factory=list)
    properties: Properties = dataclasses.field(default_factory=dict)

    def encode(self, level: int) -> bytes:
        body = self.packet_id.to_bytes(2, "big")
        body += properties(self.properties) if level == 5 else b""
        return frame(self.kind, 2, body + b"".join(text(item) for item in self.topic_filters))


@dataclasses.dataclass
class UnsubAck(Packet):
    """UNSUBACK. Before MQTT 5 it carries no reason codes."""

    kind: ClassVar[Kind] = Kind.UNSUBACK
    packet_id: int = 0
    reason_codes: list[int] = dataclasses.field(default_factory=list)
    properties: Properties = dataclasses.field(default_factory=dict)

    @classmethod
    def parse(cls, flags: int, body: Reader, level: int) -> UnsubAck:
        _no_flags("UNSUBACK", flags)
        packet_id = body.number(2)
        values: Properties = body.properties("UNSUBACK") if level == 5 else {}
        return cls(packet_id, list(body.rest()) if level == 5 else [], values)


@dataclasses.dataclass
class PingReq(Packet):
    """PINGREQ."""

    kind: ClassVar[Kind] = Kind.PINGREQ


@dataclasses.dataclass
class PingResp(Packet):
    """PINGRESP."""

    kind: ClassVar[Kind] = Kind.PINGRESP


@dataclasses.dataclass
class Disconnect(Packet):
    """DISCONNECT."""

    kind: ClassVar[Kind] = Kind.DISCONNECT
    reason_code: int = 0
    properties: Properties = dataclasses.field(default_factory=dict)

    def encode(self, level: int) -> bytes:
        body = b""
        if level == 5 and (self.reason_code or self.properties):
            body = bytes([self.reason_code]) + properties(self.properties)
        return frame(self.kind, 0, body)

    @classmethod
    def parse(cls, flags: int, body: Reader, level: int) -> Disconnect:
        _no_flags("DISCONNECT", flags)
        if level != 5:
            raise WireError("a server sends no DISCONNECT before MQTT 5")
        reason_code = body.number(1) if body.left else 0
        return cls(reason_code, body.properties("DISCONNECT") if body.left else {})


@dataclasses.dataclass
class Auth(Packet):
    """AUTH."""

    kind: ClassVar[Kind] = Kind.AUTH
    reason_code: int = 0
    properties: Properties = dataclasses.field(default_factory=dict)

    def encode(self, level: int) -> bytes:
        return frame(self.kind, 0, bytes([self.reason_code]) + properties(self.properties))

    @classmethod
    def parse(cls, flags: int, body: Reader, level: int) -> Auth:
        _no_flags("AUTH", flags)
        reason_code = body.number(1) if body.left else 0
        return cls(reason_code, body.properties("AUTH") if body.left else {})


def _no_flags(name: str, flags: int) -> None:
    if flags:
        raise WireError(f"{name} with flags {flags:#x}")


_PARSERS: dict[int, Callable[[int, Reader, int], Packet]] = {
    Kind.CONNACK: ConnAck.parse,
    Kind.PUBLISH: Publish.parse,
    Kind.PUBACK: lambda flags, body, level: _parse_ack(PubAck, flags, body, level),
    Kind.PUBREC: lambda flags, body, level: _parse_ack(PubRec, flags, body, level),
    Kind.PUBREL: lambda flags, body, level: _parse_ack(PubRel, flags, body, level),
    Kind.PUBCOMP: lambda flags, body, level: _parse_ack(PubComp, flags, body, level),
    Kind.SUBACK: SubAck.parse,
    Kind.UNSUBACK: UnsubAck.parse,
    Kind.PINGRESP: lambda flags, body, level: PingResp(),
    Kind.DISCONNECT: Disconnect.parse,
    Kind.AUTH: Auth.parse,
}


def parse(first: int, body: bytes, level: int) -> Packet:
    """Decode one packet that a server sent.

    Raises:
        WireError: the packet breaks the specification or no server may send it.
    """
    parser = _PARSERS.get(first >> 4)
    if parser is None or (first >> 4 == Kind.AUTH and level != 5):
        raise WireError(f"a server may not send packet type {first >> 4}")
    reader = Reader(body)
    packet = parser(first & 15, reader, level)
    if reader.left:
        raise WireError(f"{reader.left} bytes after the end of {packet}")
    return packet


def split(data: bytes | bytearray) -> tuple[int, bytes, int] | None:
    """Find the first whole packet in ``data``.

    Returns:
        First byte, body and the bytes consumed; ``None`` while it is incomplete.
    """
    length = 0
    for index in range(1, 5):
        if index >= len(data):
            return None
        length |= (data[index] & 0x7F) << (7 * (index - 1))
        if not data[index] & 0x80:
            end = index + 1 + length
            if len(data) < end:
                return None
            return data[0], bytes(data[index + 1 : end]), end
    raise WireError("remaining length has more than four bytes")
