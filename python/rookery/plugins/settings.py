"""Settings of a plugin: a JSON schema that draws the form and checks what is entered.

The schema is written in a part of JSON Schema (2020-12) that a form can show: ``type``, ``title``,
``description``, ``default``, ``enum``, ``properties``, ``required``, ``additionalProperties``
(false, and that is how it is taken), ``items``, ``minimum``, ``maximum``, ``minLength``,
``maxLength``, ``minItems``, ``maxItems``, ``pattern``, ``format`` (``password`` is never shown)
and ``x-zh`` (title and description in Chinese). A schema with another keyword is refused rather than
half obeyed, and so is one with a password inside a list: when items move, nobody could tell whose
secret one that was not shown is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from rookery.config.secrets import looks_secret
from rookery.errors import BadRequestError
from rookery.words import Words

HIDDEN = "******"
_LOST = Words(
    "write the secret again: ****** hides a secret, and none is kept here that it could mean",
    "请重新填写该密钥：****** 只是隐藏后的显示，此处没有与之对应的已存密钥",
)
"""Shown instead of a secret; sent back it means the secret that is there."""

_DEPTH_MAX = 16
_NESTING_MAX = 64
_COMMON = {"type", "title", "description", "default", "enum", "x-zh", "examples"}
_KEYWORDS = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "boolean": set[str](),
}
_TOP = {"$schema", "$id"}
_FORMATS = ("password", "uri", "textarea")
_BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_TEXTS = ("title", "description")
_NO_UNIT, _ITEMS, _CHARACTERS = (
    Words("", ""),
    Words(" items", " 项"),
    Words(" characters", " 个字符"),
)
_AT_MOST = Words("at most {high}{unit}", "最多 {high}{unit}")
_AT_LEAST = Words("at least {low}{unit}", "至少 {low}{unit}")
_EXACTLY = Words("exactly {low}{unit}", "必须为 {low}{unit}")
_FROM_TO = Words("{low} to {high}{unit}", "应为 {low} 到 {high}{unit}")


def check_schema(schema: Any) -> None:
    """Whether a form can be drawn of it.

    Raises:
        BadRequestError: no; the message says where.
    """
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise BadRequestError("config_schema.json: type is object")
    _check_plain(schema, "config_schema.json")
    _check(
        {key: value for key, value in schema.items() if key not in _TOP}, "config_schema.json", 0
    )
    complete(schema, {})


def _check(schema: Any, where: str, depth: int) -> None:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or kind not in _KEYWORDS or depth > _DEPTH_MAX:
        raise BadRequestError(f"{where}: type is one of {', '.join(_KEYWORDS)}")
    if unknown := schema.keys() - _COMMON - _KEYWORDS[kind]:
        raise BadRequestError(f"{where}: {kind} has no {', '.join(sorted(unknown))} here")
    if schema.get("additionalProperties", False) is not False:
        raise BadRequestError(f"{where}: additionalProperties is false")
    if "pattern" in schema:
        try:
            re.compile(schema["pattern"])
        except (re.error, TypeError) as error:
            raise BadRequestError(f"{where}: pattern: {error}") from None
    if schema.get("format", "uri") not in _FORMATS:
        raise BadRequestError(f"{where}: format is one of {', '.join(_FORMATS)}")
    _check_members(schema, where)
    for name, inner in schema.get("properties", {}).items():
        _check(inner, f"{where}.{name}", depth + 1)
    if "items" in schema:
        _check(schema["items"], f"{where}[]", depth + 1)
        if _holds_password(schema["items"]):
            raise BadRequestError(f"{where}: a list holds no password")
    if "default" in schema:
        _value(schema, schema["default"], f"{where}: default")


def _check_members(schema: Mapping[str, Any], where: str) -> None:
    """Whether what stands under a keyword is what the keyword takes."""
    kinds: list[tuple[tuple[str, ...], Callable[[Any], bool], str]] = [
        (("properties", "x-zh"), lambda value: isinstance(value, dict), "an object"),
        (("enum", "examples"), lambda value: isinstance(value, list), "a list"),
        (("required",), _is_names, "a list of names"),
        (_BOUNDS, lambda value: _is_a(value, "number"), "a number"),
        (_TEXTS, lambda value: isinstance(value, str), "text"),
    ]
    for keywords, fits, expected in kinds:
        for keyword in keywords:
            if keyword in schema and not fits(schema[keyword]):
                raise BadRequestError(f"{where}: {keyword} is {expected}")
    if unknown := set(schema.get("required", ())) - set(schema.get("properties", ())):
        raise BadRequestError(f"{where}: required has no property {', '.join(sorted(unknown))}")


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _holds_password(schema: Mapping[str, Any]) -> bool:
    # What is in a list inside of it was looked at there.
    inner = schema.get("properties", {}).values()
    return schema.get("format") == "password" or any(map(_holds_password, inner))


def _check_plain(value: Any, where: str, depth: int = 0) -> None:
    """Whether it can be kept and shown as JSON: text in UTF-8, finite numbers, no endless nesting."""
    if depth > _NESTING_MAX:
        raise BadRequestError(f"{where} is nested deeper than {_NESTING_MAX}")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadRequestError(f"{where}: half of a surrogate pair is no text") from None
    elif isinstance(value, float) and not math.isfinite(value):
        raise BadRequestError(f"{where}: {value} is no number that JSON has")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_plain(name, where, depth)
            _check_plain(inner, where, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_plain(inner, where, depth + 1)


def complete(schema: Mapping[str, Any], settings: Any) -> dict[str, Any]:
    """Settings with the defaults of what is absent; unset required ones are left out.

    Raises:
        BadRequestError: a value does not fit.
    """
    _check_plain(settings, "settings")
    whole = _value(schema, settings, "settings")
    assert isinstance(whole, dict)
    return whole


def missing(schema: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Required settings without a value: the plugin cannot start."""
    return [name for name in schema.get("required", ()) if name not in settings]


def _value(schema: Mapping[str, Any], value: Any, where: str) -> Any:
    kind = schema["type"]
    if not _is_a(value, kind):
        raise BadRequestError(f"{where} is no {kind}")
    if "enum" in schema and value not in schema["enum"]:
        raise BadRequestError(f"{where} is one of {', '.join(map(str, schema['enum']))}")
    if kind == "object":
        return _object(schema, value, where)
    if kind == "array":
        _within(len(value), schema, ("minItems", "maxItems"), where, _ITEMS)
        items = schema.get("items")
        return [
            item if items is None else _value(items, item, f"{where}[{at}]")
            for at, item in enumerate(value)
        ]
    if kind == "string":
        _within(len(value), schema, ("minLength", "maxLength"), where, _CHARACTERS)
        if "pattern" in schema and not re.search(schema["pattern"], value):
            raise BadRequestError(f"{where} does not match {schema['pattern']}")
    elif kind in ("integer", "number"):
        _within(value, schema, ("minimum", "maximum"), where)
    return value


def _object(schema: Mapping[str, Any], value: dict[str, Any], where: str) -> dict[str, Any]:
    known = schema.get("properties", {})
    if unknown := value.keys() - known.keys():
        raise BadRequestError(f"{where} has no {', '.join(sorted(map(str, unknown)))}")
    whole: dict[str, Any] = {}
    for name, inner in known.items():
        if name in value:
            whole[name] = _value(inner, value[name], f"{where}.{name}")
        elif "default" in inner:
            whole[name] = _value(inner, inner["default"], f"{where}.{name}")
        elif inner["type"] == "object":
            whole[name] = _value(inner, {}, f"{where}.{name}")
    return whole


def _is_a(value: Any, kind: str) -> bool:
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def _within(
    number: float,
    schema: Mapping[str, Any],
    bounds: tuple[str, str],
    where: str,
    unit: Words = _NO_UNIT,
) -> None:
    low, high = (schema.get(bound) for bound in bounds)
    if (low is None or number >= low) and (high is None or number <= high):
        return
    if low is None or high is None:
        count, form = (high, _AT_MOST) if low is None else (low, _AT_LEAST)
    else:
        count, form = high, _EXACTLY if low == high else _FROM_TO
    unit = Words(unit.en.removesuffix("s"), unit.zh) if count == 1 else unit
    said = form.format(low=low, high=high, unit=unit)
    raise BadRequestError(f"{where}: {said.en}", message_zh=f"{where}：{said.zh}")


def _is_secret(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether it says so, or is text by a name as those of secrets are."""
    if schema.get("format") == "password":
        return True
    return schema.get("type") == "string" and "enum" not in schema and looks_secret(name)


def hidden(schema: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they may be shown."""
    shown = dict(settings)
    for name, inner in schema.get("properties", {}).items():
        if name not in shown:
            continue
        if inner["type"] == "object":
            shown[name] = hidden(inner, shown[name])
        elif _is_secret(name, inner) and shown[name]:
            shown[name] = HIDDEN
    return shown


def unhidden(
    schema: Mapping[str, Any],
    settings: Mapping[str, Any],
    before: Mapping[str, Any],
    at: str = "",
) -> dict[str, Any]:
    """Settings as they came back: a secret that was not shown is the one from before.

    Raises:
        BadRequestError: there is none from before.
    """
    found = dict(settings)
    for name, inner in schema.get("properties", {}).items():
        if name not in found:
            continue
        if inner.get("type") == "object" and isinstance(found[name], dict):
            found[name] = unhidden(inner, found[name], before.get(name, {}), f"{at}{name}.")
        elif _is_secret(name, inner) and found[name] == HIDDEN:
            if not before.get(name):
                raise BadRequestError(
                    f"{at}{name}: {_LOST.en}", message_zh=f"{at}{name}：{_LOST.zh}"
                )
            found[name] = before[name]
    return found
