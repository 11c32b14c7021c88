"""What a unit of work asks of SQLite's thread, and that it holds what units of work hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from rookery.storage.database import Database
from rookery.storage.engine import url_of


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(url_of("", tmp_path / "control.db"))
    await made.open()
    async with made.write() as session:
        await session.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY, word TEXT NOT NULL)"))
        await session.execute(
            text("INSERT INTO t VALUES (:n, :word)"), [{"n": n, "word": f"w{n}"} for n in range(5)]
        )
    yield made
    await made.close()


async def count(session: Any) -> int:
    return int(await session.scalar(text("SELECT count(*) FROM t")))


async def test_a_statement_is_one_turn_and_what_begins_reading_is_none(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.read() as session:
        await count(session)
    turns = 0
    execute = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, *args: Any, **kwargs: Any) -> Any:
        nonlocal turns
        turns += 1
        return await execute(self, *args, **kwargs)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    async with database.read() as session:
        await count(session)
        await count(session)
    assert turns == 3  # both, and the end
    turns = 0
    async with database.read() as session:
        await session.connection()
    assert turns == 0
    async with database.write() as session:
        await session.execute(text("DELETE FROM t"))
    assert turns == 3  # the beginning, which takes the lock, the statement, and the end


async def test_a_unit_of_work_that_reads_sees_one_state(database: Database) -> None:
    async with database.read() as reading:
        assert await count(reading) == 5
        async with database.write() as writing:
            await writing.execute(text("DELETE FROM t WHERE n < 2"))
        assert await count(reading) == 5
    async with database.read() as reading:
        assert await count(reading) == 3


async def test_what_fails_is_told_and_changes_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            await session.execute(text("DELETE FROM t WHERE n = 0"))
            await session.execute(text("INSERT INTO t VALUES (1, 'twice')"))
    async with database.read() as session:
        assert await count(session) == 5


async def test_rows_are_read_whole_or_in_parts(database: Database) -> None:
    async with database.read() as session:
        found = await session.execute(text("SELECT n, word FROM t ORDER BY n"))
        assert found.keys() == ["n", "word"]
        assert found.fetchmany(2) == [(0, "w0"), (1, "w1")]
        assert found.first() == (2, "w2")
        changed = await session.execute(text("SELECT n FROM t WHERE n > 9"))
        assert changed.one_or_none() is None

    def in_parts(connection: Any) -> list[int]:
        rows = connection.execution_options(yield_per=2).execute(text("SELECT n FROM t ORDER BY n"))
        return [row.n for row in rows]

    async with database.connection(one_state=True) as connection:
        assert await connection.run_sync(in_parts) == [0, 1, 2, 3, 4]


async def test_who_is_cancelled_keeps_nobody_else_from_the_database(database: Database) -> None:
    async def read() -> None:
        async with database.read() as session:
            while True:
                await count(session)

    reading = [asyncio.create_task(read()) for _ in range(20)]
    async with database.read() as session:
        await count(session)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    async with database.write() as session:
        await session.execute(text("DELETE FROM t"))
    async with database.read() as session:
        assert await count(session) == 0
