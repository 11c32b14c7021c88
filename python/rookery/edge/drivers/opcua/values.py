"""Values of OPC UA to those of tags and back."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from asyncua import ua

from rookery.edge.model import FLOATS, TagType, Value

TYPES: dict[int, TagType] = {
    ua.VariantType.Boolean.value: TagType.BOOL,
    ua.VariantType.SByte.value: TagType.INT8,
    ua.VariantType.Byte.value: TagType.UINT8,
    ua.VariantType.Int16.value: TagType.INT16,
    ua.VariantType.UInt16.value: TagType.UINT16,
    ua.VariantType.Int32.value: TagType.INT32,
    ua.VariantType.UInt32.value: TagType.UINT32,
    ua.VariantType.Int64.value: TagType.INT64,
    ua.VariantType.UInt64.value: TagType.UINT64,
    ua.VariantType.Float.value: TagType.FLOAT,
    ua.VariantType.Double.value: TagType.DOUBLE,
    ua.VariantType.String.value: TagType.STRING,
    ua.VariantType.DateTime.value: TagType.STRING,
    ua.VariantType.Guid.value: TagType.STRING,
    ua.VariantType.ByteString.value: TagType.BYTES,
    ua.VariantType.LocalizedText.value: TagType.STRING,
}
_FLOATS = frozenset({ua.VariantType.Float, ua.VariantType.Double})


def tag_value(kind: TagType, value: Any) -> Value | None:
    """None where the tag's type cannot hold it."""
    if kind is TagType.STRING:
        return _text(value)
    if kind is TagType.BYTES:
        return value if isinstance(value, bytes) else None
    if not isinstance(value, (bool, int, float)):
        return None
    if kind is TagType.BOOL:
        return bool(value)
    if kind in FLOATS:
        return float(value)
    return int(value) if value == int(value) else None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, ua.LocalizedText):
        return value.Text or ""
    return str(value) if isinstance(value, (bool, int, float, uuid.UUID)) else None


def variant(value: Value, kind: ua.VariantType) -> ua.Variant:
    """What is written to a node of that type.

    Raises:
        ValueError: the node's type cannot hold it.
    """
    made: Any = value
    if kind is ua.VariantType.Boolean:
        made = bool(value)
    elif kind in _FLOATS and isinstance(value, (int, float)):
        made = float(value)
    elif kind is ua.VariantType.DateTime and isinstance(value, str):
        made = datetime.datetime.fromisoformat(value)
    elif kind is ua.VariantType.LocalizedText and isinstance(value, str):
        made = ua.LocalizedText(value)
    elif kind is ua.VariantType.Guid and isinstance(value, str):
        made = uuid.UUID(value)
    return ua.Variant(made, kind)
