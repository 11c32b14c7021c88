"""``?sort=&order=``, and ``?like_…=``, of lists that are in memory whole, or that a database orders.

A list names its own fields, each in one ``Literal``: the document then says by what it can be sorted,
and the dashboard makes those columns' heads buttons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import Query

__all__ = ["Direction", "OrderQuery", "holding", "in_order"]

Direction: TypeAlias = Literal["asc", "desc"]

OrderQuery = Annotated[Direction, Query(description="Which way; without `sort` it says nothing.")]
"""Type of a parameter: ``order: OrderQuery = "asc"``."""


def holding(rows: Sequence[dict[str, Any]], **parts: str | None) -> Sequence[dict[str, Any]]:
    """Rows whose fields hold these texts, whatever the case; none: no matter what."""
    wanted = [(name, part.casefold()) for name, part in parts.items() if part]
    if not wanted:
        return rows
    return [row for row in rows if all(part in str(row[name]).casefold() for name, part in wanted)]


def in_order(
    rows: Sequence[dict[str, Any]],
    sort: str | None,
    order: Direction,
    place: Callable[[dict[str, Any]], Any] | None = None,
) -> Sequence[dict[str, Any]]:
    """The rows by one of their fields, or by what ``place`` makes of each; as they are without
    ``sort``. Equal ones stay as they were.
    """
    if sort is None:
        return rows
    return sorted(rows, key=place or (lambda row: row[sort]), reverse=order == "desc")
