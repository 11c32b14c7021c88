"""SQLite with one turn of the connection's thread for a statement, where the dialect's own way takes four.

A connection has a thread of its own, and whatever it is asked goes there and comes back: that is what a short
statement costs. The dialect asks it for a cursor, for the statement, for the rows and for the end of the cursor, one
after the other. Here it is asked once. What begins a unit of work that reads goes along with its first statement.

Rows of a statement are read whole; what is read in parts (``yield_per``) goes the dialect's own way.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_

BEGIN = "BEGIN"
"""Takes no lock before the first statement, and so may wait for it."""


class _Told(NamedTuple):
    """What came of a statement."""

    rows: list[Any]
    description: Any
    rowcount: int
    lastrowid: int | None


class TurnCursor:
    """As much of a cursor (PEP 249) as is used of one whose rows were read already."""

    arraysize = 1

    def __init__(self, connection: TurnConnection) -> None:
        self._connection = connection
        self._told = _Told([], None, -1, None)
        self._rows: deque[Any] = deque()

    @property
    def description(self) -> Any:
        return self._told.description

    @property
    def rowcount(self) -> int:
        return self._told.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._told.lastrowid

    def execute(self, operation: str, parameters: Any = None) -> None:
        if operation == BEGIN and not parameters:
            self._connection.is_begun_late = True
            return
        self._take(sqlite3.Cursor.execute, operation, () if parameters is None else parameters)

    def executemany(self, operation: str, parameters: Sequence[Any]) -> None:
        self._take(sqlite3.Cursor.executemany, operation, parameters)

    def _take(self, act: Callable[..., Any], operation: str, parameters: Any) -> None:
        self._told = self._connection.turn(act, operation, parameters)
        self._rows = deque(self._told.rows)

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """The dialect's word for: the rows stay, the cursor need not. There is none left."""

    def setinputsizes(self, *_sizes: Any) -> None:
        """Nothing to prepare."""

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        count = min(self.arraysize if size is None else size, len(self._rows))
        return [self._rows.popleft() for _ in range(count)]

    def fetchall(self) -> list[Any]:
        rows = list(self._rows)
        self._rows.clear()
        return rows

    def __iter__(self) -> Iterator[Any]:
        while self._rows:
            yield self._rows.popleft()


class TurnConnection(AsyncAdapt_aiosqlite_connection):
    """A connection that is asked once for each statement."""

    __slots__ = ("_is_used", "is_begun_late")

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self.is_begun_late = False
        # The end of a unit of work is said more than once, and costs a turn.
        self._is_used = False

    def cursor(self, server_side: bool = False) -> Any:
        if not server_side:
            return TurnCursor(self)
        if self.is_begun_late:
            self.turn(sqlite3.Cursor.execute, None, ())
        self._is_used = True
        return super().cursor(server_side=True)

    def turn(self, act: Callable[..., Any], operation: str | None, parameters: Any) -> _Told:
        """Have a statement executed; none: only what begins it."""
        begins, self.is_begun_late = self.is_begun_late, False
        self._is_used = True
        plain: Any = self._connection
        try:
            # What the driver itself asks with; its public ways lose what a cursor tells.
            work = plain._execute(_run, plain._conn, act, operation, parameters, begins)  # noqa: SLF001
            found: _Told = await_(work)
        except Exception as error:  # noqa: BLE001 - the dialect knows which of them mean what
            self._handle_exception(error)
        return found

    def rollback(self) -> None:
        self.is_begun_late = False
        if self._is_used:
            super().rollback()
            self._is_used = False

    def commit(self) -> None:
        self.is_begun_late = False
        if self._is_used:
            super().commit()
            self._is_used = False


def _run(
    connection: sqlite3.Connection,
    act: Callable[..., Any],
    operation: str | None,
    parameters: Any,
    begins: bool,
) -> _Told:
    """On the connection's thread."""
    if begins:
        connection.execute(BEGIN)
    if operation is None:
        return _Told([], None, -1, None)
    cursor = connection.cursor()
    try:
        act(cursor, operation, parameters)
        rows = [] if cursor.description is None else cursor.fetchall()
        return _Told(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
    finally:
        cursor.close()


class TurnDriver(AsyncAdapt_aiosqlite_dbapi):
    """The driver as the dialect wants it, with such connections."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *args: Any, **options: Any) -> TurnConnection:
        plain: Any = super().connect(*args, **options)
        return TurnConnection(self, plain._connection)  # noqa: SLF001 - it is made for its adapter
