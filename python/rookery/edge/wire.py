"""Tags and values in JSON, by Neuron's names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rookery.edge.errors import (
    TAG_ATTRIBUTE_NOT_SUPPORT,
    TAG_DESCRIPTION_TOO_LONG,
    TAG_NAME_TOO_LONG,
    TAG_PARAMETER_INVALID,
    TAG_PRECISION_INVALID,
    TAG_TYPE_NOT_SUPPORT,
    EdgeError,
    ErrorKind,
)
from rookery.edge.model import (
    DESCRIPTION_LENGTH_MAX,
    NAME_LENGTH_MAX,
    PRECISION_MAX,
    Attribute,
    Tag,
    TagType,
    Value,
)
from rookery.words import Words

KEYS = frozenset(
    {
        *("name", "address", "attribute", "type", "decimal", "bias", "precision"),
        *("unit", "description", "value"),
    }
)

_UNKNOWN = Words("is not known here", "不是已知的字段")
_NO_TEXT = Words("must be text", "应为字符串")
_NO_NUMBER = Words("must be a number", "应为数字")
_NO_TYPE = Words("must be one of {types}", "应为以下之一：{types}")
_NO_ATTRIBUTE = Words(
    "must be the sum of read 1, write 2, subscribe 4 and static 8",
    "应为读 1、写 2、订阅 4、静态 8 之和",
)


def tag_of(raw: Mapping[str, Any]) -> Tag:
    """A tag as people send it; whether the driver can have it is checked later.

    Raises:
        EdgeError: a field is of the wrong kind; says which.
    """
    name = raw.get("name")
    if not isinstance(name, str) or not name:
        raise EdgeError(TAG_NAME_TOO_LONG, most=NAME_LENGTH_MAX)
    for key in raw:
        if key not in KEYS:
            raise _wrong(TAG_PARAMETER_INVALID, name, field=key, reason=_UNKNOWN)
    kind, attribute = raw.get("type"), raw.get("attribute", 1)
    if isinstance(kind, bool) or kind not in list(TagType):
        types = ", ".join(f"{one.value} {one.name}" for one in TagType)
        raise _wrong(TAG_TYPE_NOT_SUPPORT, name, reason=_NO_TYPE.format(types=types))
    if not _is_whole(attribute) or not 0 < attribute < 16:
        raise _wrong(TAG_ATTRIBUTE_NOT_SUPPORT, name, reason=_NO_ATTRIBUTE)
    precision = raw.get("precision") or 0
    if not _is_whole(precision) or not 0 <= precision <= PRECISION_MAX:
        raise _wrong(TAG_PRECISION_INVALID, name, most=PRECISION_MAX)
    description = _text(raw, name, "description")
    if len(description) > DESCRIPTION_LENGTH_MAX:
        raise _wrong(TAG_DESCRIPTION_TOO_LONG, name, most=DESCRIPTION_LENGTH_MAX)
    return Tag(
        name=name,
        type=TagType(kind),
        address=_text(raw, name, "address"),
        attribute=Attribute(attribute),
        decimal=_number(raw, name, "decimal"),
        bias=_number(raw, name, "bias"),
        precision=precision,
        unit=_text(raw, name, "unit"),
        description=description,
        value=raw.get("value"),
    )


def tag_row(tag: Tag) -> dict[str, Any]:
    """A tag as people get it, and as it is kept."""
    made: dict[str, Any] = {
        "name": tag.name,
        "address": tag.address,
        "attribute": int(tag.attribute),
        "type": int(tag.type),
        "decimal": tag.decimal,
        "bias": tag.bias,
        "precision": tag.precision,
        "unit": tag.unit,
        "description": tag.description,
    }
    return made | ({"value": value_json(tag.value)} if tag.value is not None else {})


def tag_of_row(row: Mapping[str, Any]) -> Tag:
    """A tag that was kept."""
    kind, value = TagType(row["type"]), row.get("value")
    return Tag(
        name=row["name"],
        type=kind,
        address=row["address"],
        attribute=Attribute(row["attribute"]),
        decimal=row["decimal"],
        bias=row["bias"],
        precision=row["precision"],
        unit=row["unit"],
        description=row["description"],
        value=bytes(value) if kind is TagType.BYTES and value is not None else value,
    )


def value_json(value: Value | None) -> Any:
    """A value as JSON has it: bytes are a list of numbers, and what is no number is none."""
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _wrong(kind: ErrorKind, name: str, **values: Any) -> EdgeError:
    return EdgeError(kind, name=name, **values)


def _text(raw: Mapping[str, Any], name: str, key: str) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(TAG_PARAMETER_INVALID, name, field=key, reason=_NO_TEXT)
    return value


def _number(raw: Mapping[str, Any], name: str, key: str) -> float:
    value = raw.get(key)
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _wrong(TAG_PARAMETER_INVALID, name, field=key, reason=_NO_NUMBER)
    return float(value)
