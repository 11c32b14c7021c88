"""Settings of plugins as data: one description draws the form and checks what is sent.

The shape is the one that Neuron publishes for its plugins, so that forms and scripts made for it fit:
``{"host": {"name": …, "name_zh": …, "attribute": "required", "type": "string", "valid": {…}}}``.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rookery.config.secrets import HIDDEN
from rookery.edge.errors import NODE_SETTING_INVALID, EdgeError
from rookery.words import Words

FieldType = Literal["int", "real", "string", "secret", "bool", "map", "file", "text"]
FILE_BYTES_MAX = 256 << 10
TEXT_LENGTH_MAX = 8192

_MISSING = Words("is required", "为必填项")
_LOST = Words(
    "must be written again: ****** hides a secret, and none is kept here that it could mean",
    "请重新填写：****** 只是隐藏后的显示，此处没有与之对应的已存密文",
)
_UNKNOWN = Words("is not known here", "不是已知的配置项")
_NO_INT = Words("must be a whole number from {low} to {high}", "应为 {low} 到 {high} 的整数")
_NO_REAL = Words("must be a number from {low} to {high}", "应为 {low} 到 {high} 的数字")
_NO_TEXT = Words(
    "must be text of {low} to {high} characters", "应为 {low} 到 {high} 个字符的字符串"
)
_NO_BOOL = Words("must be true or false", "应为 true 或 false")
_NO_CHOICE = Words("must be one of {choices}", "应为以下之一：{choices}")
_NO_FILE = Words("must be the content of a file in base64", "应为 base64 编码的文件内容")


_NOTHING = Words("", "")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a ``map`` field."""

    title: Words
    value: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting.

    Attributes:
        type: ``secret`` is a string that is never shown; ``file`` is base64 of a file's content, a
            secret too where ``is_secret``; ``map`` is one of ``choices``; ``text`` has many lines.
        default: What holds where nothing is sent; without one the field is required.
        shown_if: The field is asked for only where another one has one of these values.
        check: Of a text: what is wrong with it, or none.
    """

    name: str
    type: FieldType
    title: Words
    about: Words = _NOTHING
    default: Any = None
    is_required: bool = False
    low: float = 0
    high: float = TEXT_LENGTH_MAX
    choices: tuple[Choice, ...] = ()
    shown_if: tuple[str, tuple[Any, ...]] | None = None
    check: Callable[[str], Words | None] | None = None
    is_secret: bool = field(default=False)

    @property
    def hides(self) -> bool:
        return self.type == "secret" or self.is_secret


def schema_of(fields: Sequence[Field], *, group_interval_ms: int = 1000) -> dict[str, Any]:
    """Everything that a form needs."""
    made: dict[str, Any] = {"tag_regex": [], "group_interval": group_interval_ms}
    for one in fields:
        made[one.name] = _described(one)
    return made


def _described(one: Field) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": one.title.en,
        "name_zh": one.title.zh,
        "description": one.about.en,
        "description_zh": one.about.zh,
        "attribute": "required" if one.is_required else "optional",
        "type": "string" if one.type in ("secret", "text") else one.type,
        "valid": _valid(one),
    }
    if one.default is not None:
        made["default"] = one.default
    if one.hides:
        made["secret"] = True
    if one.type == "text":
        made["multiline"] = True
    if one.shown_if is not None:
        name, values = one.shown_if
        condition: dict[str, Any] = {"field": name}
        made["condition"] = condition | (
            {"value": values[0]} if len(values) == 1 else {"values": list(values)}
        )
    return made


def _valid(one: Field) -> dict[str, Any]:
    if one.type == "map":
        return {
            "map": [
                {"key": choice.title.en, "key_zh": choice.title.zh, "value": choice.value}
                for choice in one.choices
            ]
        }
    if one.type in ("int", "real"):
        return {"min": one.low, "max": one.high}
    if one.type in ("string", "secret", "text"):
        return {"min": one.low, "length": one.high}
    return {"length": FILE_BYTES_MAX} if one.type == "file" else {}


def checked(
    fields: Sequence[Field], raw: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Settings with defaults filled in; a secret that is sent as it is shown keeps what it was.

    Raises:
        EdgeError: a field is wrong; says which and why.
    """
    known = {one.name for one in fields}
    for name in raw:
        if name not in known:
            raise _refused(str(name), _UNKNOWN)
    made: dict[str, Any] = {}
    for one in fields:
        value = raw.get(one.name)
        if one.hides and value == HIDDEN:
            value = (before or {}).get(one.name)
            if not value:
                raise _refused(one.name, _LOST)
        made[one.name] = one.default if value is None or value == "" else _value(one, value)
    for one in fields:
        if one.is_required and made[one.name] is None and _is_asked(one, made):
            raise _refused(one.name, _MISSING)
    return made


def shown(fields: Sequence[Field], setting: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as people may see them."""
    return {
        one.name: HIDDEN if one.hides and setting.get(one.name) else setting.get(one.name)
        for one in fields
        if setting.get(one.name) is not None
    }


def _is_asked(one: Field, made: Mapping[str, Any]) -> bool:
    return one.shown_if is None or made.get(one.shown_if[0]) in one.shown_if[1]


def _refused(name: str, reason: Words) -> EdgeError:
    return EdgeError(NODE_SETTING_INVALID, field=name, reason=reason)


def _value(one: Field, value: Any) -> Any:
    reason: Words | None = None
    if one.type in ("int", "real"):
        return _number(one, value)
    if one.type == "bool":
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        reason = _NO_BOOL
    elif one.type == "map":
        if value in [choice.value for choice in one.choices] and not isinstance(value, bool):
            return value
        choices = ", ".join(str(choice.value) for choice in one.choices)
        reason = _NO_CHOICE.format(choices=choices)
    elif not isinstance(value, str):
        reason = _NO_TEXT.format(low=round(one.low), high=round(one.high))
    elif one.type == "file":
        reason = None if _is_file(value) else _NO_FILE
    elif not one.low <= len(value) <= one.high:
        reason = _NO_TEXT.format(low=round(one.low), high=round(one.high))
    elif one.check is not None:
        reason = one.check(value)
    if reason is not None:
        raise _refused(one.name, reason)
    return value


def _number(one: Field, value: Any) -> int | float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and one.low <= value <= one.high:
        if one.type == "real":
            return float(value)
        if value == int(value):
            return int(value)
    words = _NO_INT if one.type == "int" else _NO_REAL
    raise _refused(one.name, words.format(low=f"{one.low:g}", high=f"{one.high:g}"))


def _is_file(value: str) -> bool:
    if len(value) > FILE_BYTES_MAX * 4 // 3 + 4:
        return False
    try:
        return bool(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        return False
