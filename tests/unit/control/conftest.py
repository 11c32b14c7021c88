"""A control plane in this process, with its first administrator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.control import World, control_world
from rookery.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock) -> AsyncIterator[World]:
    async with control_world(tmp_path, clock=clock) as world:
        yield world


@pytest.fixture
async def admin(world: World) -> str:
    """The token of the first administrator."""
    return await world.set_up()
