"""Writes many rows of one table with few statements.

The session would write of each row the columns that are another than before, and so nearly every row
with a statement of its own: of two reports one happens to have the same clock skew, the other not. Here rows
that are given the same columns go together, changed or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.storage.base import Base

_KEY = "key_of_row"


class Alike:
    """What is to be written to rows of a table, until :meth:`send`."""

    def __init__(self, table: type[Base]) -> None:
        self._table: Any = table.__table__
        self._rows: dict[tuple[str, ...], list[dict[str, Any]]] = {}

    def put(self, row_id: str, columns: Mapping[str, Any]) -> None:
        """Write these columns of that row."""
        if columns:
            self._rows.setdefault(tuple(columns), []).append({**columns, _KEY: row_id})

    async def send(self, session: AsyncSession) -> None:
        """Now, as part of the session's unit of work. A row that is not there any more is left out."""
        rows, self._rows = self._rows, {}
        statement = update(self._table).where(self._table.c.id == bindparam(_KEY))
        for some in rows.values():
            await session.execute(statement, some)
