"""Alarms with two control planes side by side on one PostgreSQL: raised once, sent by one of them."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from harness.adoption import Project, project
from harness.alarms import Ward, receiver
from harness.control import control_world
from harness.databases import postgresql_server

pytestmark = pytest.mark.slow
ALARMS = 20


async def test_two_that_look_and_send_raise_and_tell_everything_once(tmp_path: Path) -> None:
    with postgresql_server() as server:
        url = f"postgresql://rookery:it%27s%20secret@{server.address}/postgres"
        sets = [f"control.database={url}", "control.alarms.targets=any"]
        (tmp_path / "b").mkdir(mode=0o700)
        async with control_world(tmp_path / "a", sets=sets) as first, receiver() as hook:
            shutil.copy(tmp_path / "a" / "secrets.key", tmp_path / "b" / "secrets.key")
            async with control_world(tmp_path / "b", sets=sets) as second:
                token = await first.set_up()
                of = await project(first, token)
                here = Ward(first, of)
                there = Ward(second, Project(second, token, of.org, of.id))
                await here.channel(webhook={"url": f"{hook.url}/"})
                await here.rule("nodes.down", triggers=1)
                for number in range(ALARMS):
                    plant = await here.patient(f"plant {number}")
                    await plant.is_ill("NodesDown")
                looks = [world.control.alarms.evaluation.sweep() for world in (first, second) * 2]
                await asyncio.gather(*looks)
                await here.look_now()
                assert await there.kinds() == ["nodes.down"] * ALARMS
                for world in (first, second):
                    world.control.alarms.sender.wake()
                calls = await hook.wait(ALARMS)
                resources = [call.json["data"]["Resource"] for call in calls]
                assert sorted(resources) == sorted(f"plant {number}" for number in range(ALARMS))
                made = await there.ask("POST", "/token")
                await there.settings(isCustomEnabled=True)
                body = {"message": "x", "timestamp": str(int(time.time())), "severity": 0}
                sent = await first.ask(
                    "POST", f"{here.path}/webhook", body,
                    headers={"X-Rookery-Alarm-Token": made["token"]},
                )  # fmt: skip
                assert sent.status == 202
                await hook.wait(ALARMS + 1)
                for work in (
                    second.control.alarms.keeping.push_late,
                    second.control.alarms.keeping.forget,
                ):
                    await work()
                assert await here.kinds("history") == []
