"""Work that one process at a time does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rookery.clock import SystemClock
from rookery.control.assembly import make  # noqa: F401 - every table is declared by then
from rookery.control.processes.once import Once
from rookery.control.processes.store import LeaseRow, release_lease, take_lease
from rookery.storage.database import Database
from rookery.storage.engine import url_of

FIRST, SECOND = "1" * 16, "2" * 16


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(url_of("", tmp_path / "control.db"))
    await database.open()
    yield database
    await database.close()


async def take(database: Database, holder: str, now_ms: int) -> bool:
    async with database.write() as session:
        return await take_lease(session, "work", holder, now_ms, 30_000)


async def test_a_lease_is_one_processs_until_it_ends(database: Database) -> None:
    assert await take(database, FIRST, 0)
    assert not await take(database, SECOND, 29_000)
    assert await take(database, FIRST, 29_000)
    assert not await take(database, SECOND, 58_000)
    assert await take(database, SECOND, 60_000)
    assert not await take(database, FIRST, 60_001)


async def test_a_lease_that_is_handed_over_is_free_at_once(database: Database) -> None:
    assert await take(database, FIRST, 10_000)
    async with database.write() as session:
        await release_lease(session, "work", SECOND)  # not his to give
    assert not await take(database, SECOND, 10_001)
    async with database.write() as session:
        await release_lease(session, "work", FIRST)
    assert await take(database, SECOND, 10_001)


async def test_who_works_often_extends_its_lease_seldom(database: Database) -> None:
    once = Once(database, SystemClock(), FIRST)
    ends: list[int] = []
    is_enough = asyncio.Event()

    async def work() -> None:
        async with database.read() as session:
            lease = await session.get(LeaseRow, "work")
        assert lease is not None
        assert lease.holder == FIRST
        ends.append(lease.until_at)
        if len(ends) == 5:
            is_enough.set()

    once.every("work", 0.001, work)
    await once.open()
    async with asyncio.timeout(60):
        await is_enough.wait()
    await once.close()
    assert len(set(ends)) == 1
    # It is handed over all the same.
    assert await take(database, SECOND, ends[0] - 1)
