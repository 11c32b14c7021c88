"""A control plane in this process, with its first administrator."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.control import World, control_world
from rookery.clock import Clock, ManualClock


class Begun(NamedTuple):
    """What lies in the data directory of a control plane that was started, and ended."""

    fresh: Path
    """Nobody has visited it."""
    set_up: Path
    """It has its first administrator."""
    admin: str
    """The token of that one."""


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    """To begin with: making tables and the first administrator would take most of many tests."""
    fresh, set_up = (tmp_path_factory.mktemp(name) / "control" for name in ("fresh", "set-up"))

    async def begin() -> str:
        async with control_world(fresh, clock=ManualClock()):
            pass
        shutil.copytree(fresh, set_up)
        async with control_world(set_up, clock=ManualClock()) as world:
            return await world.set_up()

    with ThreadPoolExecutor(1) as thread:  # here a loop may run
        return Begun(fresh, set_up, thread.submit(asyncio.run, begin()).result())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def world(
    tmp_path: Path, clock: Clock, begun: Begun, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    is_set_up = "admin" in request.fixturenames
    shutil.copytree(begun.set_up if is_set_up else begun.fresh, tmp_path, dirs_exist_ok=True)
    async with control_world(tmp_path, clock=clock) as world:
        yield world


@pytest.fixture
async def admin(world: World, begun: Begun, clock: Clock) -> str:
    """The token of the first administrator."""
    # By another clock its time is over.
    return begun.admin if isinstance(clock, ManualClock) else await world.sign_in()
