"""Finds keys of the schema by their path in a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rookery.config.schema.model import Field, ListOf, MapOf, Struct, Type
from rookery.config.schema.root import ROOT


def fields_along(keys: Sequence[str]) -> Iterator[Field]:
    """Every field on the way to a value; what a form makes of an entry is not looked into."""
    for step in _steps(keys):
        if isinstance(step, Field):
            yield step


def type_at(keys: Sequence[str]) -> Type | None:
    """What stands at the end of the way; none where the schema has no such key."""
    steps = list(_steps(keys))
    if len(steps) != len(keys):
        return None
    last = steps[-1] if steps else ROOT
    return last.type if isinstance(last, Field) else last


def _steps(keys: Sequence[str]) -> Iterator[Field | Type]:
    """What each key leads to: a field, or the value of a map or a list."""
    kind: Type = ROOT
    for key in keys:
        if isinstance(kind, Struct):
            field = kind.get(key)
            if field is None:
                return
            yield field
            kind = field.type
        elif isinstance(kind, (MapOf, ListOf)):
            kind = kind.value if isinstance(kind, MapOf) else kind.item
            yield kind
        else:
            return
