"""Configuration goes from a control plane to edge services: in waves, to those that are away, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from harness.control import PASSWORD, World, control_world
from harness.edge import EdgeWorld, edge_world
from harness.edge_agents import dial, settings, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

VIEWER, STRANGER = "vic@example.com", "sam@example.com"
SECRET = "device-word-7"
CONTENT = """{
  "nodes": [{"name": "press", "plugin": "Simulator"}, {"name": "north", "plugin": "MQTT"}],
  "settings": [
    {"node": "press", "params": {"latency": "${latency}"}},
    {"node": "north", "params": {"host": "127.0.0.1", "port": 1, "client-id": "of-${site}",
     "username": "plant", "password": "${word}"}}
  ],
  "groups": [{"driver": "press", "group": "line", "interval": 1000}],
  "tags": [{"driver": "press", "group": "line",
            "tags": [{"name": "count", "address": "counter", "attribute": 1, "type": 5}]}],
  "subscriptions": [{"app": "north", "driver": "press", "group": "line"}]
}"""
PARAMETERS: list[dict[str, Any]] = [
    {"name": "latency", "kind": "number", "default": "5"},
    {"name": "site"},
    {"name": "word", "default": SECRET, "isSecret": True},
]


class Edge(NamedTuple):
    """An edge service that is adopted."""

    world: EdgeWorld
    token: str
    service: str

    async def latency(self) -> int:
        found = await self.world.did(self.token, "GET", "/neuron/node/setting?node=press")
        return int(found["params"]["latency"])

    async def nodes(self) -> set[str]:
        found = await self.world.did(self.token, "GET", "/neuron/global/config")
        return {node["name"] for node in found["nodes"]}


class Plant(NamedTuple):
    """A control plane with a project of three edge services."""

    world: World
    folder: Path
    admin: str
    viewer: str
    stranger: str
    base: str
    edges: dict[str, Edge]

    async def get(self, path: str, token: str = "") -> Any:
        answer = await self.world.ask("GET", f"{self.base}{path}", token=token or self.admin)
        assert answer.status == 200, answer.text
        return answer.json

    async def post(self, path: str, body: Any = None, status: int = 202) -> Any:
        answer = await self.world.ask("POST", f"{self.base}{path}", body, token=self.admin)
        assert answer.status == status, answer.text
        return answer.json if answer.text else None

    async def template(self, name: str, content: str = CONTENT) -> str:
        given = {"name": name, "content": content, "parameters": PARAMETERS}
        return str((await self.post("/edgetemplates", given, 201))["id"])

    async def deliver(self, template: str, **given: Any) -> str:
        body = {"defaults": {"site": "east"}, **given}
        return str((await self.post(f"/edgetemplates/{template}/deliver", body))["id"])

    async def over(self, delivery: str) -> dict[str, Any]:
        """It, when it is."""

        async def found() -> dict[str, Any] | None:
            row: dict[str, Any] = await self.get(f"/edgedeliveries/{delivery}")
            return row if row["endedAt"] else None

        return await until(found)

    async def drift(self, template: str, **wanted: str) -> dict[str, dict[str, Any]]:
        """By name, when the states are so."""

        async def found() -> dict[str, dict[str, Any]] | None:
            rows = (await self.get(f"/edgetemplates/{template}/drift"))["items"]
            by_name = {row["serviceName"]: row for row in rows}
            is_so = {name: row["state"] for name, row in by_name.items()} == wanted
            return by_name if is_so else None

        return await until(found)


async def _person(world: World, admin: str, org: str, email: str) -> str:
    given = {"email": email, "password": PASSWORD, "role": "viewer"}
    return await world.make(admin, f"/orgs/{org}/members", given)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    folder = tmp_path_factory.mktemp("plant")
    async with AsyncExitStack() as stack:
        interval = ("control.agents.report_interval=1s",)
        world = await stack.enter_async_context(control_world(folder / "control", sets=interval))
        admin = await world.set_up()
        org = await world.make(admin, "/orgs", {"name": "Factory East"})
        project = await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})
        other = await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant 2"})
        viewer = await _person(world, admin, org, VIEWER)
        stranger = await _person(world, admin, org, STRANGER)
        base = f"/orgs/{org}/projects"
        for user, where, role in ((viewer, project, "viewer"), (stranger, other, "admin")):
            given = {"userId": user, "role": role}
            await world.make(admin, f"{base}/{where}/members", given)
        edges: dict[str, Edge] = {}
        for name in ("hall-1", "hall-2", "hall-3"):
            edge = await stack.enter_async_context(edge_world(folder / name))
            token = await edge.first_visit()
            said = await dial(edge, token, world, description=name)
            labels = ["site=east", f"line={name[-1]}"]
            body: dict[str, Any] = {
                "name": name,
                "orgId": org,
                "projectId": project,
                "labels": labels,
            }
            made = await world.ask(
                "POST", f"/edgeagents/{said['agentId']}/adopt", body, token=admin
            )
            assert made.status == 201, made.text
            edges[name] = Edge(edge, token, made.json["id"])
        yield Plant(
            world,
            folder,
            admin,
            await world.sign_in(VIEWER),
            await world.sign_in(STRANGER),
            f"{base}/{project}",
            edges,
        )


async def test_templates_have_versions_and_keep_their_secrets(plant: Plant) -> None:
    template = await plant.template("kept")
    hidden = [{**PARAMETERS[2], "default": "******"}]
    given = {"content": CONTENT, "parameters": PARAMETERS[:2] + hidden, "note": "the same"}
    made = await plant.post(f"/edgetemplates/{template}/versions", given, 201)
    assert made["number"] == 2
    shown = await plant.get(f"/edgetemplates/{template}", plant.viewer)
    assert [(one["number"], one["note"]) for one in shown["versions"]] == [(2, "the same"), (1, "")]
    word = next(one for one in shown["versions"][0]["parameters"] if one["name"] == "word")
    assert (word["default"], word["isSecret"]) == ("******", True)
    found = await plant.get(f"/edgetemplates/{template}/versions/1")
    assert found["content"] == CONTENT
    await plant.post(
        "/edgetemplates", {"name": "kept", "content": CONTENT, "parameters": PARAMETERS}, 409
    )
    renamed = await plant.world.ask(
        "PUT", f"{plant.base}/edgetemplates/{template}", {"name": "kept 2"}, token=plant.admin
    )
    assert renamed.status == 204, renamed.text
    # Nothing of it can be read from the disk, and nothing in the audit.
    with sqlite3.connect(plant.folder / "control" / "control.db") as db:
        held = "\n".join(db.iterdump())
    assert SECRET not in held
    assert "Simulator" not in str(
        [line for line in held.splitlines() if "edge_template_versions" in line]
    )
    audit = await plant.world.ask("GET", "/audit?resource=edgeTemplates", token=plant.admin)
    assert {row["operation"] for row in audit.json["items"]} == {"create", "update"}
    assert SECRET not in audit.text


@pytest.mark.parametrize(
    ("content", "parameters", "words"),
    [
        ("{", [], "no JSON"),
        ("[]", [], "nodes"),
        ('{"nodes": []}', [], "no node"),
        ('{"nodes": [{"name": "a"}]}', [], "node 1"),
        ('{"nodes": [{"name": "a", "plugin": "${p}"}]}', [], "${p}"),
        ('{"nodes": [{"name": "a", "plugin": "b"}]}', [{"name": "p"}], "used nowhere"),
        ('{"nodes": [{"name": "a", "plugin": "b"}], "rules": []}', [], "rules"),
        (
            '{"nodes": [{"name": "a", "plugin": "b", "x": "${p}"}]}',
            [{"name": "p", "kind": "number", "default": "five"}],
            "no number",
        ),
    ],
)
async def test_a_template_that_cannot_be_is_refused_with_words(
    plant: Plant, content: str, parameters: list[Any], words: str
) -> None:
    given = {"name": "wrong", "content": content, "parameters": parameters}
    answer = await plant.world.ask("POST", f"{plant.base}/edgetemplates", given, token=plant.admin)
    assert answer.status == 400, answer.text
    assert words in answer.json["message"]


async def test_a_delivery_is_tried_done_in_waves_and_taken_back(plant: Plant) -> None:
    template = await plant.template("press line")
    hall = plant.edges["hall-2"].service
    aim = {
        "labels": ["site=east"],
        "defaults": {"site": "east"},
        "values": {hall: {"latency": "8"}},
    }
    tried = await plant.post(f"/edgetemplates/{template}/preview", aim, 200)
    assert [(row["serviceName"], row["state"]) for row in tried["items"]] == [
        ("hall-1", "ready"), ("hall-2", "ready"), ("hall-3", "ready"),
    ]  # fmt: skip
    assert {node["change"] for row in tried["items"] for node in row["nodes"]} == {"new"}
    assert await plant.edges["hall-1"].nodes() == set()

    delivery = await plant.deliver(template, **aim, waveSize=2)
    done = await plant.over(delivery)
    assert (done["state"], done["waves"], done["counts"]) == ("succeeded", 2, {"succeeded": 3})
    assert [(row["serviceName"], row["wave"]) for row in done["targets"]] == [
        ("hall-1", 1), ("hall-2", 1), ("hall-3", 2),
    ]  # fmt: skip
    assert [await edge.latency() for edge in plant.edges.values()] == [5, 8, 5]
    await plant.drift(template, **dict.fromkeys(plant.edges, "same"))

    # Somebody at the edge changes it: shown as soon as it reports, and set right by delivering again.
    edge = plant.edges["hall-1"]
    params = {"node": "press", "params": {"latency": 77}}
    await edge.world.did(edge.token, "POST", "/neuron/node/setting", params)
    wanted = {"hall-1": "changed", "hall-2": "same", "hall-3": "same"}
    rows = await plant.drift(template, **wanted)
    assert (rows["hall-1"]["number"], rows["hall-1"]["reported"]) == (1, 1)
    again = await plant.over(await plant.deliver(template, serviceIds=[edge.service]))
    assert again["counts"] == {"succeeded": 1}
    assert await edge.latency() == 5

    changed = CONTENT.replace('"interval": 1000', '"interval": 2000')
    given = {"content": changed, "parameters": PARAMETERS}
    await plant.post(f"/edgetemplates/{template}/versions", given, 201)
    second = await plant.over(await plant.deliver(template, defaults={"site": "x", "latency": "9"}))
    assert (second["number"], second["state"]) == (2, "succeeded")
    assert [await one.latency() for one in plant.edges.values()] == [9, 9, 9]
    back = (await plant.post(f"/edgedeliveries/{second['id']}/rollback"))["id"]
    undone = await plant.over(back)
    assert (undone["rollbackOf"], undone["counts"]) == (second["id"], {"succeeded": 3})
    assert [await one.latency() for one in plant.edges.values()] == [5, 8, 5]
    rows = await plant.drift(template, **dict.fromkeys(plant.edges, "same"))
    assert {row["number"] for row in rows.values()} == {1}
    refused = await plant.world.ask(
        "POST", f"{plant.base}/edgedeliveries/{back}/rollback", token=plant.admin
    )
    assert refused.problem == (409, "CONFLICT")
    listed = await plant.get(f"/edgedeliveries?template={template}&order=desc", plant.viewer)
    assert listed["total"] == 4
    audit = await plant.world.ask(
        "GET", "/audit?resource=edgeTemplates&operation=rollBack", token=plant.admin
    )
    assert audit.json["items"][0]["objectName"] == "press line"


async def test_a_failure_ends_it_and_changes_nothing_where_it_failed(plant: Plant) -> None:
    template = await plant.template("stops")
    before = await plant.edges["hall-1"].latency()
    hall = plant.edges["hall-1"].service
    values = {hall: {"latency": "-1"}}
    aim = {"defaults": {"site": "east"}, "values": values}
    tried = await plant.post(f"/edgetemplates/{template}/preview", aim, 200)
    assert [row["state"] for row in tried["items"]] == ["invalid", "ready", "ready"]
    assert "latency" in tried["items"][0]["message"]
    done = await plant.over(await plant.deliver(template, values=values, waveSize=1))
    assert (done["state"], done["counts"]) == ("failed", {"failed": 1, "skipped": 2})
    assert "latency" in done["targets"][0]["message"]
    assert await plant.edges["hall-1"].latency() == before
    chinese = await plant.world.ask(
        "GET",
        f"{plant.base}/edgedeliveries/{done['id']}",
        token=plant.viewer,
        headers={"accept-language": "zh"},
    )
    assert "边缘服务拒绝" in chinese.json["targets"][0]["message"]
    assert "未下发" in chinese.json["targets"][2]["message"]
    on = await plant.over(
        await plant.deliver(template, values=values, waveSize=1, failuresMax=None)
    )
    assert (on["state"], on["counts"]) == ("failed", {"failed": 1, "succeeded": 2})
    nothing = await plant.world.ask(
        "POST", f"{plant.base}/edgedeliveries/{done['id']}/rollback", token=plant.admin
    )
    assert nothing.problem == (409, "CONFLICT")


async def test_one_that_is_away_gets_it_when_it_is_back(plant: Plant) -> None:
    template = await plant.template("away")
    edge = plant.edges["hall-3"]
    off = settings(plant.world, enable=False, description="hall-3")
    await edge.world.did(edge.token, "POST", "/tunnel", off)
    aim = {"labels": ["line=3"], "defaults": {"site": "east"}}
    tried = await plant.post(f"/edgetemplates/{template}/preview", aim, 200)
    assert tried["items"][0]["state"] == "unreachable"

    late = await plant.over(await plant.deliver(template, labels=["line=3"], deadlineS=1))
    assert late["counts"] == {"expired": 1}
    assert "not connected" in late["targets"][0]["message"]

    delivery = await plant.deliver(
        template, labels=["line=3"], defaults={"site": "e", "latency": "6"}
    )
    busy = {"defaults": {"site": "east"}}
    await plant.post(f"/edgetemplates/{template}/deliver", busy, 409)

    async def begun() -> bool | None:
        row = await plant.get(f"/edgedeliveries/{delivery}")
        return True if row["counts"].get("running") else None

    await until(begun)
    # Whoever was at it dies; what was asked for is in the database.
    distribution = plant.world.control.distribution
    await distribution.close()
    await distribution.open()
    await dial(edge.world, edge.token, plant.world, description="hall-3")
    done = await plant.over(delivery)
    assert done["counts"] == {"succeeded": 1}
    assert await edge.latency() == 6


async def test_stopped_it_waits_for_nobody(plant: Plant) -> None:
    template = await plant.template("stopped")
    edge = plant.edges["hall-1"]
    off = settings(plant.world, enable=False, description="hall-1")
    await edge.world.did(edge.token, "POST", "/tunnel", off)
    delivery = await plant.deliver(template, waveSize=1)

    async def begun() -> bool | None:
        row = await plant.get(f"/edgedeliveries/{delivery}")
        return True if row["counts"].get("running") else None

    await until(begun)
    await plant.post(f"/edgedeliveries/{delivery}/stop", None, 204)
    done = await plant.over(delivery)
    assert (done["state"], done["counts"]) == ("stopped", {"skipped": 3})
    await dial(edge.world, edge.token, plant.world, description="hall-1")


async def test_who_may_what(plant: Plant) -> None:
    template = await plant.template("whose")
    one = f"{plant.base}/edgetemplates/{template}"
    given = {"name": "x", "content": CONTENT, "parameters": PARAMETERS}
    changing = [
        ("POST", f"{plant.base}/edgetemplates", given),
        ("PUT", one, {"name": "x"}),
        ("DELETE", one, None),
        ("POST", f"{one}/versions", {"content": CONTENT, "parameters": PARAMETERS}),
        ("GET", f"{one}/versions/1", None),
        ("POST", f"{one}/preview", {}),
        ("POST", f"{one}/deliver", {}),
        ("POST", f"{plant.base}/edgedeliveries/{template}/stop", None),
        ("POST", f"{plant.base}/edgedeliveries/{template}/rollback", None),
    ]
    for method, path, body in changing:
        refused = await plant.world.ask(method, path, body, token=plant.viewer)
        assert refused.problem == (403, "FORBIDDEN"), path
    looking = ["/edgetemplates", f"/edgetemplates/{template}", "/edgedeliveries"]
    for path in (*looking, f"/edgetemplates/{template}/drift"):
        await plant.get(path, plant.viewer)
    for method, path, body in (*changing, ("GET", one, None)):
        hidden = await plant.world.ask(method, path, body, token=plant.stranger)
        assert hidden.status == 404, path
    gone = await plant.world.ask("DELETE", one, token=plant.admin)
    assert gone.status == 204
    for path in (one, f"{plant.base}/edgedeliveries/{template}"):
        missing = await plant.world.ask("GET", path, token=plant.admin)
        assert missing.problem == (404, "NOT_FOUND")


async def test_bad_aims_are_told(plant: Plant) -> None:
    template = await plant.template("aims")
    here = plant.edges["hall-1"].service
    for given, words in (
        ({"labels": ["site=none"]}, "no edge service"),
        ({"serviceIds": ["0" * 16]}, "0000"),
        ({}, "parameter site has no value"),
        ({"defaults": {"site": "a", "other": "b"}}, "no parameter other"),
        ({"values": {here: {"site": "a"}}, "serviceIds": [here], "version": 9}, "no version 9"),
    ):
        answer = await plant.world.ask(
            "POST", f"{plant.base}/edgetemplates/{template}/deliver", given, token=plant.admin
        )
        assert answer.status in (400, 404), answer.text
        assert words in answer.json["message"]


async def test_an_edge_service_that_is_gone_is_told_and_forgotten(plant: Plant) -> None:
    template = await plant.template("gone")
    edge = plant.edges["hall-3"]
    done = await plant.over(await plant.deliver(template, labels=["line=3"]))
    assert done["counts"] == {"succeeded": 1}
    services = f"{plant.base}/edgeservices/{edge.service}/unadopt"
    answer = await plant.world.ask("POST", services, token=plant.admin)
    assert answer.status == 204, answer.text
    assert (await plant.get(f"/edgetemplates/{template}/drift"))["items"] == []
    back = await plant.over((await plant.post(f"/edgedeliveries/{done['id']}/rollback"))["id"])
    assert back["counts"] == {"failed": 1}
    assert "no such" in back["targets"][0]["message"]
