"""The schema of the configuration with what a form has to say, in both languages.

:mod:`rookery.config.json_schema` says what a value looks like; this adds what it means in Chinese
and in words what is taken, for pages that draw forms from it.
"""

from __future__ import annotations

from rookery.config.json_schema import JsonSchema, json_schema
from rookery.config.schema import ROOT
from rookery.config.schema.chinese import in_chinese
from rookery.config.schema.model import (
    Address,
    BindAddress,
    ByteSize,
    Custom,
    Duration,
    Forms,
    ListOf,
    MapOf,
    Percent,
    Rate,
    Struct,
    Text,
    Type,
)

CHINESE = "x-description-zh"
TAKES, TAKES_CHINESE = "x-takes", "x-takes-zh"
# What others take is plain from the field that is drawn for them.
_TOLD: tuple[type, ...] = (
    Address, BindAddress, ByteSize, Custom, Duration, Percent, Rate, Text,
)  # fmt: skip


def forms_schema() -> JsonSchema:
    """The whole configuration."""
    made = json_schema(ROOT)
    _describe(made, ROOT)
    return made


def _describe(made: JsonSchema, kind: Type) -> None:
    if isinstance(kind, Struct):
        for name, part in made["properties"].items():
            field = kind.get(name)
            if field is not None:
                part[CHINESE] = field.zh
                _describe(part, field.type)
    elif isinstance(kind, Forms):
        for part, form in zip(made["oneOf"], kind.forms.values(), strict=True):
            _describe(part, form)
    elif isinstance(kind, ListOf):
        _describe(made["items"], kind.item)
    elif isinstance(kind, MapOf):
        # Where words may stand instead, the object is the first possibility.
        entries = made["anyOf"][0] if "anyOf" in made else made
        _describe(entries["additionalProperties"], kind.value)
    else:
        # A title would be taken for the name of the field.
        made.pop("title", None)
        if isinstance(kind, _TOLD) and kind.allowed != Text().allowed:
            made[TAKES] = kind.allowed
            made[TAKES_CHINESE] = in_chinese(kind.allowed)
