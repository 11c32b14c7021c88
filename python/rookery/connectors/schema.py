"""The settings of a type as JSON schema with texts in both languages, from which forms are drawn.

Beside what pydantic says: ``x-zh`` with title and description in Chinese, ``x-kind`` for what a
text is (duration, bytesize, secret, headers, template …), ``writeOnly`` on secrets, ``format:
multiline`` on long templates. What every body has anyway (``enable``, ``connector``) is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.config.values import format_bytesize, format_duration
from rookery.connectors import texts_zh as common
from rookery.connectors.base import ConnectorType
from rookery.connectors.kinds import INFINITY, KIND
from rookery.connectors.status import Kind

Schema = dict[str, Any]
Texts = Mapping[str, tuple[str, str]]

_ELSEWHERE = ("enable", "connector", "description", "tags")


def schema_of(kind: ConnectorType[Any], role: Kind) -> Schema | None:
    """The schema of a type's connectors, actions or sources; none when it has no such thing."""
    settings = {
        "connector": kind.connector_settings,
        "action": kind.action_settings,
        "source": kind.source_settings,
    }[role]
    if settings is None:
        return None
    made = settings.model_json_schema()
    for name in _ELSEWHERE:
        made["properties"].pop(name, None)
    made["required"] = [name for name in made.get("required", ()) if name not in _ELSEWHERE]
    own: Texts = getattr(kind.texts_zh, role)
    prefix = "" if role == "connector" else "parameters."
    texts = {**common.COMMON, **{prefix + name: words for name, words in own.items()}}
    _describe(made, made.get("$defs", {}), texts, "")
    return made


def untold(kind: ConnectorType[Any], role: Kind) -> list[str]:
    """Fields without a title, a description or their Chinese; for tests of types."""
    made = schema_of(kind, role)
    if made is None:
        return []
    return sorted(_untold(made, made.get("$defs", {}), ""))


def _describe(made: Schema, defs: Mapping[str, Schema], texts: Texts, path: str) -> None:
    for name, part in made.get("properties", {}).items():
        here = f"{path}{name}"
        title_zh, about_zh = texts.get(here, ("", ""))
        if title_zh:
            part["x-zh"] = {"title": title_zh, "description": about_zh}
        _plain_none(part)
        _settle(part)
        for target in _targets(part, defs):
            _describe(target, defs, texts, f"{here}.")


def _plain_none(part: Schema) -> None:
    """A field that may be absent is drawn like one that may not; JSON ``null`` means absent."""
    kinds = part.get("anyOf")
    if kinds and {"type": "null"} in kinds and part.get("default", 0) is None:
        del part["default"]
        rest = [kind for kind in kinds if kind != {"type": "null"}]
        if len(rest) == 1:
            del part["anyOf"]
            part |= {key: value for key, value in rest[0].items() if key not in part}


def _settle(part: Schema) -> None:
    """Write defaults as people write them; say what is a secret, and what has many lines."""
    default = part.get("default")
    kind = part.get(KIND)
    if isinstance(default, float) and kind == "duration":
        is_infinite = default == float("inf")
        part["default"] = INFINITY if is_infinite else format_duration(round(default * 1000))
    elif isinstance(default, int) and kind == "bytesize":
        part["default"] = format_bytesize(default)
    if kind == "secret":
        part["writeOnly"] = True
    if kind in ("body", "sql"):
        part["format"] = "multiline"


def _targets(part: Schema, defs: Mapping[str, Schema]) -> list[Schema]:
    """The objects that a field holds."""
    parts = [part, *part.get("anyOf", ()), *part.get("oneOf", ()), *part.get("allOf", ())]
    if isinstance(part.get("items"), dict):
        items = part["items"]
        parts += [items, *items.get("anyOf", ()), *items.get("oneOf", ())]
    found = [one["$ref"].rpartition("/")[2] for one in parts if "$ref" in one]
    return [defs[name] for name in found if name in defs] + [
        one for one in parts if "properties" in one
    ]


def _untold(made: Schema, defs: Mapping[str, Schema], path: str) -> list[str]:
    missing: list[str] = []
    for name, part in made.get("properties", {}).items():
        here = f"{path}{name}"
        zh = part.get("x-zh", {})
        is_told = part.get("title") and part.get("description") and all(zh.values()) and zh
        if not is_told and name != "parameters":
            missing.append(here)
        for target in _targets(part, defs):
            missing += _untold(target, defs, f"{here}.")
    return missing
