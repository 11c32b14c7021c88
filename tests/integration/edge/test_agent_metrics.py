"""What edge services report is counted, and kept over time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from harness.agents import Registered
from harness.control import World, control_world
from harness.edge_agents import enrolled
from rookery.clock import ManualClock
from rookery.contracts.agent_edge import EdgeReport, NodeCounts
from rookery.control.clusters.intake import Heard
from rookery.control.clusters.state import Presence

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIGURES = {
    "tag_reads_total": 900.0,
    "tag_reads_total_rate": 10.0,
    "send_msgs_total_rate": 2.0,
    "tags.in_use": 30.0,
    "rules.total": 1.0,
    "rules.running": 1.0,
    "rules.in": 500.0,
    "rules.in_rate": 4.5,
    "rules.out": 50.0,
    "rules.out_rate": 0.5,
}


class Place(NamedTuple):
    world: World
    clock: ManualClock
    path: str
    project: str
    org: str

    async def ask(self, path: str, status: int = 200) -> Any:
        # Time passes quickly here, and sign-ins end by it.
        token = await self.world.sign_in()
        answer = await self.world.ask("GET", f"{self.path}{path}", token=token)
        assert answer.status == status, answer.text
        return answer.json

    async def adopted(self, name: str) -> tuple[Registered, str]:
        agent = await asyncio.to_thread(lambda: enrolled(self.world))
        given = {"name": name, "orgId": self.org, "projectId": self.project}
        token = await self.world.sign_in()
        made = await self.world.ask("POST", f"/edgeagents/{agent.id}/adopt", given, token=token)
        assert made.status == 201, made.text
        return agent, made.json["id"]

    async def report(self, agent: Registered, **said: Any) -> None:
        """What the relay hands over is written, as it would be."""
        now_ms = self.clock.now_ms()
        given = {"tags": 40, "drivers": NodeCounts(2, 2, 1), "figures": FIGURES, **said}
        report = EdgeReport("9", now_ms, **given)
        heard = Heard(report, now_ms, Presence.ONLINE, now_ms)
        assert await self.world.control.edges.standings.write({agent.id: heard})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    clock = ManualClock()
    async with control_world(tmp_path_factory.mktemp("metrics"), clock=clock) as world:
        admin = await world.set_up()
        org = await world.make(admin, "/orgs", {"name": "Factory East"})
        project = await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})
        yield Place(world, clock, f"/orgs/{org}/projects/{project}", project, org)


async def test_figures_over_time_are_kept_rolled_up_and_forgotten(place: Place) -> None:
    agent, service = await place.adopted("hall-1")
    other, other_service = await place.adopted("hall-2")
    # On the beat of the points.
    place.clock.advance(600 - place.clock.now_ms() / 1000 % 600)
    for number in range(8):
        await place.report(agent, figures={**FIGURES, "tag_reads_total_rate": float(number)})
        await place.report(other, tags=7)
        place.clock.advance(15)
    path = f"/edgeservices/{service}/metrics"
    found = await place.ask(f"{path}?last=120&step=15&names=reads&names=tags")
    lines = {line["name"]: line for line in found["series"]}
    assert set(lines) == {"reads", "tags"}
    assert (lines["reads"]["unit"], found["stepMs"]) == ("perSecond", 15000)
    assert lines["reads"]["values"] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert set(lines["tags"]["values"]) == {40}
    every = await place.ask(f"{path}?last=120")
    said = {line["name"] for line in every["series"]}
    assert {"streamIn", "streamOut", "tagsInUse", "driversAbnormal", "rulesRunning"} <= said

    keeping = place.world.control.monitoring.edge_metrics.keeping
    place.clock.advance(60)
    await keeping.roll_up()
    by_minute = await place.ask(f"{path}?last=600&step=60&names=reads")
    (line,) = by_minute["series"]
    assert next(value for value in line["values"] if value is not None) == 1.5
    # Those of clusters have marks of their own.
    await place.world.control.monitoring.metrics.keeping.roll_up()
    assert await place.ask(f"{path}?last=600&step=60&names=reads") == by_minute
    place.clock.advance(9 * 86_400)
    await keeping.roll_up()
    assert (await place.ask(f"{path}?last=864000"))["series"] == []
    assert (await place.ask(f"/edgeservices/{other_service}/metrics?last=864000"))["series"] == []


async def test_questions_that_make_no_sense_are_refused(place: Place) -> None:
    _, service = await place.adopted("asked")
    path = f"/edgeservices/{service}/metrics"
    assert (await place.ask(f"{path}?names=liveConnections", 400))["code"] == "BAD_REQUEST"
    backwards = "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"
    assert (await place.ask(f"{path}?{backwards}", 400))["code"] == "BAD_REQUEST"
    missing = await place.ask("/edgeservices/0123456789abcdef/metrics", 404)
    assert missing["code"] == "NOT_FOUND"


async def test_tags_and_streams_are_counted_and_who_is_silent_keeps_what_is_allocated(
    place: Place,
) -> None:
    agent, _ = await place.adopted("counted")
    before = await place.ask("/monitoring/edge")
    await place.report(agent)
    found = await place.ask("/monitoring/edge")
    assert found["tagCounts"] == {
        "allocated": before["tagCounts"]["allocated"] + 40,
        "used": before["tagCounts"]["used"] + 30,
    }
    assert found["drivers"]["connected"] == before["drivers"]["connected"] + 1
    streams, were = found["streams"], before["streams"]
    assert streams["inTotal"] - were["inTotal"] == 500
    assert streams["outTotal"] - were["outTotal"] == 50
    assert streams["inPerSecond"] - were["inPerSecond"] == 4.5
    assert streams["outPerSecond"] - were["outPerSecond"] == 0.5
    place.clock.advance(600)
    silent = await place.ask("/monitoring/edge")
    assert silent["tagCounts"] == {"allocated": found["tagCounts"]["allocated"], "used": 0}
    assert silent["streams"]["inTotal"] == 0
