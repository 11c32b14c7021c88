"""Writes all rows of a database to files, and reads them into another, of the other kind too.

The files do not say what a table looks like: they are read into the tables of the version that wrote them,
which are brought up to date afterwards.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Integer, MetaData, Table, func, inspect, select, text

from rookery.errors import BadRequestError
from rookery.storage import migrating
from rookery.storage.base import Base
from rookery.storage.engine import POSTGRESQL

LINE_BYTES_MAX = 16 << 20
_BATCH = 500
_BYTES = "$bytes"


def write(connection: Connection, folder: Path, *, leave_out: Iterable[str]) -> dict[str, int]:
    """A file for each table, a JSON array in each of its lines; how many rows each has.

    The first line names the columns. What is read is one state of the database.
    """
    counts = {}
    for table in _tables(connection):
        if table.name in leave_out or table.name not in Base.metadata.tables:
            continue
        with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as file:
            counts[table.name] = _write_table(connection, table, file)
    return counts


def _write_table(connection: Connection, table: Table, file: IO[str]) -> int:
    file.write(json.dumps([column.name for column in table.columns]) + "\n")
    count = 0
    rows = connection.execution_options(yield_per=_BATCH).execute(select(table))
    for row in rows:
        file.write(json.dumps([_plain(value) for value in row], ensure_ascii=False) + "\n")
        count += 1
    return count


def read(connection: Connection, folder: Path, revision: str) -> dict[str, int]:
    """Read what :func:`write` wrote at that revision into a database without tables.

    Raises:
        BadRequestError: a file is not one of those.
        StartError: this version does not know the revision.
    """
    migrating.upgrade(connection, revision)
    counts = {}
    for table in _tables(connection):
        file = folder / f"{table.name}.jsonl"
        if file.is_file():
            with file.open("rb") as lines:
                counts[table.name] = _read_table(connection, table, lines)
    migrating.upgrade(connection)
    return counts


def _read_table(connection: Connection, table: Table, lines: IO[bytes]) -> int:
    columns = _line(table, lines)
    if not isinstance(columns, list) or not set(columns) <= set(table.columns.keys()):
        raise BadRequestError(f"{table.name}.jsonl has columns that its table has not")
    count, batch = 0, []
    for values in _lines(table, lines):
        if not isinstance(values, list) or len(values) != len(columns):
            raise BadRequestError(f"{table.name}.jsonl: row {count + 1} does not fit its columns")
        batch.append(dict(zip(columns, (_value(item) for item in values), strict=True)))
        count += 1
        if len(batch) == _BATCH:
            connection.execute(table.insert(), batch)
            batch = []
    if batch:
        connection.execute(table.insert(), batch)
    _go_on_counting(connection, table)
    return count


def _lines(table: Table, lines: IO[bytes]) -> Iterator[Any]:
    while (found := _line(table, lines)) is not None:
        yield found


def _line(table: Table, lines: IO[bytes]) -> Any:
    line = lines.readline(LINE_BYTES_MAX)
    if not line:
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"{table.name}.jsonl: {error}") from None


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Numbers that the database gives go on after those that are there."""
    keys = list(table.primary_key.columns)
    if connection.dialect.name != POSTGRESQL or len(keys) != 1:
        return
    if isinstance(keys[0].type, Integer):
        most = connection.scalar(select(func.coalesce(func.max(keys[0]), 0)))
        sequence = select(func.pg_get_serial_sequence(table.name, keys[0].name)).scalar_subquery()
        connection.execute(select(func.setval(sequence, max(int(most or 0), 1))))


def is_empty(connection: Connection) -> bool:
    """Whether none of our tables are there."""
    return not _ours(connection)


def drop_everything(connection: Connection) -> None:
    """Take our tables away; what else is in the database stays."""
    metadata = MetaData()
    metadata.reflect(connection, only=_ours(connection))
    metadata.drop_all(connection)
    if connection.dialect.name == POSTGRESQL:
        connection.execute(text("DROP FUNCTION IF EXISTS audit_append_only"))


def _ours(connection: Connection) -> list[str]:
    known = {*Base.metadata.tables, migrating.VERSIONS}
    return [name for name in inspect(connection).get_table_names() if name in known]


def _tables(connection: Connection) -> list[Table]:
    """Those that others refer to come first."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != migrating.VERSIONS]


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return {_BYTES: base64.b64encode(bytes(value)).decode()}
    return value


def _value(item: Any) -> Any:
    if isinstance(item, dict) and item.keys() == {_BYTES}:
        return base64.b64decode(item[_BYTES])
    return item
