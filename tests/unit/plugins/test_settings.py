"""What a settings schema takes and refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rookery.errors import BadRequestError
from rookery.plugins.manifest import METADATA_VERSION, Manifest
from rookery.plugins.settings import check_schema, complete, hidden, missing, unhidden

PASSWORD = {"type": "string", "format": "password"}
LOGIN = {"type": "object", "properties": {"secret": PASSWORD}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "pattern": "^https?://"},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 80},
        "level": {"type": "string", "enum": ["a", "b"], "default": "a"},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 2},
        "any": {"type": "array"},
        "login": {
            "type": "object",
            "properties": {"secret": {"type": "string", "format": "password", "default": ""}},
        },
    },
    "required": ["url"],
}


def nested(depth: int) -> list[Any]:
    """Lists in lists."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def test_defaults_fill_what_is_absent() -> None:
    whole = complete(SCHEMA, {})
    assert whole == {"port": 80, "level": "a", "login": {"secret": ""}}
    assert missing(SCHEMA, whole) == ["url"]


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "ftp://x"}, {"port": 0}, {"port": True}, {"port": 1.5}, {"level": "c"},
        {"tags": ["long"]}, {"tags": ["a", "b", "c"]}, {"login": {"other": 1}}, {"other": 1}, [],
        {"any": ["\ud800"]}, {"any": [{"\ud800": 1}]}, {"any": [math.nan]}, {"any": [-math.inf]},
        {"any": nested(100)},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(settings: Any) -> None:
    with pytest.raises(BadRequestError):
        complete(SCHEMA, settings)


def test_a_secret_is_hidden_and_comes_back_unchanged() -> None:
    settings = complete(SCHEMA, {"login": {"secret": "s"}})
    shown = hidden(SCHEMA, settings)
    assert shown["login"] == {"secret": "******"}
    assert unhidden(SCHEMA, shown, settings) == settings
    with pytest.raises(BadRequestError, match=r"login\.secret: write the secret again"):
        unhidden(SCHEMA, shown, complete(SCHEMA, {}))


@pytest.mark.parametrize(
    "schema",
    [
        [], {"type": "string"}, {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": {"type": "string", "oneOf": []}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}},
        {"type": "object", "properties": {"a": {"type": "integer", "default": "1"}}},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "properties": {"a": {"type": "string", "enum": 5}}},
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": "1"}}},
        {"type": "object", "properties": {"a": {"type": "number", "maximum": math.nan}}},
        {"type": "object", "properties": {"a": {"type": "string", "title": "\ud800"}}},
        {"type": "object", "required": "url"},
        {"type": "object", "properties": {}, "required": ["url"]},
        {"type": "object", "properties": {"a": {"type": "array", "items": PASSWORD}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": LOGIN}}},
    ],
)  # fmt: skip
def test_a_schema_that_would_be_half_obeyed_is_refused(schema: Any) -> None:
    with pytest.raises(BadRequestError):
        check_schema(schema)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../up"}, {"name": "Big"}, {"rel_vsn": "1/2"}, {"entry": "no class"},
        {"run": {"workers": 0}}, {"run": {"workers": 1.5}}, {"run": {"other": 1}}, {"run": {"failure": {"x": "deny"}}},
        {"metadata_vsn": "0.1.0"}, {"requires": "text"}, {"description": "\ud800"},
        {"author": ["\ud800"]}, {"run": {"topics": ["\ud800"]}},
        {"run": {"topics": ["a/#/b"]}}, {"run": {"topics": [""]}}, {"run": {"topics": ["a+"]}},
    ],
)  # fmt: skip
def test_a_manifest_says_nothing_that_cannot_be(change: dict[str, Any]) -> None:
    good = {"metadata_vsn": METADATA_VERSION, "name": "a", "rel_vsn": "1", "entry": "a:A"}
    assert Manifest.from_json(good).id == "a-1"
    with pytest.raises(BadRequestError):
        Manifest.from_json({**good, **change})


@pytest.mark.parametrize(
    ("bounds", "value", "english", "chinese"),
    [
        ({"type": "string", "maxLength": 3}, "long", "at most 3 characters", "最多 3 个字符"),
        ({"type": "string", "maxLength": 1}, "long", "at most 1 character", "最多 1 个字符"),
        ({"type": "string", "minLength": 2}, "a", "at least 2 characters", "至少 2 个字符"),
        (
            {"type": "string", "minLength": 2, "maxLength": 3},
            *("a", "2 to 3 characters", "应为 2 到 3 个字符"),
        ),
        (
            {"type": "string", "minLength": 2, "maxLength": 2},
            *("a", "exactly 2 characters", "必须为 2 个字符"),
        ),
        ({"type": "array", "maxItems": 1}, [1, 2], "at most 1 item", "最多 1 项"),
        ({"type": "array", "minItems": 2}, [1], "at least 2 items", "至少 2 项"),
        ({"type": "integer", "minimum": 1}, 0, "at least 1", "至少 1"),
        ({"type": "number", "maximum": 1.5}, 2, "at most 1.5", "最多 1.5"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, 0, "1 to 9", "应为 1 到 9"),
    ],
)
def test_a_bound_is_told_as_it_is(
    bounds: dict[str, Any], value: Any, english: str, chinese: str
) -> None:
    schema = {"type": "object", "properties": {"mark": bounds}}
    with pytest.raises(BadRequestError) as refused:
        complete(schema, {"mark": value})

    assert refused.value.text("en") == f"settings.mark: {english}"
    assert refused.value.text("zh") == f"settings.mark：{chinese}"


def test_text_by_the_name_of_a_secret_is_hidden_without_saying_so() -> None:
    names = ("apitoken", "client_secret", "token_type", "topic")
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    settings = dict.fromkeys(names, "x")
    shown = hidden(schema, settings)
    assert shown == settings | {"apitoken": "******", "client_secret": "******"}
    assert unhidden(schema, shown, settings) == settings
