"""A control plane for all tests of a module, and a project of its own for each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.adoption import project
from harness.alarms import Ward
from harness.control import World, control_world
from rookery.clock import ManualClock
from rookery.storage.ids import new_id


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hospital(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("control")
    sets = ["control.alarms.targets=any"]
    async with control_world(folder, clock=ManualClock(), sets=sets) as world:
        await world.set_up()
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def ward(hospital: World, request: pytest.FixtureRequest) -> Ward:
    # Time passes from test to test: who signed in before may be out by now.
    token = await hospital.sign_in()
    return Ward(hospital, await project(hospital, token, f"{request.node.name[:40]} {new_id()}"))
