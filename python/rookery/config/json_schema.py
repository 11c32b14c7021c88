"""The schema of the configuration as JSON Schema, for whoever shows or checks it outside.

Only keys that have an effect are in it. What a key takes beyond that (``infinity``, units, a list
written as one text) stands in its description; the check itself is always that of the schema.
"""

from __future__ import annotations

from typing import Any

from rookery.config.schema.model import (
    REQUIRED,
    UNSET,
    Address,
    Anything,
    BindAddress,
    Bool,
    ByteSize,
    CommaList,
    Custom,
    Duration,
    Field,
    FilePath,
    Float,
    Forms,
    Int,
    ListOf,
    MapOf,
    OneOf,
    Percent,
    Rate,
    SecretText,
    Status,
    Struct,
    Text,
    Type,
)
from rookery.config.values import NUMBER_MAX

JsonSchema = dict[str, Any]

_AS_TEXT: tuple[type, ...] = (Duration, ByteSize, Percent, Rate, Address, BindAddress)


def json_schema(kind: Type, *, with_required: bool = True) -> JsonSchema:
    """What a value of this type looks like in JSON.

    ``with_required``: whether keys that must be written are marked, which they are not where absent
    keys stay what they were.
    """
    if isinstance(kind, Struct):
        return _struct(kind, with_required)
    if isinstance(kind, Forms):
        return {"oneOf": [_form(kind, title, form) for title, form in kind.forms.items()]}
    if isinstance(kind, ListOf):
        items = json_schema(kind.item, with_required=with_required)
        return {"type": "array", "items": items, "maxItems": kind.longest}
    if isinstance(kind, MapOf):
        value = json_schema(kind.value, with_required=with_required)
        made: JsonSchema = {"type": "object", "additionalProperties": value}
        return _or_words(made, tuple(kind.words))
    return _leaf(kind)


def _form(kind: Forms, title: str, form: Struct) -> JsonSchema:
    made = _struct(form, True, title)
    for key, word in zip(kind.keys, title.split(":"), strict=False):
        made["properties"][key] |= {"enum": [word], "type": "string"}
    return made


def _struct(kind: Struct, with_required: bool, title: str = "") -> JsonSchema:
    known = [item for item in kind.fields if item.status is Status.HONOURED]
    made: JsonSchema = {"type": "object"}
    if title:
        made["title"] = title
    made["properties"] = {item.name: _field(item, with_required) for item in known}
    needed = [item.name for item in known if item.default is REQUIRED]
    if needed and with_required:
        made["required"] = needed
    return made


def _field(item: Field, with_required: bool) -> JsonSchema:
    made = json_schema(item.type, with_required=with_required)
    made["description"] = item.en
    if item.default is not REQUIRED and item.default is not UNSET and item.default != {}:
        made["default"] = item.default
    return made


def _leaf(kind: Type) -> JsonSchema:
    if isinstance(kind, Bool):
        return {"type": "boolean"}
    if isinstance(kind, Int):
        number: JsonSchema = {"type": "integer", "minimum": kind.low}
        if kind.high != NUMBER_MAX:
            number["maximum"] = kind.high
        return _or_words(number, tuple(kind.words))
    if isinstance(kind, Float):
        return {"type": "number", "minimum": kind.low, "maximum": kind.high}
    if isinstance(kind, OneOf):
        # true and false among words are written without quotes.
        flags = [word == "true" for word in kind.choices if word in ("true", "false")]
        return {"enum": [*kind.choices, *flags]}
    if isinstance(kind, _AS_TEXT):
        return {"type": "string", "title": kind.allowed}
    if isinstance(kind, SecretText):
        return {"type": "string", "format": "password"}
    if isinstance(kind, FilePath) and kind.pem:
        return {"type": "string", "format": "multiline"}
    if isinstance(kind, (Text, FilePath)):
        return {"type": "string"}
    if isinstance(kind, CommaList):
        return {"type": "array", "items": {"type": "string"}}
    return {"title": kind.allowed} if isinstance(kind, (Anything, Custom)) else {}


def _or_words(made: JsonSchema, words: tuple[str, ...]) -> JsonSchema:
    return {"anyOf": [made, {"enum": list(words)}]} if words else made
