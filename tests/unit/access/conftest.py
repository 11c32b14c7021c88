"""What several tests of access control need."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from harness.http_service import HttpServer, http_server
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


@pytest.fixture
async def service() -> AsyncIterator[HttpServer]:
    async with http_server() as server:
        yield server


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, and nobody else gets meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
