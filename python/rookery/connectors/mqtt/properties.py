"""Properties of MQTT 5 as rules have them (``pub_props``, EMQX's names) and as paho has them."""

from __future__ import annotations

import base64
import json
from typing import Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from rookery.connectors.mqtt.message import INTEGER_MAX, TEXT_BYTES_MAX, BadMessage
from rookery.native.action_fields import FieldValue
from rookery.words import Words

USER_PROPERTY = "User-Property"
USER_PROPERTY_PAIRS = "User-Property-Pairs"
# EMQX's name to paho's, and what its value is.
_NAMES: dict[str, tuple[str, type]] = {
    "Payload-Format-Indicator": ("PayloadFormatIndicator", int),
    "Message-Expiry-Interval": ("MessageExpiryInterval", int),
    "Content-Type": ("ContentType", str),
    "Response-Topic": ("ResponseTopic", str),
    "Correlation-Data": ("CorrelationData", bytes),
}

_INTEGERS_MAX = {"Payload-Format-Indicator": 1, "Message-Expiry-Interval": INTEGER_MAX}
_NO_INTEGER = Words(
    "{name} must be a whole number from 0 to {most}, and is {value}",
    "{name} 必须是 0 到 {most} 之间的整数，实际为 {value}",
)
_LONG = Words(
    "{name} has {size} octets, and 65535 are the most", "{name} 有 {size} 字节，最多 65535 字节"
)


def columns_of(properties: Any) -> dict[str, Any]:
    """``pub_props`` of a message that paho received."""
    found: dict[str, Any] = {}
    if properties is None:
        return found
    for name, (attribute, kind) in _NAMES.items():
        value = getattr(properties, attribute, None)
        if value is not None:
            found[name] = _readable(value) if kind is bytes else value
    pairs = getattr(properties, "UserProperty", None)
    if pairs:
        found[USER_PROPERTY] = dict(pairs)
        found[USER_PROPERTY_PAIRS] = [{"key": key, "value": value} for key, value in pairs]
    return found


def _readable(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def properties_of(column: FieldValue, correlation: FieldValue) -> Properties | None:
    """What a result's ``pub_props`` says about the message; nothing when it says none.
    ``correlation`` is its Correlation-Data where that are octets which are no text.

    Raises:
        BadMessage: MQTT does not allow it.
    """
    if not isinstance(column, str):
        return None
    try:
        values = json.loads(column)
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None
    properties = Properties(PacketTypes.PUBLISH)
    for name, (attribute, kind) in _NAMES.items():
        value = values.get(name)
        if value is not None:
            if kind is bytes and isinstance(correlation, bytes):
                value = correlation
            setattr(properties, attribute, _allowed(name, value, kind))
    pairs = _pairs(values)
    for text in (text for pair in pairs for text in pair):
        _sized(USER_PROPERTY, text.encode())
    if pairs:
        properties.UserProperty = pairs
    return properties if pairs or not properties.isEmpty() else None


def _allowed(name: str, value: Any, kind: type) -> int | str | bytes:
    if kind is int:
        most = _INTEGERS_MAX[name]
        try:
            number = int(value)
        except (ValueError, TypeError, OverflowError):
            number = -1
        if not 0 <= number <= most:
            raise BadMessage(_NO_INTEGER.format(name=name, most=most, value=str(value)[:40]))
        return number
    octets = _sized(name, value if isinstance(value, bytes) else str(value).encode())
    return octets if kind is bytes else str(value)


def _sized(name: str, octets: bytes) -> bytes:
    if len(octets) > TEXT_BYTES_MAX:
        raise BadMessage(_LONG.format(name=name, size=len(octets)))
    return octets


def _pairs(values: dict[str, Any]) -> list[tuple[str, str]]:
    listed, mapped = values.get(USER_PROPERTY_PAIRS), values.get(USER_PROPERTY)
    if isinstance(listed, list):
        entries = [entry for entry in listed if isinstance(entry, dict)]
        return [(str(entry.get("key", "")), str(entry.get("value", ""))) for entry in entries]
    if isinstance(mapped, dict):
        return [(str(key), str(value)) for key, value in mapped.items()]
    return []
