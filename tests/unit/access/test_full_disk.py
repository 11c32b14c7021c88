"""What is kept about access on a disk without room: it is read as before, and changed when there is room."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.client import DEADLINE_S
from rookery.access.database import Database
from rookery.access.passwords.algorithms import Credential
from rookery.access.users.models import User
from rookery.access.users.store import UserStore
from rookery.broker.access import unchangeable
from rookery.broker.access.unchangeable import ALARM, UnchangeableAlarm
from rookery.broker.alarms import AlarmRegistry
from rookery.clock import ManualClock
from rookery.errors import StartError, UnavailableError

ANN = User(user_id="ann", credential=Credential(password_hash="h"))
BOB = User(user_id="bob", credential=Credential(password_hash="h"))


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file gets longer, and none is made that holds anything."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A file with one user, as a graceful stop leaves it."""
    database = Database(tmp_path / "access.db")
    await UserStore(database).insert(ANN)
    database.close()
    return database.path


async def test_users_are_read_without_room_and_changed_when_there_is_some(path: Path) -> None:
    with full_disk():
        database = Database(path)
        users = UserStore(database)
        assert await users.get("username", "ann") == ANN
        assert (database.health.state, str(path) in str(database.health.reason)) == (
            "disconnected",
            True,
        )
        with pytest.raises(UnavailableError, match=str(path)):
            await users.insert(BOB)
        assert await users.known("username", ["ann", "bob"]) == {"ann"}

    assert await users.insert(BOB)
    assert database.health.state == "connected"
    database.close()
    database.close()
    again = Database(path)
    assert await UserStore(again).known("username", ["ann", "bob"]) == {"ann", "bob"}
    again.close()


async def test_room_that_ends_while_the_file_is_open_is_noticed_with_the_next_change(
    path: Path,
) -> None:
    database = Database(path)
    users = UserStore(database)
    states = [database.health.state]
    assert await users.insert(BOB)
    with full_disk(), pytest.raises(UnavailableError):
        await users.delete("username", "bob")
    states.append(database.health.state)
    assert await users.known("username", ["bob"]) == {"bob"}
    await database.try_to_change()
    states.append(database.health.state)
    assert states == ["connecting", "disconnected", "connected"]
    database.close()


def test_without_any_file_and_room_nothing_can_be_kept(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(StartError, match=r"access\.db"):
        Database(tmp_path / "access.db")


async def test_an_alarm_stands_until_there_is_room(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchangeable, "RETRY_S", 0.01)
    alarms = AlarmRegistry(
        ManualClock(), actions=(), size_limit=50, validity_period_s=60, publish=lambda *_: None
    )
    alarm = UnchangeableAlarm(alarms)
    with full_disk():
        database = Database(path)
        alarm.watch(database)
        (active,) = alarms.active()
        assert active.name == ALARM
        assert str(path) in active.message
        with pytest.raises(UnavailableError):
            await database.try_to_change()
        assert [found.name for found in alarms.active()] == [ALARM]

    async with asyncio.timeout(DEADLINE_S):
        while alarms.active():
            await asyncio.sleep(0.01)
    with full_disk(), pytest.raises(UnavailableError):
        await database.try_to_change()
    assert [found.name for found in alarms.active()] == [ALARM]
    await alarm.close()
    await alarm.close()
    database.close()
