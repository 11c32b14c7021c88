"""``?offset=&size=&sort=&order=`` of lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, Query
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

SIZE_DEFAULT = 30
SIZE_MAX = 1000
OFFSET_MAX = (1 << 31) - 1

T = TypeVar("T", bound=tuple[Any, ...])


class Window:
    """Which part of a list, and which way."""

    def __init__(
        self,
        offset: Annotated[
            int, Query(ge=0, le=OFFSET_MAX, description="Rows to leave out at the beginning.")
        ] = 0,
        size: Annotated[
            int, Query(ge=1, le=SIZE_MAX, description="Most rows of the part.")
        ] = SIZE_DEFAULT,
        order: Annotated[Literal["asc", "desc"], Query(description="Which way.")] = "asc",
    ) -> None:
        self.offset = offset
        self.size = size
        self.order = order


WindowQuery = Annotated[Window, Depends()]
"""Type of a parameter: ``async def projects(window: WindowQuery) -> …``."""


async def page(
    session: AsyncSession,
    query: Select[T],
    window: Window,
    sort: str,
    columns: Mapping[str, InstrumentedAttribute[Any]],
) -> tuple[list[Any], int]:
    """The rows of the part, and how many the list has.

    Args:
        session: Where.
        query: The list, filtered by what the caller may see; its first column is the key.
        window: Which part.
        sort: By which of ``columns``.
        columns: By what the list can be sorted.
    """
    total = await session.scalar(select(func.count()).select_from(query.subquery()))
    column = columns[sort]
    ordered = column.desc() if window.order == "desc" else column.asc()
    # Rows that are equal there keep one order over all parts.
    key = query.selected_columns[0]
    rows = await session.execute(
        query.order_by(ordered, key).offset(window.offset).limit(window.size)
    )
    return list(rows.all()), total or 0


def like(column: InstrumentedAttribute[str], part: str) -> Any:
    """Whether a text holds a part, whatever the case."""
    return column.icontains(part, autoescape=True)
