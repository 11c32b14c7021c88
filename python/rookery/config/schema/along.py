"""Finds keys of the schema by their path in a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rookery.config.schema.model import Field, ListOf, MapOf, Struct, Type
from rookery.config.schema.root import ROOT


def fields_along(keys: Sequence[str]) -> Iterator[Field]:
    """Every field on the way to a value; what a form makes of an entry is not looked into."""
    kind: Type = ROOT
    for key in keys:
        if isinstance(kind, Struct):
            field = kind.get(key)
            if field is None:
                return
            yield field
            kind = field.type
        elif isinstance(kind, MapOf):
            kind = kind.value
        elif isinstance(kind, ListOf):
            kind = kind.item
        else:
            return
