"""The quota of connections: what may be given, to whom, and what agents report about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from harness.adoption import Project, changes, project
from harness.agents import PlayedAgent, Registered, register
from harness.control import World, control_world
from rookery.contracts.agent_v1 import Channel, ClusterFacts, ClusterNode, Command, CommandState

ABLE = ("commands",)
NODES = (ClusterNode("rookery@10.0.0.1", version="1.0"),)


class Played:
    """A cluster that a test plays, with its agent."""

    def __init__(self, of: Project, cluster: str, agent: PlayedAgent) -> None:
        self.of = of
        self.id = cluster
        self.agent = agent

    async def report(self, connections: int, setting: int | None, *, settable: bool = True) -> None:
        facts = ClusterFacts(
            version="1.0",
            connections=connections,
            connection_limit=setting,
            limit_is_settable=settable,
            limit_setting=setting,
        )
        await asyncio.to_thread(self.agent.report, 1, cluster_nodes=NODES, facts=facts)

    async def hear(self) -> Command:
        return await asyncio.to_thread(self.agent.hear, Command)

    async def say(self, command: Command, state: str, **more: Any) -> None:
        said = CommandState(command.id, state, 1, **more)
        await asyncio.to_thread(self.agent.say, Channel.EVENT, said)

    async def quota(self) -> Any:
        return await self.of.ask("GET", f"/{self.id}/quota")

    async def reaches(self, state: str) -> Any:
        """Wait until its limit stands so."""
        async with changes(self.of) as told:
            found = await self.quota()
            while found["state"] != state:
                await told.until("cluster", lambda row: row["id"] == self.id)
                found = await self.quota()
        return found

    async def put(self, limit: int | None, confirmation: str = "") -> tuple[int, str]:
        answer = await self.of.asker.ask(
            "PUT",
            f"{self.of.path}/{self.id}/quota",
            {"limit": limit, "confirmation": confirmation},
            token=self.of.token,
        )
        return answer.status, "" if answer.status == 200 else answer.json["message"]


class Plant:
    """A control plane and those who play clusters of it."""

    def __init__(self, world: World, of: Project) -> None:
        self.world = world
        self.of = of
        self.agents: list[PlayedAgent] = []

    async def adopted(self, name: str) -> Played:
        entry = await self.of.ask("POST", "", {"name": name})
        token = await self.of.ask("POST", f"/{entry['id']}/registration-token", {})
        known: Registered = await register(self.world, token["token"])
        agent = PlayedAgent(self.world, known).__enter__()
        self.agents.append(agent)
        await asyncio.to_thread(agent.come, ABLE)
        return Played(self.of, entry["id"], agent)

    async def with_limit(self, name: str, connections: int, limit: int) -> Played:
        """A cluster whose limit is in force."""
        found = await self.adopted(name)
        await found.report(0, None)
        await found.say(await found.hear(), "succeeded")
        await found.reaches("inForce")
        if limit != 10:
            assert (await found.put(limit))[0] == 200
            await found.say(await found.hear(), "succeeded")
            await found.reaches("inForce")
        await found.report(connections, limit)
        async with changes(self.of) as told:
            if (await found.quota())["connections"] != connections:
                await told.until("cluster", lambda row: row["connections"] == connections)
        return found

    async def settings(self, **given: Any) -> tuple[int, str]:
        answer = await self.world.ask("PUT", "/configuration/quota", given, token=self.of.token)
        return answer.status, "" if answer.status == 204 else answer.json["message"]

    async def pool(self) -> Any:
        return (await self.world.ask("GET", "/quota", token=self.of.token)).json


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, str]]:
    async with control_world(tmp_path_factory.mktemp("control")) as world:
        yield world, await world.set_up()


@pytest_asyncio.fixture(loop_scope="module")
async def plant(
    signed_in: tuple[World, str], request: pytest.FixtureRequest
) -> AsyncIterator[Plant]:
    """A project whose clusters alone have a share of the quota."""
    world, admin = signed_in
    made = Plant(world, await project(world, admin, request.node.name[:60]))
    await made.settings()
    try:
        yield made
    finally:
        for agent in made.agents:
            agent.__exit__()
        for row in (await made.of.ask("GET"))["items"]:
            await made.of.ask("DELETE", f"/{row['id']}?force=true", {"name": row["name"]})


async def test_a_newly_adopted_cluster_is_given_ten(plant: Plant) -> None:
    cluster = await plant.adopted("a")
    assert (await cluster.quota())["state"] == "waiting"
    await cluster.report(3, None)
    sent = await cluster.hear()
    assert (sent.kind, sent.arguments["limit"]) == ("quota.set", "10")
    assert sent.arguments["manager_url"] == "https://127.0.0.1:8082"
    assert (await cluster.reaches("applying"))["limit"] == 10
    await cluster.say(sent, "succeeded")
    found = await cluster.reaches("inForce")
    assert (found["limit"], found["proposed"], found["connections"]) == (10, 10, 3)
    assert (await plant.pool())["used"] == 10


async def test_nobody_is_locked_out_by_what_nobody_decided(plant: Plant) -> None:
    cluster = await plant.adopted("a")
    await cluster.report(40, None)
    found = await cluster.reaches("undecided")
    assert (found["limit"], found["proposed"]) == (None, 48)
    status, said = await cluster.put(39)
    assert status == 400
    assert "40 clients are connected" in said
    assert (await cluster.put(39, "b"))[0] == 400
    assert (await cluster.put(39, "a"))[0] == 200
    assert (await cluster.hear()).arguments["limit"] == "39"


async def test_what_is_left_bounds_what_can_be_given(plant: Plant) -> None:
    await plant.settings(total=100, perCluster=70, initial=10)
    first = await plant.with_limit("a", 5, 60)
    second = await plant.with_limit("b", 5, 10)
    pool = await plant.pool()
    assert (pool["total"], pool["used"], pool["left"]) == (100, 70, 30)
    status, said = await second.put(41)
    assert (status, "40 are left" in said) == (400, True), said
    status, said = await second.put(71)
    assert (status, "at most 70" in said) == (400, True), said
    assert (await second.put(40))[0] == 200
    assert (await plant.pool())["left"] == 0
    # What is given out cannot be taken away by the settings.
    status, said = await plant.settings(total=99, perCluster=70)
    assert (status, "100 connections together" in said) == (400, True), said
    assert (await plant.settings(total=100, perCluster=59))[0] == 400
    assert (await plant.settings(total=100, perCluster=101))[0] == 400
    # Nothing is left for another one.
    third = await plant.adopted("c")
    await third.report(0, None)
    assert (await third.reaches("noneLeft"))["limit"] is None
    # Deleting by force gives it back at once.
    await plant.of.ask("DELETE", f"/{first.id}?force=true", {"name": "a"})
    assert (await plant.pool())["left"] == 60
    # So does unregistering.
    await plant.of.ask("POST", f"/{second.id}/unregister")
    assert (await plant.pool())["left"] == 100
    assert (await third.put(20))[0] == 200
    rows = (await plant.world.ask("GET", "/quota/clusters?sort=limit", token=plant.of.token)).json
    assert [(row["clusterName"], row["limit"]) for row in rows["items"]] == [("c", 20)]


async def test_a_limit_that_is_changed_at_the_cluster_is_set_again(plant: Plant) -> None:
    cluster = await plant.with_limit("a", 5, 30)
    await cluster.report(5, 500)
    again = await cluster.hear()
    assert again.arguments["limit"] == "30"
    # What it reports while it is told means nothing.
    await cluster.report(5, 500)
    await cluster.say(again, "succeeded")
    await cluster.reaches("inForce")
    await cluster.report(5, 30)
    path = f"/{cluster.id}/commands?kind=quota.set"
    assert (await plant.of.ask("GET", path))["total"] == 3  # 10, 30, and once more
    audited = await plant.world.ask("GET", "/audit?operation=reassertQuota", token=plant.of.token)
    (row,) = audited.json["items"]
    assert (row["before"], row["after"]) == ({"limit": 500}, {"limit": 30})
    assert row["operatorName"] == "control plane"


async def test_a_licence_that_does_not_permit_it(plant: Plant) -> None:
    cluster = await plant.adopted("a")
    await cluster.report(3, 25, settable=False)
    found = await cluster.reaches("notPermitted")
    assert found["text"] == "Not permitted by this cluster's licence"
    status, said = await cluster.put(20)
    assert (status, "not permitted by this cluster's licence" in said) == (409, True)
    assert (await plant.pool())["used"] == 0


async def test_a_cluster_that_refuses_gives_its_share_back(plant: Plant) -> None:
    cluster = await plant.adopted("a")
    await cluster.report(3, None)
    await cluster.say(await cluster.hear(), "failed", code="NOT_PERMITTED", text="no")
    await cluster.reaches("notPermitted")
    assert (await plant.pool())["used"] == 0


async def test_a_limit_is_left_to_the_cluster_again(plant: Plant) -> None:
    cluster = await plant.with_limit("a", 5, 30)
    assert (await cluster.put(None))[0] == 200
    released = await cluster.hear()
    assert released.kind == "quota.release"
    await cluster.say(released, "succeeded")
    await cluster.report(5, 500)
    found = await cluster.reaches("unmanaged")
    assert found["limit"] is None
    assert (await plant.pool())["used"] == 0
    refused = await plant.of.problem("PUT", f"/{cluster.id}/quota", {"limit": 0})
    assert refused == (400, "BAD_REQUEST")


async def test_before_there_is_an_agent_there_is_no_limit(plant: Plant) -> None:
    entry = await plant.of.ask("POST", "", {"name": "a"})
    refused = await plant.of.problem("PUT", f"/{entry['id']}/quota", {"limit": 20})
    assert refused == (409, "CONFLICT")
    assert (await plant.of.ask("GET", f"/{entry['id']}/quota"))["state"] == "waiting"


@pytest.mark.parametrize("given", [{"total": -1}, {"initial": 0}, {"name": ""}, {"other": 1}])
async def test_settings_that_make_no_sense(plant: Plant, given: dict[str, Any]) -> None:
    assert (await plant.settings(**given))[0] == 400
