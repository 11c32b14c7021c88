"""What agents report of rules, connectors and figures, and what people see of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from sqlalchemy import event

from harness.adoption import Project, project
from harness.agents import PlayedAgent, register
from harness.control import World, control_world
from rookery.clock import ManualClock
from rookery.contracts.agent_v1 import (
    Channel,
    ClusterFacts,
    ClusterNode,
    Integration,
    Reply,
    Report,
    Request,
)
from rookery.control.clusters.intake import Heard
from rookery.control.clusters.state import Presence

pytestmark = pytest.mark.asyncio(loop_scope="module")

NODE = ClusterNode("n@1", "running", 1000, "5.8.1", 3, figures={"load1": 0.5})
DOWN = Integration("connector", "http:a", "disconnected", "a", "http", "Connection refused")
RULE = Integration("rule", "hot", "abnormal", "", "", "http:a: Connection refused")
OFF = Integration("rule", "off", "stopped")
COUNTS = {"rule": {"running": 3, "abnormal": 1, "stopped": 1}, "connector": {"disconnected": 1}}
FACTS = ClusterFacts(version="5.8.1", connections=3)
FIGURES = {"connections": 5, "live_connections": 3, "received_msg_rate": 1.5}


class Plant(NamedTuple):
    world: World
    clock: ManualClock


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    clock = ManualClock()
    async with control_world(tmp_path_factory.mktemp("control"), clock=clock) as world:
        await world.set_up()
        yield Plant(world, clock)


class Adopted:
    """A cluster whose agent the test plays."""

    def __init__(self, of: Project, plant: Plant, cluster: str, agent: PlayedAgent) -> None:
        self.of, self.plant, self.id, self.agent = of, plant, cluster, agent

    async def report(self, **said: Any) -> None:
        """What the relay hands over is written, as it would be."""
        now_ms = self.plant.clock.now_ms()
        given = {"cluster_nodes": (NODE,), "facts": FACTS, "metrics": FIGURES, **said}
        heard = Heard(Report("9", now_ms, **given), now_ms, Presence.ONLINE, now_ms)
        standing = self.plant.world.control.adoption.standing
        assert await standing.write({self.agent.agent.id: heard}) == {self.id}

    async def ask(self, path: str) -> Any:
        return await self.of.ask("GET", f"/{self.id}{path}")


@pytest_asyncio.fixture(loop_scope="module")
async def of(plant: Plant, request: pytest.FixtureRequest) -> Project:
    # Time passes quickly here, and sign-ins end by it.
    return await project(plant.world, await plant.world.sign_in(), request.node.name[:60])


@pytest_asyncio.fixture(loop_scope="module")
async def cluster(plant: Plant, of: Project) -> AsyncIterator[Adopted]:
    made = await of.ask("POST", "", {"name": "plant-1"})
    issued = await of.ask("POST", f"/{made['id']}/registration-token", {})
    agent = PlayedAgent(plant.world, await register(plant.world, issued["token"]))
    with agent:
        yield Adopted(of, plant, made["id"], agent)


async def monitoring(of: Project, path: str = "") -> Any:
    base = of.path.removesuffix("/clusters")
    answer = await of.asker.ask("GET", f"{base}/monitoring{path}", token=of.token)
    assert answer.status == 200, answer.text
    return answer.json


async def test_what_is_not_well_is_listed_until_it_is(cluster: Adopted) -> None:
    of = cluster.of
    await cluster.report(integration_counts=COUNTS, integrations=(DOWN, RULE, OFF))
    counts = await monitoring(of)
    assert (counts["clusters"], counts["counted"]) == (1, 1)
    assert counts["connections"] == {"total": 5, "live": 3}
    assert counts["rules"] == {"total": 5, "running": 4, "stopped": 1, "abnormal": 1}
    assert counts["connectors"] == {"total": 1, "connected": 0, "disconnected": 1, "stopped": 0}

    rules = await monitoring(of, "/integrations?kind=rule&sort=name")
    assert [(row["id"], row["status"], row["isAbnormal"]) for row in rules["items"]] == [
        ("hot", "abnormal", True),
        ("off", "stopped", False),
    ]
    found = await monitoring(of, "/integrations?kind=connector&search=refused")
    (row,) = found["items"]
    assert (row["clusterName"], row["reason"]) == ("plant-1", "Connection refused")
    assert row["page"] == "/connectors/http:a"
    since = row["since"]
    other = "0123456789abcdef"
    assert (await monitoring(of, f"/integrations?cluster={other}"))["total"] == 0

    # Rules cannot be read this time: what was known of them stays.
    cluster.plant.clock.advance(15)
    await cluster.report(
        integration_counts={"connector": {"disconnected": 1}},
        integrations=(DOWN,),
        integration_errors={"rule": "TIMEOUT: no answer in time"},
    )
    assert (await monitoring(of, "/integrations"))["total"] == 3
    (row,) = (await monitoring(of, "/integrations?kind=connector"))["items"]
    assert row["since"] == since
    (missing,) = (await monitoring(of))["notRead"]
    assert (missing["kind"], missing["reason"]) == ("rule", "TIMEOUT: no answer in time")

    await cluster.report(integration_counts={"rule": {"running": 5}, "connector": {"connected": 1}})
    assert (await monitoring(of, "/integrations"))["total"] == 0
    assert (await monitoring(of))["connectors"]["connected"] == 1


async def test_an_agent_that_tells_nothing_of_it_is_no_error(cluster: Adopted) -> None:
    await cluster.report()
    counts = await monitoring(cluster.of)
    assert (counts["counted"], counts["rules"]["total"], counts["notRead"]) == (1, 0, [])


async def test_a_cluster_that_is_silent_is_not_counted(cluster: Adopted) -> None:
    await cluster.report(integration_counts=COUNTS, integrations=(DOWN,))
    cluster.plant.clock.advance(120)
    counts = await monitoring(cluster.of)
    assert (counts["counted"], counts["connections"]["live"]) == (0, 0)
    assert [item["name"] for item in counts["notCounted"]] == ["plant-1"]
    (row,) = (await monitoring(cluster.of, "/integrations"))["items"]
    assert row["isStale"]


async def test_reports_of_many_clusters_are_written_with_as_few_statements_as_one(
    plant: Plant, of: Project
) -> None:
    agents: list[str] = []
    for number in range(6):
        made = await of.ask("POST", "", {"name": f"plant-{number}"})
        issued = await of.ask("POST", f"/{made['id']}/registration-token", {})
        agents.append((await register(plant.world, issued["token"])).id)
    control = plant.world.control
    engine = control.database._engine.sync_engine
    said: list[str] = []

    def heard(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    async def written(some: list[str], minute: int) -> int:
        plant.clock.advance(15)
        now_ms = plant.clock.now_ms()
        # No two of them change the same columns: one has another skew, one another number of clients.
        reports = {
            agent: Report(
                "9",
                now_ms - (minute if at % 2 else 0),
                cluster_nodes=(NODE,),
                facts=ClusterFacts(version="5.8.1", connections=minute if at % 3 else 3),
                metrics={"live_connections": at * minute},
            )
            for at, agent in enumerate(some)
        }
        said.clear()
        await control.adoption.standing.write(
            {
                agent: Heard(report, now_ms, Presence.ONLINE, now_ms)
                for agent, report in reports.items()
            }
        )
        return len(said)

    await written(agents, 1)
    event.listen(engine, "before_cursor_execute", heard)
    try:
        assert await written(agents, 2) == await written(agents[:1], 3)
    finally:
        event.remove(engine, "before_cursor_execute", heard)
    rows = (await of.ask("GET", "?size=10&sort=name"))["items"]
    assert [row["state"] for row in rows] == ["running"] * 6
    assert [row["connections"] for row in rows] == [3, 2, 2, 3, 2, 2]


async def test_figures_over_time_are_rolled_up_and_gaps_stay_gaps(cluster: Adopted) -> None:
    clock = cluster.plant.clock
    metrics = cluster.plant.world.control.monitoring.metrics.keeping
    # On the beat of the points.
    clock.advance(600 - clock.now_ms() / 1000 % 600)
    for number in range(8):
        await cluster.report(metrics={"live_connections": number})
        clock.advance(15 if number != 3 else 75)
    query = "/metrics?last=300&step=15&names=liveConnections"
    found = await cluster.ask(query)
    (line,) = found["series"]
    assert (found["stepMs"], line["name"], line["unit"], line["node"]) == (
        15000,
        "liveConnections",
        "count",
        "",
    )
    values = [value for value in line["values"] if value is not None]
    assert values == [0, 1, 2, 3, 4, 5, 6, 7]
    between = line["values"][line["values"].index(3) + 1 : line["values"].index(4)]
    assert between == [None] * 4

    await metrics.roll_up()
    await metrics.roll_up()  # once more changes nothing
    by_minute = await cluster.ask("/metrics?last=600&step=60&names=liveConnections")
    (line,) = by_minute["series"]
    assert next(value for value in line["values"] if value is not None) == 1.5
    assert (line["least"][line["values"].index(1.5)], max(filter(None, line["most"]))) == (0, 7)
    # Single reports are forgotten, what they were rolled up to is not.
    clock.advance(7 * 3600)
    cluster.of.token = await cluster.plant.world.sign_in()
    await metrics.roll_up()
    day = await cluster.ask("/metrics?last=86400&names=liveConnections")
    (line,) = day["series"]
    assert day["stepMs"] == 60_000
    assert next(value for value in line["values"] if value is not None) == 1.5
    nodes = await cluster.ask("/metrics?last=86400&node=n@1&names=load1")
    assert {line["node"] for line in nodes["series"]} == {"n@1"}


async def test_what_may_not_be_asked(cluster: Adopted) -> None:
    of = cluster.of
    backwards = "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"
    for query in (backwards, "names=secret", "step=0", "last=0"):
        assert await of.problem("GET", f"/{cluster.id}/metrics?{query}") == (400, "BAD_REQUEST")
    assert await of.problem("GET", "/0123456789abcdef/metrics") == (404, "NOT_FOUND")
    assert await of.problem("GET", "/0123456789abcdef/events") == (404, "NOT_FOUND")


async def test_what_happens_to_a_cluster_is_written_down(cluster: Adopted) -> None:
    of = cluster.of
    await cluster.report()
    await cluster.report(cluster_nodes=(NODE, ClusterNode("n@2")))
    await cluster.report(cluster_fetch_error="UNREACHABLE: refused")
    events = (await cluster.ask("/events"))["items"]
    assert [event["kind"] for event in reversed(events)] == [
        "registered",
        "stateChanged",
        "adopted",
        "stateChanged",
        "nodeJoined",
        "stateChanged",
        "conditionBegan",
    ]
    assert "refused" in events[0]["text"] + events[1]["text"]
    await of.ask("POST", f"/{cluster.id}/unregister")
    assert (await cluster.ask("/events?kind=unregistered"))["total"] == 1
    # The next agent finds nothing of this one.
    assert (await monitoring(of, "/integrations"))["total"] == 0
    issued = await of.ask("POST", f"/{cluster.id}/registration-token", {})
    await register(cluster.plant.world, issued["token"])
    again = await cluster.ask("/events?kind=reRegistered")
    assert "machine" in again["items"][0]["text"]


async def test_clients_are_looked_for_in_all_clusters_and_silence_is_named(
    cluster: Adopted,
) -> None:
    of = cluster.of
    await asyncio.to_thread(cluster.agent.come)
    await cluster.report()
    silent = await of.ask("POST", "", {"name": "plant-2"})
    issued = await of.ask("POST", f"/{silent['id']}/registration-token", {})
    await register(cluster.plant.world, issued["token"])
    await of.ask("POST", "", {"name": "no agent yet"})

    def answer() -> str:
        request = cluster.agent.hear(Request)
        rows = b'{"data":[{"clientid":"plc-3","connected":true,"port":5,"ip_address":"::1"}],'
        reply = Reply(request.id, 200, body=rows + b'"meta":{"count":2}}')
        cluster.agent.say(Channel.REPLY, reply)
        return request.path

    path = of.path.removesuffix("/clusters") + "/clients?search=plc&limit=1"
    asking = asyncio.create_task(of.asker.ask("GET", path, token=of.token))
    asked = await asyncio.to_thread(answer)
    found = (await asking).json
    assert asked == "/api/v5/clients?like_clientid=plc&limit=1&page=1"
    assert [(row["clusterName"], row["clientid"]) for row in found["clients"]] == [
        ("plant-1", "plc-3")
    ]
    assert [(row["clusterName"], row["outcome"]) for row in found["clusters"]] == [
        ("plant-1", "answered"),
        ("plant-2", "notConnected"),
    ]
    assert found["clusters"][1]["text"] == "its agent is not connected"
    assert not found["isComplete"]
