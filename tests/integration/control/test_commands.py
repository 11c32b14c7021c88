"""Durable commands: whatever gets lost on the way, each is known to the end and done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from harness.adoption import Project, changes, project
from harness.agents import PlayedAgent, Registered, register
from harness.control import PASSWORD, World, control_world
from rookery.contracts.agent_v1 import Channel, Command, CommandState, Desired, Reported

ABLE = ("commands",)
STOP = {"kind": "rule.stop", "objectId": "r1"}


class Plant(NamedTuple):
    world: World
    of: Project
    cluster: str
    agent: Registered


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, str]]:
    async with control_world(tmp_path_factory.mktemp("control")) as world:
        yield world, await world.set_up()


@pytest_asyncio.fixture(loop_scope="module")
async def plant(signed_in: tuple[World, str], request: pytest.FixtureRequest) -> Plant:
    """A cluster whose agent has registered and is away, in a project of its own."""
    world, admin = signed_in
    return await another(world, await project(world, admin, request.node.name[:60]), "a")


async def another(world: World, of: Project, name: str) -> Plant:
    entry = await of.ask("POST", "", {"name": name})
    token = await of.ask("POST", f"/{entry['id']}/registration-token", {})
    return Plant(world, of, entry["id"], await register(world, token["token"]))


async def ask(plant: Plant, body: dict[str, Any] | None = None) -> str:
    made = await plant.of.ask("POST", f"/{plant.cluster}/commands", body or STOP)
    found: str = made["id"]
    return found


async def command(plant: Plant, command_id: str) -> Any:
    return await plant.of.ask("GET", f"/{plant.cluster}/commands/{command_id}")


async def reaches(plant: Plant, command_id: str, state: str) -> Any:
    """Wait until a command is in that state, as a page does: it asks when the stream says so."""
    async with changes(plant.of) as told:
        found = await command(plant, command_id)
        while found["state"] != state:
            await told.until("cluster", lambda row: row["id"] == plant.cluster)
            found = await command(plant, command_id)
    return found


def say(agent: PlayedAgent, command_id: str, state: str, **more: Any) -> None:
    agent.say(Channel.EVENT, CommandState(command_id, state, 1, **more))


async def come(agent: PlayedAgent) -> None:
    await asyncio.to_thread(agent.come, ABLE)


async def hear(agent: PlayedAgent) -> Command:
    return await asyncio.to_thread(agent.hear, Command)


async def test_a_command_waits_for_its_agent_and_every_step_is_seen(plant: Plant) -> None:
    made = await ask(plant)
    assert (await command(plant, made))["state"] == "queued"
    with PlayedAgent(plant.world, plant.agent) as agent:
        await come(agent)
        sent = await hear(agent)
        assert (sent.id, sent.kind, dict(sent.arguments)) == (made, "rule.stop", {"id": "r1"})
        assert (await reaches(plant, made, "sent"))["attempts"] == 1
        await asyncio.to_thread(say, agent, made, "acknowledged")
        await reaches(plant, made, "acknowledged")
        await asyncio.to_thread(say, agent, made, "running")
        await reaches(plant, made, "running")
        refused = await plant.of.problem("POST", f"/{plant.cluster}/commands/{made}/cancel")
        assert refused == (409, "CONFLICT")
        await asyncio.to_thread(say, agent, made, "succeeded", code="ALREADY")
        found = await reaches(plant, made, "succeeded")
    assert found["text"] == "Nothing had to be changed"
    assert found["finishedAt"] is not None
    rows = await plant.of.asker.ask("GET", "/audit?operation=command", token=plant.of.token)
    assert made in rows.text


async def test_a_command_is_sent_again_over_a_new_connection_and_the_next_waits(
    plant: Plant,
) -> None:
    first = await ask(plant)
    second = await ask(plant, {"kind": "connector.stop", "objectId": "http:c1"})
    with PlayedAgent(plant.world, plant.agent) as agent:
        await come(agent)
        assert (await hear(agent)).id == first
    # The result, if there was one, was lost with the connection.
    with PlayedAgent(plant.world, plant.agent) as agent:
        await come(agent)
        sent = await hear(agent)
        assert (sent.id, sent.attempt) == (first, 2)
        await asyncio.to_thread(say, agent, first, "succeeded")
        assert (await hear(agent)).id == second
        await asyncio.to_thread(say, agent, second, "failed", code="NOT_FOUND")
        assert (await reaches(plant, second, "failed"))["text"] == "It is not at the cluster"


async def test_control_dies_and_the_result_is_asked_for_again(tmp_path: Path) -> None:
    async with control_world(tmp_path) as world:
        of = await project(world, await world.set_up())
        plant = await another(world, of, "a")
        made = await ask(plant)
        with PlayedAgent(world, plant.agent) as agent:
            await come(agent)
            await hear(agent)
    async with control_world(tmp_path) as world:
        of = Project(world, await world.sign_in(), of.org, of.id)
        plant = Plant(world, of, plant.cluster, plant.agent)
        with PlayedAgent(world, plant.agent) as agent:
            await come(agent)
            assert (await hear(agent)).id == made
            await asyncio.to_thread(say, agent, made, "succeeded", code="DONE")
            await reaches(plant, made, "succeeded")


async def test_what_did_not_work_yet_is_said_and_waits(plant: Plant) -> None:
    made = await ask(plant)
    with PlayedAgent(plant.world, plant.agent) as agent:
        await come(agent)
        await hear(agent)
        await asyncio.to_thread(say, agent, made, "retry", code="UNREACHABLE", text="refused")
        found = await reaches(plant, made, "queued")
        assert found["text"] == "The agent cannot reach the cluster: refused"
        assert found["nextAttemptAt"] is not None
        # It can be taken back now, and is not sent any more.
        await plant.of.ask("POST", f"/{plant.cluster}/commands/{made}/cancel")
        after = await ask(plant, {"kind": "rule.stop", "objectId": "r2"})
        assert (await hear(agent)).id == after


async def test_a_newer_one_about_the_same_takes_the_place_of_one_that_waits(plant: Plant) -> None:
    first = await ask(plant)
    other = await ask(plant, {"kind": "rule.stop", "objectId": "r2"})
    second = await ask(plant, {"kind": "rule.start", "objectId": "r1"})
    states = [(await command(plant, each))["state"] for each in (first, other, second)]
    assert states == ["cancelled", "queued", "queued"]
    assert (await command(plant, first))["text"] == "A newer command took its place"
    path = f"/{plant.cluster}/commands"
    assert (await plant.of.ask("GET", f"{path}?state=queued"))["total"] == 2
    assert (await plant.of.ask("GET", f"{path}?kind=rule.start"))["items"][0]["id"] == second
    newest = await plant.of.ask("GET", f"{path}?order=desc&size=1")
    assert (newest["items"][0]["id"], newest["total"]) == (second, 3)


async def test_an_agent_that_knows_no_commands_is_told_of(plant: Plant) -> None:
    made = await ask(plant)
    with PlayedAgent(plant.world, plant.agent) as agent:
        async with changes(plant.of) as told:
            await asyncio.to_thread(agent.come)
            await told.until("cluster", lambda row: row["presence"] == "online")
            while (found := await command(plant, made))["code"] != "OLD_AGENT":
                await told.until("cluster", lambda _row: True)
    assert found["state"] == "queued"


async def test_nobody_can_speak_for_another_agent(plant: Plant) -> None:
    made = await ask(plant)
    other = await another(plant.world, plant.of, "b")
    mine = await ask(other)
    with PlayedAgent(plant.world, other.agent) as stranger:
        await come(stranger)
        assert (await hear(stranger)).id == mine
        await asyncio.to_thread(say, stranger, made, "succeeded")
        await asyncio.to_thread(say, stranger, mine, "succeeded")
        await reaches(other, mine, "succeeded")
    assert (await command(plant, made))["state"] == "queued"


async def test_an_agent_that_is_let_go_ends_its_commands_and_says_that_it_knows(
    plant: Plant,
) -> None:
    made = await ask(plant)
    await plant.of.ask("POST", f"/{plant.cluster}/unregister")
    found = await command(plant, made)
    assert (found["state"], found["code"]) == ("cancelled", "AGENT_REMOVED")
    removal = (await plant.of.ask("GET", f"/{plant.cluster}/commands?kind=unregister"))["items"][0]
    assert removal["state"] == "queued"
    refused = await plant.of.problem("POST", f"/{plant.cluster}/commands/{removal['id']}/cancel")
    assert refused == (409, "CONFLICT")
    with PlayedAgent(plant.world, plant.agent) as agent:
        await come(agent)
        wanted = await asyncio.to_thread(agent.hear, Desired)
        assert wanted.unregister
        await asyncio.to_thread(agent.say, Channel.REPORTED, Reported(wanted.version))
        found = await reaches(plant, removal["id"], "succeeded")
    assert found["text"] == "The agent let the cluster go"


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "quota.set", "objectId": "x"},
        {"kind": "shell.run", "objectId": "x"},
        {"kind": "rule.stop", "objectId": "../../api_key"},
        {"kind": "rule.stop"},
        {"kind": "rule.stop", "objectId": "x", "ttlS": 1},
        {"kind": "rule.stop", "objectId": "x", "path": "/"},
    ],
)
async def test_nothing_can_be_asked_for_but_what_is_listed(
    plant: Plant, body: dict[str, Any]
) -> None:
    refused = await plant.of.problem("POST", f"/{plant.cluster}/commands", body)
    assert refused == (400, "BAD_REQUEST")


async def test_who_may_only_look_commands_nothing(plant: Plant) -> None:
    made = await ask(plant)
    world, admin = plant.world, plant.of.token
    guest = {"email": "guest@example.com", "password": PASSWORD, "role": "viewer"}
    user = await world.make(admin, f"/orgs/{plant.of.org}/members", guest)
    members = f"/orgs/{plant.of.org}/projects/{plant.of.id}/members"
    await world.make(admin, members, {"userId": user, "role": "viewer"})
    token = await world.sign_in("guest@example.com", PASSWORD)
    viewer = Project(world, token, plant.of.org, plant.of.id)
    path = f"/{plant.cluster}/commands"
    assert (await viewer.ask("GET", path))["total"] == 1
    assert await viewer.problem("POST", path, STOP) == (403, "FORBIDDEN")
    assert await viewer.problem("POST", f"{path}/{made}/cancel") == (403, "FORBIDDEN")
    assert await viewer.problem("PUT", f"/{plant.cluster}/quota", {"limit": 5}) == (
        403,
        "FORBIDDEN",
    )
