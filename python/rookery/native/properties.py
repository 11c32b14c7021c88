"""The properties of a PUBLISH that travel with its message, MQTT-5.0 section 3.3.2.3.

The core keeps them encoded, as they stood on the wire; here they become values and back.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from rookery.errors import BadRequestError, InternalError

_PAYLOAD_FORMAT_INDICATOR = 0x01
_CONTENT_TYPE = 0x03
_RESPONSE_TOPIC = 0x08
_CORRELATION_DATA = 0x09
_USER_PROPERTY = 0x26

_U16 = struct.Struct(">H")
_TEXT_BYTES_MAX = 0xFFFF


@dataclass(frozen=True, slots=True)
class Properties:
    """What a publisher said about its message, besides the message.

    Attributes:
        payload_format_indicator: 1 when the payload is declared to be UTF-8 text, 0 when it is
            declared to be bytes.
        content_type: A MIME type or whatever publisher and subscriber agreed on.
        response_topic: The Topic Name that a request wants its answer on.
        correlation_data: What an answer must carry to be matched with its request.
        user_properties: Name and value pairs, in order; a name may occur more than once.
    """

    payload_format_indicator: int | None = None
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    user_properties: tuple[tuple[str, str], ...] = ()


NO_PROPERTIES = Properties()


def decode_properties(encoded: bytes) -> Properties:
    """Turn what the core hands up into values."""
    if not encoded:
        return NO_PROPERTIES
    values: dict[int, int | str | bytes] = {}
    pairs: list[tuple[str, str]] = []
    at = 0
    while at < len(encoded):
        identifier = encoded[at]
        at += 1
        if identifier == _PAYLOAD_FORMAT_INDICATOR:
            values[identifier] = encoded[at]
            at += 1
        elif identifier == _USER_PROPERTY:
            name, at = _take(encoded, at)
            value, at = _take(encoded, at)
            pairs.append((name.decode(), value.decode()))
        elif identifier in (_CONTENT_TYPE, _RESPONSE_TOPIC):
            text, at = _take(encoded, at)
            values[identifier] = text.decode()
        elif identifier == _CORRELATION_DATA:
            values[identifier], at = _take(encoded, at)
        else:
            raise InternalError(f"property 0x{identifier:02x} does not travel with a message")
    return Properties(
        payload_format_indicator=values.get(_PAYLOAD_FORMAT_INDICATOR),  # type: ignore[arg-type]
        content_type=values.get(_CONTENT_TYPE),  # type: ignore[arg-type]
        response_topic=values.get(_RESPONSE_TOPIC),  # type: ignore[arg-type]
        correlation_data=values.get(_CORRELATION_DATA),  # type: ignore[arg-type]
        user_properties=tuple(pairs),
    )


def encode_properties(properties: Properties) -> bytes:
    """Turn values into what the core takes.

    Raises:
        BadRequestError: a value breaks a rule of MQTT-5.0 section 1.5 or 3.3.2.3.
    """
    if properties is NO_PROPERTIES:
        return b""
    out = bytearray()
    if properties.payload_format_indicator is not None:
        if properties.payload_format_indicator not in (0, 1):
            raise BadRequestError("payload_format_indicator is 0 or 1")
        out += bytes((_PAYLOAD_FORMAT_INDICATOR, properties.payload_format_indicator))
    if properties.content_type is not None:
        out.append(_CONTENT_TYPE)
        out += _text("content_type", properties.content_type)
    if properties.response_topic is not None:
        # MQTT-5.0 [MQTT-3.3.2-14]: no wildcards.
        if not properties.response_topic or set(properties.response_topic) & {"#", "+"}:
            raise BadRequestError("response_topic must be a topic name")
        out.append(_RESPONSE_TOPIC)
        out += _text("response_topic", properties.response_topic)
    if properties.correlation_data is not None:
        out.append(_CORRELATION_DATA)
        out += _binary("correlation_data", bytes(properties.correlation_data))
    for pair in properties.user_properties:
        name, value = _pair(pair)
        out.append(_USER_PROPERTY)
        out += _text("user_properties", name) + _text("user_properties", value)
    return bytes(out)


def _take(encoded: bytes, at: int) -> tuple[bytes, int]:
    start = at + 2
    end = start + int(_U16.unpack_from(encoded, at)[0])
    return encoded[start:end], end


def _pair(pair: object) -> tuple[str, str]:
    match pair:
        case (str() as name, str() as value):
            return name, value
    raise BadRequestError(f"user_properties holds pairs of text and text, not {pair!r}")


def _text(name: str, text: str) -> bytes:
    # MQTT-5.0 [MQTT-1.5.4-1] and [MQTT-1.5.4-2]: no surrogates, no U+0000.
    if "\0" in text:
        raise BadRequestError(f"{name} contains U+0000")
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise BadRequestError(f"{name} cannot be written as UTF-8") from None
    return _binary(name, encoded)


def _binary(name: str, data: bytes) -> bytes:
    if len(data) > _TEXT_BYTES_MAX:
        raise BadRequestError(f"{name} has {len(data)} bytes, more than {_TEXT_BYTES_MAX}")
    return _U16.pack(len(data)) + data
