"""What is bound for a value: the text that PostgreSQL reads as its type."""

from __future__ import annotations

from typing import Any

import pytest

from rookery.connectors.pgsql.values import NoArrayError, argument, encoder
from rookery.native.action_fields import UNDEFINED, JsonText


@pytest.mark.parametrize(
    ("type_name", "value", "text"),
    [
        ("text", "it's", "it's"),
        ("text", 5, "5"),
        ("text", 21.5, "21.5"),
        ("bool", True, "true"),
        ("jsonb", JsonText('{"a":1}'), '{"a":1}'),
        ("int4", 21.0, "21"),
        ("int4", 21.5, "21.5"),
        ("int8", "12", "12"),
        ("numeric", JsonText("123456789012345678901234567890"), "123456789012345678901234567890"),
        ("bytea", b"\xff\x00", "\\xff00"),
        ("bytea", "é", "\\xc3a9"),
    ],
)
def test_values_as_text(type_name: str, value: Any, text: str) -> None:
    assert encoder(type_name)(value) == text


def test_octets_are_no_text() -> None:
    with pytest.raises(ValueError, match="UTF-8"):
        encoder("text")(b"\xff")


def test_what_is_not_there_is_null() -> None:
    assert argument(UNDEFINED, is_array=False) is None
    assert argument(None, is_array=True) is None


def test_arrays_are_lists() -> None:
    assert argument(JsonText('["a", 1]'), is_array=True) == ["a", 1]
    for value in (JsonText('{"a":1}'), "[", 5, JsonText("[" * 100_000)):
        with pytest.raises(NoArrayError):
            argument(value, is_array=True)
