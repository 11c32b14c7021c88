"""What names, groups and tags may be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rookery.edge.conversion import device_value
from rookery.edge.errors import (
    GROUP_NAME_TOO_LONG,
    GROUP_PARAMETER_INVALID,
    NODE_NAME_EMPTY,
    NODE_NAME_TOO_LONG,
    PARAM_IS_WRONG,
    TAG_ADDRESS_TOO_LONG,
    TAG_ATTRIBUTE_NOT_SUPPORT,
    TAG_NAME_TOO_LONG,
    TAG_PARAMETER_INVALID,
    EdgeError,
)
from rookery.edge.model import (
    ADDRESS_LENGTH_MAX,
    BIAS_MAX,
    INTERVAL_MS_MAX,
    INTERVAL_MS_MIN,
    NAME_LENGTH_MAX,
    NUMBERS,
    UNIT_LENGTH_MAX,
    Attribute,
    Tag,
    TagType,
)
from rookery.words import Words

_BAD_CHARACTER = Words(
    "must hold none of + # / and no control character, which topics cannot have",
    "不能包含 + # / 及控制字符（主题中不允许）",
)
_CONTROL = Words("must hold no control character", "不能包含控制字符")
_BLANKS = Words("must not begin or end with a blank", "首尾不能是空格")
_NO_INTERVAL = Words(
    "must be a whole number of milliseconds from {low} to {high}",
    "应为 {low} 到 {high} 的整数（毫秒）",
)
_STATIC_ALONE = Words("a static tag can be read and nothing else", "静态点位只能附加读属性")
_STATIC_VALUE = Words("a static tag needs a value", "静态点位需要填写值")
_VALUE_ALONE = Words("only a static tag has a value of its own", "只有静态点位可以填写值")
_NUMBERS_ALONE = Words("only numbers have it", "只有数字类型支持")
_BIAS = Words("must be from -{most:g} to {most:g}", "应为 -{most:g} 到 {most:g}")
_LONG_UNIT = Words("has at most {most} characters", "最多 {most} 个字符")


def check_node_name(name: Any) -> None:
    """Refuse what cannot be the name of a node."""
    if not isinstance(name, str) or not name:
        raise EdgeError(NODE_NAME_EMPTY)
    if len(name) > NAME_LENGTH_MAX:
        raise EdgeError(NODE_NAME_TOO_LONG, most=NAME_LENGTH_MAX)
    reason = _bad_name(name)
    if reason is not None:
        raise EdgeError(PARAM_IS_WRONG, name=name, reason=reason)


def check_group(name: Any, interval_ms: Any) -> None:
    """Refuse what cannot be a group."""
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise EdgeError(GROUP_NAME_TOO_LONG, most=NAME_LENGTH_MAX)
    reason = _bad_name(name)
    if reason is not None:
        raise EdgeError(GROUP_PARAMETER_INVALID, field="group", reason=reason)
    is_whole = isinstance(interval_ms, int) and not isinstance(interval_ms, bool)
    if not is_whole or not INTERVAL_MS_MIN <= interval_ms <= INTERVAL_MS_MAX:
        reason = _NO_INTERVAL.format(low=INTERVAL_MS_MIN, high=INTERVAL_MS_MAX)
        raise EdgeError(GROUP_PARAMETER_INVALID, field="interval", reason=reason)


def check_tag(tag: Tag) -> None:
    """Refuse what no driver could have."""
    if not 1 <= len(tag.name) <= NAME_LENGTH_MAX:
        raise EdgeError(TAG_NAME_TOO_LONG, most=NAME_LENGTH_MAX)
    for field, text in (("name", tag.name), ("address", tag.address), ("unit", tag.unit)):
        if any(ord(one) < 32 or ord(one) == 127 for one in text):
            raise _wrong(tag, field, _CONTROL)
    if tag.name != tag.name.strip():
        raise _wrong(tag, "name", _BLANKS)
    if len(tag.address) > ADDRESS_LENGTH_MAX:
        raise EdgeError(TAG_ADDRESS_TOO_LONG, name=tag.name, most=ADDRESS_LENGTH_MAX)
    if len(tag.unit) > UNIT_LENGTH_MAX:
        raise _wrong(tag, "unit", _LONG_UNIT.format(most=UNIT_LENGTH_MAX))
    _check_scale(tag)
    if not tag.is_static:
        if tag.value is not None:
            raise _wrong(tag, "value", _VALUE_ALONE)
        return
    if tag.attribute & ~(Attribute.STATIC | Attribute.READ):
        raise EdgeError(TAG_ATTRIBUTE_NOT_SUPPORT, name=tag.name, reason=_STATIC_ALONE)
    if tag.value is None:
        raise _wrong(tag, "value", _STATIC_VALUE)
    device_value(replace(tag, decimal=0.0, bias=0.0), tag.value)


def _check_scale(tag: Tag) -> None:
    scales = tag.type in NUMBERS and tag.type is not TagType.BIT
    for field, value in (("decimal", tag.decimal), ("bias", tag.bias)):
        if value and not scales:
            raise _wrong(tag, field, _NUMBERS_ALONE)
    if abs(tag.bias) > BIAS_MAX:
        raise _wrong(tag, "bias", _BIAS.format(most=BIAS_MAX))


def _bad_name(name: str) -> Words | None:
    if any(one in "+#/" or ord(one) < 32 or ord(one) == 127 for one in name):
        return _BAD_CHARACTER
    return _BLANKS if name != name.strip() else None


def _wrong(tag: Tag, field: str, reason: Words) -> EdgeError:
    return EdgeError(TAG_PARAMETER_INVALID, name=tag.name, field=field, reason=reason)
