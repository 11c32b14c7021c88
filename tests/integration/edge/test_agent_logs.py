"""What the log of an edge service says is found among the logs of its project, as long as it is managed there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from harness.adoption import Project
from harness.control import World, control_world
from harness.edge import EdgeWorld, edge_world
from harness.edge_agents import dial, until, until_status
from harness.logs import following, logs, path_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECEIVER = "/configuration/log-receiver"
BUILTIN = {
    "isEnabled": True,
    "level": "debug",
    "retentionDays": 7,
    "retentionBytes": 1 << 30,
    "store": "builtin",
}
_log = logging.getLogger("rookery.edge.test")


class Site(NamedTuple):
    world: World
    edge: EdgeWorld
    token: str
    of: Project

    async def adopted(self, name: str) -> str:
        async def waiting() -> dict[str, Any] | None:
            answer = await self.world.ask("GET", "/edgeagents?state=pending", token=self.of.token)
            rows: list[dict[str, Any]] = answer.json["items"]
            return rows[0] if rows else None

        agent = await until(waiting)
        given = {"name": name, "orgId": self.of.org, "projectId": self.of.id}
        path = f"/edgeagents/{agent['id']}/adopt"
        made = await self.world.ask("POST", path, given, token=self.of.token)
        assert made.status == 201, made.text
        await until_status(self.edge, self.token, "connected", managed=True)
        return str(made.json["id"])

    async def let_go(self, service: str) -> None:
        path = f"/orgs/{self.of.org}/projects/{self.of.id}/edgeservices/{service}/unadopt"
        answer = await self.world.ask("POST", path, token=self.of.token)
        assert answer.status == 204, answer.text
        await until_status(self.edge, self.token, "connected", managed=False)

    async def found(self, **query: Any) -> list[dict[str, Any]]:
        async def any_() -> list[dict[str, Any]] | None:
            return await logs(self.of, **query) or None

        return await until(any_)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("logs")
    async with control_world(folder / "control") as world:
        admin = await world.set_up()
        on = await world.ask("PUT", RECEIVER, BUILTIN, token=admin)
        assert on.status < 300, on.text
        org = await world.make(admin, "/orgs", {"name": "Factory"})
        project = await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant"})
        async with edge_world(folder / "edge") as edge:
            token = await edge.first_visit()
            await dial(edge, token, world)
            yield Site(world, edge, token, Project(world, admin, org, project))


async def test_lines_are_found_once_with_their_level_and_node(site: Site) -> None:
    _log.warning("before anybody adopted it")
    service = await site.adopted("hall-3")
    # Devices write under their own names.
    logging.getLogger("rookery.edge.node.press").error("the press answers nothing 压机")
    [row] = await site.found(text="压机", cluster=service)
    assert (row["level"], row["logger"], row["clusterName"], row["file"]) == (
        "error", "press", "hall-3", "edge.log",
    )  # fmt: skip
    assert row["raw"].endswith("[error] press: the press answers nothing 压机")
    assert await logs(site.of, text="before anybody adopted") == []
    for number in range(1200):
        _log.warning("line %d of many", number)
    await site.found(text='"line 1199 of many"')
    counts = [len(await logs(site.of, text=f'"line {n} of many"')) for n in (0, 500, 1199)]
    assert counts == [1, 1, 1]
    sources = await site.world.ask("GET", path_of(site.of, "/sources"), token=site.of.token)
    [shown] = sources.json["clusters"]
    assert (shown["clusterId"], shown["sources"][0]["file"]) == (service, "edge.log")
    await site.let_go(service)


async def test_they_are_followed_live_and_end_with_the_adoption(site: Site) -> None:
    service = await site.adopted("hall-4")
    async with following(site.of, text="as it happens") as told:
        _log.warning("it is seen as it happens")
        row = await told.until("record", lambda one: one["clusterId"] == service)
        assert row["level"] == "warning"
    await site.let_go(service)
    _log.warning("nobody of that project reads this")
    again = await site.adopted("hall-5")
    _log.warning("read again")
    await site.found(text="read again", cluster=again)
    assert await logs(site.of, text="nobody of that project") == []
    await site.let_go(again)


async def test_what_is_not_wanted_waits_at_the_edge(site: Site) -> None:
    service = await site.adopted("hall-6")
    intake = site.world.control.logs.intake
    off = await site.world.ask(
        "PUT", RECEIVER, {**BUILTIN, "isEnabled": False}, token=site.of.token
    )
    assert off.status < 300, off.text
    before = intake.counters["logs.batches"]
    _log.warning("written while nobody collects")

    async def refused() -> bool | None:
        return True if intake.counters["logs.batches"] > before else None

    await until(refused)
    on = await site.world.ask("PUT", RECEIVER, BUILTIN, token=site.of.token)
    assert on.status < 300, on.text
    # A new connection asks at once; else it is asked again within a minute.
    await dial(site.edge, site.token, site.world, description="again")
    await asyncio.wait_for(site.found(text="written while nobody"), 60)
    await site.let_go(service)
