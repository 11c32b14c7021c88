"""Network, disk and database fail one after the other: no command is lost, none is done twice, and the
state that is shown is true again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.adoption import Told, changes
from harness.faults import Plant, faulty_plant

pytestmark = pytest.mark.slow

UNAVAILABLE = 503


async def test_faults_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    async with faulty_plant(tmp_path, report_s=1) as plant:
        async with changes(plant.of) as told:
            await until(plant, told, 10)
            await a_network_that_is_cut(plant, told)
            await a_network_that_breaks(plant, told)
            await a_database_that_is_locked(plant, told)
            await a_disk_that_is_full(plant, told)
        plant.control.kill()
        await asyncio.to_thread(plant.control.start)
        async with changes(plant.of) as told:
            # What was accepted before is not done again.
            before = plant.changes
            assert (await plant.row())["state"] == "running"
            assert await plant.ask_for(50_000) < 300
            await until(plant, told, 50_000)
            assert plant.changes == before + 1


async def until(plant: Plant, told: Told, limit: int) -> None:
    """Wait until the limit is in force and the cluster runs; the stream says when to look again."""
    while not (await plant.is_in_force(limit) and (await plant.row())["state"] == "running"):
        await told.until("cluster", lambda _row: True)


async def state(told: Told, is_it: Callable[[Any], object]) -> Any:
    return await told.until("cluster", is_it)


async def a_network_that_is_cut(plant: Plant, told: Told) -> None:
    before = plant.changes
    plant.cut()
    # One is sent into the line that nobody knows to be cut, and takes the place of none.
    assert await plant.ask_for(20) < 300
    row = await state(told, lambda row: row["state"] == "abnormal")
    reasons = {condition["type"] for condition in row["conditions"]}
    assert reasons & {"AgentLost", "ReportsMissing"}
    assert (await plant.quota())["state"] == "applying"
    plant.mend()
    await until(plant, told, 20)
    assert plant.changes == before + 1


async def a_network_that_breaks(plant: Plant, told: Told) -> None:
    before = plant.changes
    for line in plant.lines:
        await line.cut()
    await state(told, lambda row: row["presence"] == "offline")
    assert await plant.ask_for(24) < 300
    assert await plant.ask_for(25) < 300
    for line in plant.lines:
        await line.mend()
    await until(plant, told, 25)
    # Of two that waited the newer one holds; the other one was replaced.
    assert plant.changes == before + 1
    done = await plant.of.ask("GET", f"/{plant.cluster}/commands?order=desc&size=2")
    assert [one["state"] for one in done["items"]] == ["succeeded", "cancelled"]


async def a_database_that_is_locked(plant: Plant, told: Told) -> None:
    before = plant.changes
    with plant.locked_database():
        asked = asyncio.create_task(plant.ask_for(30))
        # Who looks is answered meanwhile.
        assert (await plant.row())["state"] == "running"
    assert await asked < 300
    await until(plant, told, 30)
    assert plant.changes == before + 1


async def a_disk_that_is_full(plant: Plant, told: Told) -> None:
    before = plant.changes
    accepted = 30
    with plant.full_disk():
        # The database writes over what it wrote before, which needs no room, for a while.
        while (status := await plant.ask_for(accepted + 1)) < 300:
            accepted += 1
        assert status == UNAVAILABLE
        assert (await plant.row())["state"] == "running"
        assert (await plant.quota())["limit"] == accepted
    # What was refused is not done later; what is asked for now is.
    assert await plant.ask_for(accepted + 5) < 300
    await until(plant, told, accepted + 5)
    assert before < plant.changes <= before + accepted - 30 + 1
