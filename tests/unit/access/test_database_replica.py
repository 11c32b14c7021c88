"""Files of several nodes keep the same rows, and of two changes of one row at once one is refused."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.access.database import Database, Schema
from rookery.access.database_replica import DatabaseReplica, Table
from rookery.errors import UnavailableError
from rookery.storage.replica import ChangedElsewhereError, Mark, NotReplicatedError, Revised, Row

SCHEMA = Schema(
    """
CREATE TABLE things (
    kind TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, secret BLOB NOT NULL,
    until_ms INTEGER, PRIMARY KEY (kind, name)
) WITHOUT ROWID;
""",
    1,
)
TABLES = (Table("things", ("kind", "name"), ends="until_ms"),)


class Log:
    """What the stream does: one change after the other, the last revision of each row counts."""

    def __init__(self) -> None:
        self.entries: list[Revised] = []
        self.is_away = False

    def put(self, revised: Sequence[Revised]) -> list[int]:
        if self.is_away:
            raise NotReplicatedError("nobody is there")
        last = {(item.row.table, item.row.key): item.revision for item in self.entries}
        if any(last.get((row.table, row.key), 0) != revision for row, revision in revised):
            raise ChangedElsewhereError
        first = len(self.entries) + 1
        made = [Revised(item.row, number) for number, item in enumerate(revised, first)]
        self.entries += made
        return [item.revision for item in made]


class Copy:
    """A node's file, which takes what is in the log when it is told to."""

    def __init__(self, path: Path, log: Log) -> None:
        self.log = log
        self.told: list[frozenset[str]] = []
        self.database = Database(path, SCHEMA)
        self.replica = DatabaseReplica("things", self.database, TABLES, self._changed)

    async def _changed(self, tables: frozenset[str]) -> None:
        self.told.append(tables)

    async def open(self) -> None:
        async def ready() -> None:
            return None

        await self.replica.open(ready, self.log.put)

    async def put(self, name: str, size: int, until_ms: int | None = None) -> None:
        def change(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO things VALUES ('k', ?, ?, ?, ?)",
                (name, size, bytes([size % 256]), until_ms),
            )

        await self.database.write(change)

    async def remove(self, *names: str) -> None:
        def change(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM things WHERE name = ?", [(name,) for name in names])

        await self.database.write(change)

    async def catch_up(self) -> None:
        mark = await self.replica.mark()
        known = 0 if mark is None else mark.revision
        fresh = self.log.entries[known:]
        if fresh:
            await self.replica.apply(fresh, Mark("one", len(self.log.entries), 0))

    async def sizes(self) -> dict[str, int]:
        return {row.key[1]: row.values["size"] for row in await self.replica.rows() if row.values}


async def test_a_change_is_the_same_row_elsewhere_with_its_octets(tmp_path: Path) -> None:
    log = Log()
    one, two = Copy(tmp_path / "one.db", log), Copy(tmp_path / "two.db", log)
    await one.open()
    await two.open()

    await one.put('ä\n"quoted"', 200)
    await two.catch_up()

    assert await two.replica.rows() == await one.replica.rows()
    assert two.told == [frozenset({"things"})]
    assert one.told == []


async def test_of_two_changes_of_one_row_the_second_is_refused_and_not_made(tmp_path: Path) -> None:
    log = Log()
    one, two = Copy(tmp_path / "one.db", log), Copy(tmp_path / "two.db", log)
    await one.open()
    await two.open()
    await one.put("a", 1)

    with pytest.raises(ChangedElsewhereError):
        await two.put("a", 2)

    assert await two.sizes() == {}
    await two.catch_up()
    await two.put("a", 3)
    await one.catch_up()
    assert await one.sizes() == await two.sizes() == {"a": 3}


async def test_who_cannot_tell_the_others_changes_nothing_and_reads_on(tmp_path: Path) -> None:
    log = Log()
    one = Copy(tmp_path / "one.db", log)
    await one.open()
    await one.put("a", 1)
    log.is_away = True

    with pytest.raises(UnavailableError):
        await one.remove("a")

    assert await one.sizes() == {"a": 1}
    log.is_away = False
    await one.remove("a")
    assert await one.sizes() == {}


async def test_rows_that_ended_are_removed_without_telling(tmp_path: Path) -> None:
    log = Log()
    one = Copy(tmp_path / "one.db", log)
    await one.open()
    await one.put("past", 1, until_ms=1)
    await one.put("now", 1)
    told = len(log.entries)

    await one.remove("past")
    assert len(log.entries) == told
    await one.remove("now")
    assert log.entries[-1].row == Row("things", ("k", "now"), None)


async def test_what_changes_before_there_are_others_is_nobodys_business(tmp_path: Path) -> None:
    log = Log()
    one = Copy(tmp_path / "one.db", log)
    await one.put("a", 1)
    await one.open()
    await one.replica.close()
    await one.put("b", 1)

    assert log.entries == []


async def test_who_joins_has_the_rows_of_the_others_and_is_told_what_it_lost(
    tmp_path: Path,
) -> None:
    log = Log()
    one, two = Copy(tmp_path / "one.db", log), Copy(tmp_path / "two.db", log)
    for name, size in (("same", 1), ("other", 2), ("own", 3)):
        await two.put(name, size)
    await one.open()
    for name, size in (("same", 1), ("other", 9), ("new", 4)):
        await one.put(name, size)
    await two.open()

    lost = await two.replica.replace(log.entries, Mark("one", len(log.entries), 0))

    assert lost == {"things": 2}
    assert await two.sizes() == {"same": 1, "other": 9, "new": 4}
    await two.put("other", 10)
    await one.catch_up()
    assert (await one.sizes())["other"] == 10


_STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["put", "remove", "catch_up"]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 5),
    ),
    max_size=40,
)


@given(_STEPS)
@settings(max_examples=25, deadline=None)
def test_whatever_they_do_they_end_with_the_same_and_no_change_that_held_is_lost(
    steps: list[tuple[int, str, str, int]],
) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[int, str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Log()
        copies = [Copy(Path(folder) / f"{number}.db", log) for number in range(3)]
        for copy in copies:
            await copy.open()
        wanted: dict[str, int] = {}
        for number, verb, name, size in steps:
            copy = copies[number]
            try:
                if verb == "put":
                    await copy.put(name, size)
                    wanted[name] = size
                elif verb == "remove":
                    had = name in await copy.sizes()
                    await copy.remove(name)
                    if had:
                        wanted.pop(name, None)
                else:
                    await copy.catch_up()
            except ChangedElsewhereError:
                continue
        for copy in copies:
            await copy.catch_up()
            assert await copy.sizes() == wanted
            copy.database.close()
