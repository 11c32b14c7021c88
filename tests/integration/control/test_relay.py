"""The relay: who gets in, who may say what, and what follows from what agents say."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from harness.adoption import Project, changes, project
from harness.agents import PlayedAgent, Registered, register
from harness.client import DEADLINE_S
from harness.control import PASSWORD, World, control_world
from harness.packets import Publish
from rookery.contracts.agent_v1 import (
    VIEWER_KEY,
    Channel,
    ClusterFacts,
    ClusterNode,
    Desired,
    Presence,
    Reply,
    Reported,
    Request,
)

NODES = (ClusterNode("rookery@10.0.0.1", version="1.0"),)
FACTS = ClusterFacts(version="1.0", connections=5)


class Plant(NamedTuple):
    world: World
    of: Project


@pytest_asyncio.fixture
async def plant(tmp_path: Path) -> AsyncIterator[Plant]:
    async with control_world(tmp_path) as world:
        yield Plant(world, await project(world, await world.set_up()))


async def agent_of(plant: Plant, name: str) -> tuple[str, Registered]:
    """An entry with an agent that has registered."""
    entry = await plant.of.ask("POST", "", {"name": name})
    token = await plant.of.ask("POST", f"/{entry['id']}/registration-token", {})
    return entry["id"], await register(plant.world, token["token"])


async def come(agent: PlayedAgent) -> None:
    await asyncio.to_thread(agent.come)


async def test_nobody_gets_in_without_the_secret_of_that_agent(plant: Plant) -> None:
    _, mine = await agent_of(plant, "a")
    _, other = await agent_of(plant, "b")
    for username, password in (
        (mine.id, "wrong"),
        (mine.id, other.token),
        (other.id, other.token),
        ("", mine.token),
    ):
        with PlayedAgent(plant.world, mine) as agent:
            code = await asyncio.to_thread(agent.connect, username=username, password=password)
            assert code == 0x86, (username, password)
    with PlayedAgent(plant.world, mine) as agent:
        assert await asyncio.to_thread(agent.connect) == 0


async def test_an_agent_reaches_its_own_topics_and_no_others(plant: Plant) -> None:
    cluster, mine = await agent_of(plant, "a")
    _, other = await agent_of(plant, "b")

    def try_all() -> None:
        with PlayedAgent(plant.world, mine) as agent, PlayedAgent(plant.world, other) as stranger:
            agent.come()
            stranger.come()
            for channel in Channel:
                foreign = agent.topic(channel)
                assert stranger.subscribe(foreign) == 0x87, channel
                assert stranger.publish(foreign, b"{}") == 0x87, channel
            for topic_filter in ("#", "agents/#", "agents/v1/+/req", "$SYS/#", "+/+/+/+"):
                assert stranger.subscribe(topic_filter) == 0x87, topic_filter
            for channel in (Channel.REQUEST, Channel.DESIRED):
                assert agent.publish(agent.topic(channel), b"{}") == 0x87
            for channel in (Channel.REPORT, Channel.REPLY, Channel.PRESENCE):
                assert agent.subscribe(agent.topic(channel)) == 0x87

    await asyncio.to_thread(try_all)
    row = await plant.of.ask("GET", f"/{cluster}")
    assert row["state"] == "registering"  # nobody reported for it


async def test_states_follow_from_what_an_agent_says(plant: Plant) -> None:
    _, mine = await agent_of(plant, "a")
    now_ms = plant.world.control.clock.now_ms()
    async with changes(plant.of) as told:
        with PlayedAgent(plant.world, mine) as agent:
            await come(agent)
            await asyncio.to_thread(agent.report, now_ms, cluster_nodes=NODES, facts=FACTS)
            row = await told.until("cluster", lambda row: row["state"] == "running")
            assert (row["connections"], row["version"], row["nodesRunning"]) == (5, "1.0", 1)
            await asyncio.to_thread(agent.report, now_ms, cluster_fetch_error="UNREACHABLE: no")
            row = await told.until("cluster", lambda row: row["state"] == "abnormal")
            assert [item["type"] for item in row["conditions"]] == ["ClusterUnreachable"]
            assert row["connections"] == 5  # what was known of it
            await asyncio.to_thread(agent.report, now_ms, cluster_nodes=NODES, facts=FACTS)
            await told.until("cluster", lambda row: row["state"] == "running")
            # It stops as it should: it says so itself.
            await asyncio.to_thread(agent.say, Channel.PRESENCE, Presence("offline"))
            await asyncio.to_thread(agent.client.disconnect)
        row = await told.until("cluster", lambda row: row["presence"] == "offline")
        assert [item["type"] for item in row["conditions"]] == ["AgentLost"]


async def test_words_that_are_none_do_no_harm(plant: Plant) -> None:
    _, mine = await agent_of(plant, "a")
    with PlayedAgent(plant.world, mine) as agent:
        await come(agent)
        for channel in (Channel.REPORT, Channel.REPLY, Channel.PRESENCE, Channel.EVENT):
            for payload in (b"", b"{", b"[]", b'{"v":1,"type":"report"}', b"\xff" * 1000):
                await asyncio.to_thread(agent.publish, agent.topic(channel), payload)
        await asyncio.to_thread(
            agent.report, plant.world.control.clock.now_ms(), cluster_nodes=NODES
        )
        async with changes(plant.of) as told:
            await asyncio.to_thread(agent.report, 1, cluster_nodes=NODES)
            await told.until("cluster", lambda row: row["lastReportAt"] is not None)
    assert plant.world.control.adoption.relay.counters["relay.unreadable"] > 0


async def test_an_agent_that_floods_leaves_the_others_room(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    """What it sends beyond its rate waits in its own connection; what it may not say is not even read."""
    relay = plant.world.control.adoption.relay
    before = dict(relay.counters)
    _, mine = await agent_of(plant, "a")
    with PlayedAgent(plant.world, mine) as agent:
        await come(agent)
        sent = threading.Event()

        def flood() -> None:
            for _ in range(1500):
                agent.client.send(Publish(agent.topic(Channel.REPORT), b"{" * 100_000))
            sent.set()

        flooding = asyncio.create_task(asyncio.to_thread(flood))
        async with asyncio.timeout(DEADLINE_S):
            while relay.counters["relay.over_budget"] - before["relay.over_budget"] < 100:
                assert (await plant.world.ask("GET", "/orgs", token=plant.of.token)).status == 200
        assert not sent.is_set()
        assert 0 < relay.counters["relay.unreadable"] - before["relay.unreadable"] < 100
        said = [line for line in caplog.messages if "cannot be read" in line]
        assert len(said) == 1
        agent.client.drop()
        await asyncio.gather(flooding, return_exceptions=True)


async def test_a_removed_agent_learns_it_and_is_known_no_longer(plant: Plant) -> None:
    cluster, mine = await agent_of(plant, "a")
    async with changes(plant.of) as told:
        await plant.of.ask("DELETE", f"/{cluster}?force=true", {"name": "a"})
        await told.until("removed", lambda data: data["id"] == cluster)
    answer = await plant.world.ask("GET", "/clusters/agents/metadata", token=mine.token)
    assert answer.problem == (410, "UNREGISTERED")
    with PlayedAgent(plant.world, mine) as agent:
        assert await asyncio.to_thread(agent.connect) == 0
        await asyncio.to_thread(agent.subscribe, agent.topic(Channel.DESIRED))
        wanted = await asyncio.to_thread(agent.hear, Desired)
        assert "deleted by ada@example.com" in wanted.unregister
        await asyncio.to_thread(agent.say, Channel.REPORTED, Reported(wanted.version))
        await asyncio.to_thread(agent.wait_until_closed)
    with PlayedAgent(plant.world, mine) as agent:
        assert await asyncio.to_thread(agent.connect) == 0x86
    answer = await plant.world.ask("GET", "/clusters/agents/metadata", token=mine.token)
    assert answer.problem == (401, "BAD_TOKEN")


async def test_a_deletion_waits_for_the_agents_word(plant: Plant) -> None:
    cluster, mine = await agent_of(plant, "a")
    async with changes(plant.of) as told:
        with PlayedAgent(plant.world, mine) as agent:
            await come(agent)
            await told.until("cluster", lambda row: row["presence"] == "online")
            await plant.of.ask("DELETE", f"/{cluster}", {"name": "a"})
            row = await told.until("cluster", lambda row: row["state"] == "deleting")
            assert row["tokenState"] == "used"
            wanted = await asyncio.to_thread(_removal, agent)
            await asyncio.to_thread(agent.say, Channel.REPORTED, Reported(wanted.version))
            await told.until("removed", lambda data: data["id"] == cluster)


def _removal(agent: PlayedAgent) -> Desired:
    while not (wanted := agent.hear(Desired)).unregister:
        pass
    return wanted


async def test_a_call_goes_through_the_relay_and_an_agent_that_is_away_has_none(
    plant: Plant,
) -> None:
    cluster, mine = await agent_of(plant, "a")
    path = f"/clusters/{cluster}/proxy/api/v5/nodes%2F1?a=%2B"
    token = plant.of.token
    answer = await plant.world.ask("GET", path, token=token)
    assert answer.problem == (503, "SERVICE_UNAVAILABLE")
    with PlayedAgent(plant.world, mine) as agent:
        await come(agent)

        def serve() -> Request:
            request = agent.hear(Request)
            headers = (("Content-Type", "application/json"), ("Set-Cookie", "a=b"))
            agent.say(Channel.REPLY, Reply(request.id, 200, headers, body=b'{"nodes": 1}'))
            return request

        serving = asyncio.create_task(asyncio.to_thread(serve))
        answer = await plant.world.ask("GET", path, token=token, headers={"cookie": "x=y"})
        request = await serving
    assert (answer.status, answer.json) == (200, {"nodes": 1})
    assert (request.method, request.path) == ("GET", "/api/v5/nodes%2F1?a=%2B")
    assert request.credential == "key"
    assert not {"authorization", "cookie", "host"} & {name.lower() for name, _ in request.headers}
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-security-policy"] == "sandbox"


async def test_an_agent_uses_another_key_for_who_may_only_look(plant: Plant) -> None:
    cluster, mine = await agent_of(plant, "a")
    of, world = plant.of, plant.world
    given = {"email": "viewer@example.com", "password": PASSWORD, "role": "viewer"}
    user = await world.make(of.token, f"/orgs/{of.org}/members", given)
    members = f"/orgs/{of.org}/projects/{of.id}/members"
    await world.make(of.token, members, {"userId": user, "role": "viewer"})
    viewer = await world.sign_in("viewer@example.com")
    path = f"/clusters/{cluster}/proxy/api/v5/nodes"
    async with changes(of) as told:
        with PlayedAgent(world, mine) as agent:
            await come(agent)
            await told.until("cluster", lambda row: row["presence"] == "online")
            answer = await world.ask("GET", path, token=viewer)
            assert answer.problem == (409, "NOT_AVAILABLE")  # an agent from before there was one

            updated = Presence("online", agent_version="10", capabilities=(VIEWER_KEY,))
            await asyncio.to_thread(agent.say, Channel.PRESENCE, updated)
            await told.until("cluster", lambda row: row["agent"]["version"] == "10")

            def serve() -> Request:
                request = agent.hear(Request)
                headers = (("content-type", "application/json"), ("content-length", "7"))
                agent.say(Channel.REPLY, Reply(request.id, 200, headers))
                return request

            serving = asyncio.create_task(asyncio.to_thread(serve))
            answer = await world.ask("HEAD", path, token=viewer)
            request = await serving
    assert (answer.status, answer.text) == (200, "")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == "7"
    assert (request.method, request.credential) == ("HEAD", "viewer")


async def test_what_an_agent_did_is_told_with_the_names_of_where(plant: Plant) -> None:
    await agent_of(plant, "a")
    rows = await plant.world.ask("GET", "/audit?resource=agents&size=1", token=plant.of.token)
    (row,) = rows.json["items"]
    assert (row["operation"], row["via"], row["objectName"]) == ("register", "agent", "a")
    assert row["orgName"]
    assert row["projectName"]


async def test_downloads_are_written_once_for_a_token_and_for_nothing_else(plant: Plant) -> None:
    made = await plant.of.ask("POST", "", {"name": "fetched"})
    url = f"{plant.world.url}/dl/agent/rookery-agent.pyz?entry={made['id']}"

    async def downloaded_at() -> object:
        async with plant.world.client.get(url) as answer:
            assert answer.status == 200
        steps = (await plant.of.ask("GET", f"/{made['id']}/checklist"))["steps"]
        return next(step["at"] for step in steps if step["id"] == "downloaded")

    assert await downloaded_at() is None  # without a token it is nobody's
    await plant.of.ask("POST", f"/{made['id']}/registration-token", {})
    first = await downloaded_at()
    assert first is not None
    assert await downloaded_at() == first
