"""Pages of long lists: ``?limit=`` and ``?cursor=`` in, ``meta.cursor`` out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rookery.errors import BadRequestError

LIMIT_DEFAULT = 100
LIMIT_MAX = 10_000
_CURSOR_MAX = (1 << 64) - 1


class PageRequest(NamedTuple):
    """Which part of a list is wanted; ``cursor`` 0 is its beginning."""

    cursor: int
    limit: int

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> PageRequest:
        """Read a query string.

        Raises:
            BadRequestError: a number is none or out of range.
        """
        return cls(
            number(query, "cursor", 0, 0, _CURSOR_MAX),
            number(query, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX),
        )


def page(rows: list[dict[str, Any]], cursor: int | None) -> dict[str, Any]:
    """The answer: the rows, and where to go on if there is more."""
    return {"data": rows, "meta": {"count": len(rows), "cursor": cursor}}


def number(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """A number of a query string.

    Raises:
        BadRequestError: it is none or out of range.
    """
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and least <= int(text[:20]) <= most):
        raise BadRequestError(f"{name} is a number from {least} to {most}")
    return int(text)
