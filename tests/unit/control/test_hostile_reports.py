"""What agents may say that no honest one does costs nobody else anything."""

from __future__ import annotations

from typing import Any

from harness.control import World
from rookery.contracts.agent_v1 import ClusterFacts, Integration, Report
from rookery.control.clusters.intake import Heard


async def adopted(world: World, admin: str) -> tuple[str, str, str]:
    """The path of the project, a cluster and its agent."""
    org = await world.make(admin, "/orgs", {"name": "plants"})
    project = await world.make(admin, f"/orgs/{org}/projects", {"name": "east"})
    path = f"/orgs/{org}/projects/{project}"
    cluster = await world.make(admin, f"{path}/clusters", {"name": "plant-1"})
    issued = await world.ask(
        "POST", f"{path}/clusters/{cluster}/registration-token", {"ttlS": 600}, token=admin
    )
    given = {"nodeId": "a@1", "registrationToken": issued.json["token"]}
    registered = await world.ask("POST", "/clusters/agents/register", given)
    return path, cluster, registered.json["agentId"]


async def said(world: World, agent: str, **parts: Any) -> None:
    report = Report(agent_version="1", clock_ms=0, **parts)
    now_ms = world.control.clock.now_ms()
    await world.control.adoption.standing.write({agent: Heard(report, reported_at_ms=now_ms)})


async def test_an_object_that_is_named_twice_is_one(world: World, admin: str) -> None:
    path, cluster, agent = await adopted(world, admin)
    twice = (Integration("rule", "r1", "stopped"), Integration("rule", "r1", "abnormal"))
    await said(world, agent, integration_counts={"rule": {"abnormal": 1}}, integrations=twice)
    shown = await world.ask("GET", f"{path}/monitoring/integrations?kind=rule", token=admin)
    assert [(item["id"], item["status"]) for item in shown.json["items"]] == [("r1", "abnormal")]
    assert shown.json["items"][0]["clusterId"] == cluster


async def test_a_time_that_no_date_can_say_costs_no_list(world: World, admin: str) -> None:
    path, cluster, agent = await adopted(world, admin)
    await said(world, agent, facts=ClusterFacts(started_at_ms=1 << 53))
    listed = await world.ask("GET", f"{path}/clusters", token=admin)
    assert [item["id"] for item in listed.json["items"]] == [cluster]
    assert listed.json["items"][0]["startedAt"] == "9999-12-31T23:59:59.000Z"
