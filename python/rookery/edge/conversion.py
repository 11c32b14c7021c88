"""Between what people write, what a device has, and what applications get.

What is read: device value × decimal + bias, rounded to the precision. What is written goes the other way.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

from rookery.edge.errors import TYPE_MISMATCH, EdgeError
from rookery.edge.model import FLOATS, NUMBERS, Tag, TagType, Value
from rookery.words import Words

RANGES: dict[TagType, tuple[int, int]] = {
    TagType.INT8: (-(1 << 7), (1 << 7) - 1),
    TagType.UINT8: (0, (1 << 8) - 1),
    TagType.INT16: (-(1 << 15), (1 << 15) - 1),
    TagType.UINT16: (0, (1 << 16) - 1),
    TagType.INT32: (-(1 << 31), (1 << 31) - 1),
    TagType.UINT32: (0, (1 << 32) - 1),
    TagType.INT64: (-(1 << 63), (1 << 63) - 1),
    TagType.UINT64: (0, (1 << 64) - 1),
    TagType.BIT: (0, 1),
    TagType.WORD: (0, (1 << 16) - 1),
    TagType.DWORD: (0, (1 << 32) - 1),
    TagType.LWORD: (0, (1 << 64) - 1),
}
_FLOAT = struct.Struct(">f")
FLOAT_MAX = 3.4028234663852886e38
TEXT_BYTES_MAX = 1024

_NO_NUMBER = Words("must be a number", "应为数字")
_NO_WHOLE = Words("must be a whole number from {low} to {high}", "应为 {low} 到 {high} 的整数")
_NO_FLOAT = Words("must be a number that a float can hold", "应为单精度浮点数范围内的数字")
_NO_BOOL = Words("must be true or false", "应为 true 或 false")
_NO_TEXT = Words("must be text of at most {most} bytes", "应为最多 {most} 字节的字符串")
_NO_BYTES = Words(
    "must be a list of at most {most} numbers from 0 to 255",
    "应为最多 {most} 个 0 到 255 的数字的列表",
)

Shown = Callable[[Any], Value]


def shown_by(tag: Tag) -> Shown | None:
    """What turns the device's value into what people get; none where it stays as it is."""
    if tag.type not in NUMBERS or tag.type is TagType.BIT:
        return None
    decimal, bias, precision = tag.decimal, tag.bias, tag.precision
    is_scaled = decimal not in (0.0, 1.0)
    if not is_scaled and not bias:
        if precision and tag.type in FLOATS:
            return lambda value: round(value, precision)
        # Digits that the device's 32 bits do not have would be noise.
        return _short if tag.type is TagType.FLOAT else None
    factor = decimal if is_scaled else 1.0
    digits = precision or None

    def scale(value: Any) -> Value:
        made: float = value * factor + bias
        return round(made, digits) if digits is not None else _clean(made)

    return scale


def device_value(tag: Tag, value: Any) -> Value:
    """What is written to the device for what somebody sent.

    Raises:
        EdgeError: the tag's type cannot hold it.
    """
    if tag.type is TagType.BOOL:
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        raise _mismatch(tag, _NO_BOOL)
    if tag.type is TagType.STRING:
        if isinstance(value, str) and len(value.encode()) <= TEXT_BYTES_MAX:
            return value
        raise _mismatch(tag, _NO_TEXT.format(most=TEXT_BYTES_MAX))
    if tag.type is TagType.BYTES:
        return _bytes(tag, value)
    if isinstance(value, bool) and tag.type is TagType.BIT:
        return int(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise _mismatch(tag, _NO_NUMBER)
    return _number(tag, value)


def _number(tag: Tag, value: float) -> Value:
    if tag.type is not TagType.BIT:
        value = value - tag.bias if tag.bias else value
        if tag.decimal not in (0.0, 1.0):
            value = value / tag.decimal
            if tag.type not in FLOATS:
                value = round(value)
    if tag.type in FLOATS:
        value = float(value)
        if tag.type is TagType.FLOAT and abs(value) > FLOAT_MAX:
            raise _mismatch(tag, _NO_FLOAT)
        return value
    low, high = RANGES[tag.type]
    if value != int(value) or not low <= value <= high:
        raise _mismatch(tag, _NO_WHOLE.format(low=low, high=high))
    return int(value)


def is_same(tag: Tag, written: Value, read: Value) -> bool:
    """Whether the device has what was written, as far as its type can tell."""
    if tag.type in FLOATS and isinstance(read, (int, float)) and isinstance(written, (int, float)):
        close = 1e-6 if tag.type is TagType.FLOAT else 1e-12
        return math.isclose(written, read, rel_tol=close, abs_tol=1e-30)
    if isinstance(written, str) and isinstance(read, str):
        return written.rstrip("\0") == read.rstrip("\0")
    if isinstance(written, bytes) and isinstance(read, bytes):
        return read.startswith(written)
    return written == read


def _bytes(tag: Tag, value: Any) -> bytes:
    if isinstance(value, bytes):
        value = list(value)
    is_list = isinstance(value, (list, tuple)) and len(value) <= TEXT_BYTES_MAX
    if is_list and all(type(one) is int and 0 <= one <= 255 for one in value):
        return bytes(value)
    raise _mismatch(tag, _NO_BYTES.format(most=TEXT_BYTES_MAX))


def _short(value: Any) -> Value:
    """The shortest number that is the same in 32 bits."""
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    for digits in (7, 8):
        made = float(f"{value:.{digits}g}")
        if abs(made) <= FLOAT_MAX and _FLOAT.unpack(_FLOAT.pack(made))[0] == value:
            return made
    return value


def _clean(value: float) -> float:
    """Without what binary fractions add: 0.1 × 3 is 0.3."""
    return float(f"{value:.15g}") if math.isfinite(value) else value


def _mismatch(tag: Tag, reason: Words) -> EdgeError:
    return EdgeError(TYPE_MISMATCH, name=tag.name, reason=reason)
