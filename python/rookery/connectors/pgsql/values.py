"""Values as PostgreSQL reads them: the text that a person would write for the type.

So the server itself decides what fits a type: ``21.5`` and ``"21.5"`` fit a number, an ISO 8601
text fits a timestamp, JSON fits ``jsonb``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rookery.native.action_fields import UNDEFINED, FieldValue

INTEGERS = frozenset({"int2", "int4", "int8", "oid"})
BYTES = "bytea"


class NoArrayError(Exception):
    """A parameter is an array, and the value for it is none."""


def encoder(type_name: str) -> Callable[[Any], str]:
    """What makes text of a value for a type."""
    if type_name == BYTES:
        return _octets
    return _integer if type_name in INTEGERS else _text


def argument(value: FieldValue, *, is_array: bool) -> Any:
    """What is bound for a value: nothing for what is not there, a list for an array.

    Raises:
        NoArrayError: an array is wanted, and the value is none.
    """
    if value is None or value is UNDEFINED:
        return None
    if not is_array:
        return value
    if isinstance(value, str):
        try:
            items = json.loads(value)
        except (ValueError, RecursionError):
            items = None
        if isinstance(items, list):
            return items
    raise NoArrayError


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        raise ValueError("is no text in UTF-8")
    return str(value)


def _integer(value: object) -> str:
    # JSON does not tell 21.0 from 21.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _text(value)


def _octets(value: object) -> str:
    octets = value if isinstance(value, bytes) else _text(value).encode()
    return "\\x" + octets.hex()
