"""``?find=&page=&limit=`` of lists that are answered whole unless a page of them is asked for.

EMQX answers such lists as arrays, and programs rely on that; tables ask for pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import Depends, Query

from rookery.web.models import LIMIT_DEFAULT, LIMIT_MAX, PAGE_DEFAULT, PAGE_MAX
from rookery.web.rest import PageParams
from rookery.web.sorting import Direction, in_order

__all__ = ["ListParams", "ListQuery"]


class ListParams:
    """Which rows of a list, and whether a page of them."""

    def __init__(
        self,
        find: Annotated[
            str | None, Query(max_length=1024, description="What one of the shown fields holds.")
        ] = None,
        page: Annotated[
            int | None,
            Query(
                ge=1,
                le=PAGE_MAX,
                description="Number of the page, from 1. With `page` or `limit` the answer is a page "
                "with `data` and `meta`, otherwise the whole list.",
            ),
        ] = None,
        limit: Annotated[
            int | None, Query(ge=1, le=LIMIT_MAX, description="Most rows on a page.")
        ] = None,
    ) -> None:
        self._find = (find or "").casefold()
        self._page = None
        if page is not None or limit is not None:
            self._page = PageParams(page or PAGE_DEFAULT, limit or LIMIT_DEFAULT)

    def answer(
        self,
        rows: Sequence[dict[str, Any]],
        shown: Sequence[str],
        sort: str | None,
        order: Direction,
        place: Callable[[dict[str, Any]], Any] | None = None,
    ) -> Any:
        """The list, or the page, to answer with; ``shown`` are the fields that are searched, and
        ``place`` says where a row stands that has no field ``sort`` of its own.
        """
        if self._find:
            rows = [
                row for row in rows if any(self._find in _text(row.get(name)) for name in shown)
            ]
        rows = in_order(rows, sort, order, place)
        return rows if self._page is None else self._page.cut(rows)


ListQuery = Annotated[ListParams, Depends()]
"""Type of a parameter: ``async def connectors(wanted: ListQuery) -> …``."""


def _text(value: object) -> str:
    return str(value or "").casefold()
