"""What several tests of access control need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rookery.access.database import Database
from rookery.access.passwords.pool import HashPool
from rookery.access.users import UserService, UserStore
from rookery.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "access.db")
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> UserStore:
    return UserStore(database)


@pytest.fixture
def pool() -> Iterator[HashPool]:
    made = HashPool(threads=2)
    yield made
    made.close()


@pytest.fixture
def users(store: UserStore, pool: HashPool, clock: ManualClock) -> UserService:
    return UserService(store, pool, clock)
