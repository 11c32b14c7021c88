"""A file of tables as a copy of what all nodes of a cluster have.

While it is open, triggers of the connection note the keys of the rows that a change touches, whatever
statements it is made of. Before the change is committed the rows are proposed with the revisions they
have here; what is refused is rolled back. The revisions are kept in the same file, in the same change.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rookery.access.database import Database, Settling
from rookery.errors import RookeryError
from rookery.storage.replica import Changed, Mark, Propose, Ready, Revised, Row

_TABLES = """
CREATE TABLE IF NOT EXISTS replica_mark (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL,
    revision INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS replica_revisions (
    tbl TEXT NOT NULL,
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tbl, key)
) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS touched (
    tbl TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (tbl, key)
) WITHOUT ROWID;
"""
_NOW_MS = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
_OCTETS = "$octets"


class Table(NamedTuple):
    """A table that all nodes have alike.

    Attributes:
        name: Its name.
        key: Its primary key: columns of text.
        ends: The column that says when a row ends by itself, in ms since 1970.
    """

    name: str
    key: tuple[str, ...]
    ends: str | None = None


class DatabaseReplica:
    """One file."""

    def __init__(
        self,
        name: str,
        database: Database,
        tables: Sequence[Table],
        changed: Changed,
    ) -> None:
        self.name = name
        self._database = database
        self._tables = {table.name: table for table in tables}
        self._changed = changed
        self._propose: Propose | None = None
        self._loop: asyncio.AbstractEventLoop

    async def open(self, ready: Ready, propose: Propose) -> None:
        self._propose = propose
        self._loop = asyncio.get_running_loop()
        await self._database.settle(Settling(ready, self._settle), self._prepare)

    async def close(self) -> None:
        self._propose = None
        await self._database.settle(None, self._leave)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # A row that another one takes the place of is noted as well.
        connection.execute("PRAGMA recursive_triggers = ON")
        connection.executescript(_TABLES + "".join(map(_triggers, self._tables.values())))

    def _leave(self, connection: sqlite3.Connection) -> None:
        for name in self._tables:
            for verb in _VERBS:
                connection.execute(f"DROP TRIGGER IF EXISTS temp.replica_{name}_{verb}")

    # -- changes of this node --------------------------------------------------------------

    def _settle(self, connection: sqlite3.Connection) -> None:
        """Before a change is committed, on the thread that writes."""
        touched = self._touched(connection)
        if not touched or self._propose is None:
            return
        try:
            revisions = self._propose(touched)
        except RookeryError:
            # Who heard of the change within it has to look again once it is rolled back.
            tables = {item.row.table for item in touched}
            asyncio.run_coroutine_threadsafe(self._tell(tables), self._loop)
            raise
        _keep_revisions(
            connection,
            [Revised(item.row, now) for item, now in zip(touched, revisions, strict=True)],
        )

    def _touched(self, connection: sqlite3.Connection) -> list[Revised]:
        names = connection.execute("SELECT tbl, key FROM temp.touched").fetchall()
        connection.execute("DELETE FROM temp.touched")
        found = []
        for name, text in names:
            key = tuple(json.loads(text))
            row = _read_one(connection, self._tables[name], key)
            revision = _revision(connection, name, _text(key))
            if row.values is None and not revision:
                continue  # Made and removed in one change.
            found.append(Revised(row, revision))
        return found

    # -- changes of others -----------------------------------------------------------------

    async def mark(self) -> Mark | None:
        def query(connection: sqlite3.Connection) -> Mark | None:
            row = connection.execute(
                "SELECT origin, revision, seen_ms FROM replica_mark"
            ).fetchone()
            return None if row is None else Mark._make(row)

        return await self._database.write(query, is_settled=True)

    async def rows(self) -> list[Row]:
        def query(connection: sqlite3.Connection) -> list[Row]:
            return [row for table in self._tables.values() for row in _read_all(connection, table)]

        return await self._database.write(query, is_settled=True)

    async def adopt(self, revised: Sequence[Revised], mark: Mark) -> None:
        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM replica_revisions")
            _keep_revisions(connection, revised)
            _keep_mark(connection, mark)

        await self._write(change)

    async def replace(self, revised: Sequence[Revised], mark: Mark) -> dict[str, int]:
        wanted = {(item.row.table, item.row.key): item for item in revised}
        lost: dict[str, int] = {}

        def change(connection: sqlite3.Connection) -> None:
            for table in self._tables.values():
                for row in _read_all(connection, table):
                    there = wanted.get((row.table, row.key))
                    if there is None or there.row.values is None:
                        _put(connection, table, Row(row.table, row.key, None))
                    if there is None or there.row.values != row.values:
                        lost[row.table] = lost.get(row.table, 0) + 1
            connection.execute("DELETE FROM replica_revisions")
            self._take(connection, revised, mark)

        await self._write(change)
        await self._tell(self._tables)
        return lost

    async def apply(self, revised: Sequence[Revised], mark: Mark) -> None:
        await self._write(lambda connection: self._take(connection, revised, mark))
        await self._tell(item.row.table for item in revised)

    def _take(self, connection: sqlite3.Connection, revised: Sequence[Revised], mark: Mark) -> None:
        for row, revision in revised:
            table = self._tables.get(row.table)
            if table is None:
                continue  # Of a later version.
            if revision <= _revision(connection, row.table, _text(row.key)):
                continue
            _put(connection, table, row)
            _keep_revisions(connection, [Revised(row, revision)])
        _keep_mark(connection, mark)

    async def _write(self, change: Callable[[sqlite3.Connection], None]) -> None:
        def noted(connection: sqlite3.Connection) -> None:
            change(connection)
            connection.execute("DELETE FROM temp.touched")

        await self._database.write(noted, is_settled=True)

    async def _tell(self, tables: Iterable[str]) -> None:
        names = frozenset(tables) & self._tables.keys()
        if names:
            await self._changed(names)


_VERBS: Mapping[str, tuple[str, ...]] = {
    "insert": ("NEW",),
    "update": ("OLD", "NEW"),
    "delete": ("OLD",),
}


def _triggers(table: Table) -> str:
    text = ""
    for verb, which in _VERBS.items():
        notes = "".join(_note(table, old_or_new) for old_or_new in which)
        when = ""
        if verb == "delete" and table.ends is not None:
            # Every node does that by itself.
            when = f"WHEN OLD.{table.ends} IS NULL OR OLD.{table.ends} > {_NOW_MS} "
        text += (
            f"CREATE TEMP TRIGGER IF NOT EXISTS replica_{table.name}_{verb} "
            f"AFTER {verb.upper()} ON main.{table.name} {when}BEGIN {notes} END;"
        )
    return text


def _note(table: Table, which: str) -> str:
    key = ", ".join(f"{which}.{column}" for column in table.key)
    return f"INSERT OR IGNORE INTO touched VALUES ('{table.name}', json_array({key}));"  # noqa: S608


def _text(key: Sequence[str]) -> str:
    """A key as ``json_array`` of SQLite writes it."""
    return json.dumps(list(key), separators=(",", ":"), ensure_ascii=False)


def _read_all(connection: sqlite3.Connection, table: Table) -> list[Row]:
    order = ", ".join(table.key)
    cursor = connection.execute(f"SELECT * FROM {table.name} ORDER BY {order}")  # noqa: S608
    return [_row(table, cursor.description, values) for values in cursor]


def _read_one(connection: sqlite3.Connection, table: Table, key: tuple[str, ...]) -> Row:
    where = " AND ".join(f"{column} = ?" for column in table.key)
    cursor = connection.execute(f"SELECT * FROM {table.name} WHERE {where}", key)  # noqa: S608
    values = cursor.fetchone()
    return Row(table.name, key, None) if values is None else _row(table, cursor.description, values)


def _row(table: Table, description: Any, values: tuple[Any, ...]) -> Row:
    named = {column[0]: _plain(value) for column, value in zip(description, values, strict=True)}
    ends_ms = None if table.ends is None else named[table.ends]
    return Row(table.name, tuple(named[column] for column in table.key), named, ends_ms)


def _put(connection: sqlite3.Connection, table: Table, row: Row) -> None:
    """Of columns that this version does not know nothing is kept; those it lacks are refused by SQLite."""
    if row.values is None:
        where = " AND ".join(f"{column} = ?" for column in table.key)
        connection.execute(f"DELETE FROM {table.name} WHERE {where}", row.key)  # noqa: S608
        return
    known = [line[1] for line in connection.execute(f"PRAGMA table_info({table.name})")]
    columns = [column for column in known if column in row.values]
    marks = ", ".join("?" for _ in columns)
    connection.execute(
        f"INSERT OR REPLACE INTO {table.name} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
        [_stored(row.values[column]) for column in columns],
    )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_OCTETS: base64.b64encode(value).decode("ascii")}
    return value


def _stored(value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value[_OCTETS])
    return value


def _revision(connection: sqlite3.Connection, table: str, key: str) -> int:
    query = "SELECT revision FROM replica_revisions WHERE tbl = ? AND key = ?"
    row = connection.execute(query, (table, key)).fetchone()
    return 0 if row is None else int(row[0])


def _keep_revisions(connection: sqlite3.Connection, revised: Iterable[Revised]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO replica_revisions VALUES (?, ?, ?)",
        [(item.row.table, _text(item.row.key), item.revision) for item in revised],
    )


def _keep_mark(connection: sqlite3.Connection, mark: Mark) -> None:
    connection.execute("INSERT OR REPLACE INTO replica_mark VALUES (1, ?, ?, ?)", mark)
