"""An edge service dials into a control plane: appears there, is adopted, worked on, let go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from harness.client import DEADLINE_S
from harness.control import PASSWORD, World, control_world
from harness.edge import EdgeWorld, edge_world
from harness.edge_agents import dial, settings, until, until_status
from rookery.contracts.agent_v1 import CHUNK_BYTES_MAX

pytestmark = pytest.mark.asyncio(loop_scope="module")

VIEWER = "vic@example.com"


class Site(NamedTuple):
    """A control plane with a project, and an edge service that dialed in."""

    world: World
    edge: EdgeWorld
    admin: str
    viewer: str
    token: str
    org: str
    project: str

    @property
    def services(self) -> str:
        return f"/orgs/{self.org}/projects/{self.project}/edgeservices"

    async def get(self, path: str, *, token: str = "", **more: Any) -> Any:
        answer = await self.world.ask("GET", path, token=token or self.admin, **more)
        assert answer.status == 200, answer.text
        return answer.json

    async def post(self, path: str, body: Any = None, status: int = 204) -> Any:
        answer = await self.world.ask("POST", path, body, token=self.admin)
        assert answer.status == status, answer.text
        return answer.json if answer.text else None

    async def agent(self, **wanted: Any) -> dict[str, Any]:
        """The one agent that there is, when it is so."""

        async def found() -> dict[str, Any] | None:
            rows = (await self.get("/edgeagents"))["items"]
            fits = [row for row in rows if all(row[k] == v for k, v in wanted.items())]
            return fits[0] if fits else None

        return await until(found)

    async def adopted(self, name: str = "hall-3") -> dict[str, Any]:
        """The service that the agent is adopted as."""
        agent = await self.agent(state="pending", presence="online")
        given = {"name": name, "orgId": self.org, "projectId": self.project, "labels": ["a=b"]}
        made: dict[str, Any] = await self.post(f"/edgeagents/{agent['id']}/adopt", given, 201)
        return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("edges")
    interval = ("control.agents.report_interval=1s",)
    async with control_world(folder / "control", sets=interval) as world:
        admin = await world.set_up()
        org = await world.make(admin, "/orgs", {"name": "Factory East"})
        project = await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})
        viewer = await _viewer(world, admin, org, project)
        async with edge_world(folder / "edge") as edge:
            token = await edge.first_visit()
            await dial(edge, token, world, description="Hall 3")
            yield Site(world, edge, admin, viewer, token, org, project)


async def _viewer(world: World, admin: str, org: str, project: str) -> str:
    given = {"email": VIEWER, "password": PASSWORD, "role": "viewer"}
    user = await world.make(admin, f"/orgs/{org}/members", given)
    members = f"/orgs/{org}/projects/{project}/members"
    await world.make(admin, members, {"userId": user, "role": "viewer"})
    return await world.sign_in(VIEWER)


async def test_who_dials_in_appears_and_waits(site: Site) -> None:
    agent = await site.agent(state="pending", presence="online")
    assert (agent["description"], agent["kind"], agent["serviceId"]) == ("Hall 3", "edge", None)
    said = await until_status(site.edge, site.token, "connected", managed=False)
    assert (said["agentId"], said["shortId"]) == (agent["id"], agent["shortId"])
    assert len(agent["shortId"]) == 8
    # Nobody who may adopt nowhere gets to know who waits.
    assert (await site.get("/edgeagents", token=site.viewer))["items"] == []
    shown = await site.edge.did(site.token, "GET", "/tunnel")
    assert shown["hasPassword"]
    assert "public" not in str(shown)


async def test_adopted_it_belongs_to_a_project_until_it_is_let_go(site: Site) -> None:
    service = await site.adopted()
    said = await until_status(site.edge, site.token, "connected", managed=True)
    assert (said["service"], said["project"], said["organization"]) == (
        "hall-3", "Plant 1", "Factory East",
    )  # fmt: skip
    agent = await site.agent(state="managed")
    assert (agent["serviceName"], agent["projectName"]) == ("hall-3", "Plant 1")
    refused = await site.world.ask("DELETE", f"/edgeagents/{agent['id']}", token=site.admin)
    assert refused.problem == (409, "CONFLICT")
    assert "un-adopt" in refused.json["message"]
    row = (await site.get(f"{site.services}?label=a%3Db&search=hall", token=site.viewer))["items"]
    assert [item["id"] for item in row] == [service["id"]]
    assert (await site.get(f"{site.services}?label=other"))["total"] == 0
    await site.post(f"{site.services}/{service['id']}/unadopt")
    await until_status(site.edge, site.token, "connected", managed=False)
    assert (await site.get(site.services))["total"] == 0


async def test_its_interface_is_there_through_the_tunnel_with_the_callers_role(site: Site) -> None:
    service = await site.adopted("tunnelled")
    proxy = f"/edgeservice/proxy/{service['id']}/api"
    me = await site.get(f"{proxy}/me")
    assert (me["name"], me["role"], me["via"]) == ("ada@example.com", "administrator", "control")
    assert (await site.get(f"{proxy}/me", token=site.viewer))["role"] == "viewer"
    node = {"name": "plc", "plugin": "Simulator", "params": {}}
    refused = await site.world.ask("POST", f"{proxy}/neuron/node", node, token=site.viewer)
    assert (refused.status, refused.json["error"]) == (403, 1017)
    made = await site.world.ask("POST", f"{proxy}/neuron/node", node, token=site.admin)
    assert made.status == 200, made.text
    here = await site.edge.did(site.token, "GET", "/neuron/node?type=1")
    assert [row["name"] for row in here["nodes"]] == ["plc"]
    # More than one chunk, and a body that is longer than one.
    export = await site.get(f"{proxy}/neuron/global/config")
    assert export["nodes"][0]["name"] == "plc"
    page = await site.world.ask("GET", f"/edgeservice/proxy/{service['id']}/index.html",
                                token=site.admin)  # fmt: skip
    assert page.headers["content-security-policy"] == "sandbox"
    for path in (f"/edgeservice/proxy/{'0' * 16}/api/me", f"/edgeservice/proxy/{service['id']}/"):
        answer = await site.world.ask("GET", path, token=site.admin)
        assert answer.status in (400, 404), answer.text
    audit = await site.get("/audit?resource=edgeServices&operation=proxy")
    assert audit["items"][0]["objectName"] == "tunnelled"
    await site.edge.did(site.token, "DELETE", "/neuron/node", {"name": "plc"})
    await site.post(f"{site.services}/{service['id']}/unadopt")


async def test_long_bodies_and_streams_pass_in_both_directions(site: Site) -> None:
    service = await site.adopted("long")
    proxy = f"/edgeservice/proxy/{service['id']}/api/neuron"
    node = {"name": "sim", "plugin": "Simulator", "params": {}}
    await site.edge.did(site.token, "POST", "/neuron/node", node)
    group = {"node": "sim", "group": "g", "interval": 100}
    await site.edge.did(site.token, "POST", "/neuron/group", group)
    tags = [
        {"name": f"t{n}", "address": "sine", "attribute": 1, "type": 9, "description": "x" * 100}
        for n in range(3000)
    ]
    given = {"node": "sim", "group": "g", "tags": tags}
    made = await site.world.ask("POST", f"{proxy}/tags", given, token=site.admin)
    assert made.status == 200, made.text
    shown = await site.world.ask("GET", f"{proxy}/tags?node=sim&group=g", token=site.viewer)
    assert len(shown.text) > 2 * CHUNK_BYTES_MAX
    assert [tag["name"] for tag in shown.json["tags"]] == [tag["name"] for tag in tags]
    url = f"{site.world.url}/api{proxy}/read/stream?node=sim&group=g"
    headers = {"authorization": f"Bearer {site.viewer}"}
    async with asyncio.timeout(DEADLINE_S), site.world.client.get(url, headers=headers) as live:
        assert live.headers["content-type"].startswith("text/event-stream")
        found = b""
        while b"t2999" not in found:
            found += await live.content.readany()
    tunnel = site.world.control.adoption.tunnel

    async def over() -> bool | None:
        # Who went away has nobody answer him any longer.
        return True if not tunnel.counts else None

    await until(over)
    await site.edge.did(site.token, "DELETE", "/neuron/node", {"name": "sim"})
    await site.post(f"{site.services}/{service['id']}/unadopt")


async def test_its_nodes_are_reported_abnormal_ones_first(site: Site) -> None:
    service = await site.adopted("reported")
    # Nothing listens there.
    params = {"host": "127.0.0.1", "port": 1}
    for name, plugin, given in (("good", "Simulator", {}), ("bad", "Modbus TCP", params)):
        node = {"name": name, "plugin": plugin, "params": given}
        await site.edge.did(site.token, "POST", "/neuron/node", node)

    async def found() -> dict[str, Any] | None:
        row: dict[str, Any] = await site.get(f"{site.services}/{service['id']}")
        # The reason comes with the first try that failed.
        is_told = row["drivers"]["total"] == 2 and row["nodes"][0]["error"]
        return row if row["state"] == "abnormal" and is_told else None

    row = await until(found)
    assert row["drivers"] == {"total": 2, "running": 2, "abnormal": 1}
    assert [(node["name"], node["isAbnormal"]) for node in row["nodes"]] == [
        ("bad", True), ("good", False),
    ]  # fmt: skip
    assert row["nodes"][0]["error"]
    assert (await site.get(f"{site.services}?state=abnormal"))["total"] == 1
    for name in ("good", "bad"):
        await site.edge.did(site.token, "DELETE", "/neuron/node", {"name": name})
    await site.post(f"{site.services}/{service['id']}/unadopt")


async def test_switched_off_it_leaves_and_keeps_its_place(site: Site) -> None:
    service = await site.adopted("leaving")
    before = await until_status(site.edge, site.token, "connected", managed=True)
    off = settings(site.world, enable=False)
    await site.edge.did(site.token, "POST", "/tunnel", off)

    async def left() -> dict[str, Any] | None:
        row: dict[str, Any] = await site.get(f"{site.services}/{service['id']}")
        return row if row["state"] == "left" else None

    await until(left)
    assert (await site.edge.did(site.token, "GET", "/status/ecp_tunnel"))["status"] == "init"
    away = await site.world.ask(
        "GET", f"/edgeservice/proxy/{service['id']}/api/me", token=site.admin
    )
    assert away.status == 503
    await dial(site.edge, site.token, site.world, description="Hall 3")
    after = await until_status(site.edge, site.token, "connected", managed=True)
    assert after["agentId"] == before["agentId"]
    await site.post(f"{site.services}/{service['id']}/unadopt")


async def test_rejected_it_learns_why_and_may_be_admitted_again(site: Site) -> None:
    agent = await site.agent(state="pending", presence="online")
    await site.post(f"/edgeagents/{agent['id']}/reject", {"reason": "not one of ours"})
    said = await until_status(site.edge, site.token, "rejected")
    assert said["error"]["code"] == "REJECTED"
    assert "not one of ours" in said["error"]["message"]
    taken = await site.world.ask(
        "POST",
        f"/edgeagents/{agent['id']}/adopt",
        {"name": "x", "orgId": site.org, "projectId": site.project},
        token=site.admin,
    )
    assert taken.problem == (409, "CONFLICT")
    await site.post(f"/edgeagents/{agent['id']}/readmit")
    again = await dial(site.edge, site.token, site.world, description="Hall 3")
    assert again["agentId"] == agent["id"]


async def test_deleted_it_learns_it_and_comes_back_as_somebody_new(site: Site) -> None:
    service = await site.adopted("deleted")
    before = await site.agent(state="managed")
    wrong = await site.world.ask(
        "DELETE", f"{site.services}/{service['id']}", {"name": "other"}, token=site.admin
    )
    assert wrong.status == 400
    gone = await site.world.ask(
        "DELETE", f"{site.services}/{service['id']}", {"name": "deleted"}, token=site.admin
    )
    assert gone.status == 204
    said = await until_status(site.edge, site.token, "removed")
    assert "deleted by ada@example.com" in said["error"]["message"]
    assert (await site.get("/edgeagents"))["total"] == 0
    again = await dial(site.edge, site.token, site.world, description="Hall 3")
    assert again["agentId"] != before["id"]


async def test_wrong_words_are_told_in_both_languages(site: Site) -> None:
    await site.edge.did(site.token, "POST", "/management/cancel")
    await site.edge.did(site.token, "POST", "/tunnel", settings(site.world, password="wrong"))
    said = await until_status(site.edge, site.token, "refused")
    assert said["error"]["code"] == "WRONG_PASSWORD"
    chinese = await site.edge.ask(
        "GET", "/status/ecp_tunnel", token=site.token, headers={"accept-language": "zh-CN"}
    )
    assert "用户名或密码" in chinese.json["error"]["message"]
    given = settings(site.world, address="tcp://127.0.0.1:1")
    await site.edge.did(site.token, "POST", "/tunnel", given)
    said = await until_status(site.edge, site.token, "disconnected")
    assert said["error"]["code"] == "UNREACHABLE"
    for wrong, word in (
        ({"address": "nowhere"}, "address"),
        ({"address": ""}, "address"),
        ({"rootCARaw": "bm90IGEgcGVt"}, "rootCARaw"),
        ({"certificationRaw": "LS0tLS1CRUdJTiB4"}, "privateKeyRaw"),
    ):
        answer = await site.edge.ask(
            "POST", "/tunnel", settings(site.world, **wrong), token=site.token
        )
        assert (answer.status, answer.json["error"]) == (400, 1002), answer.text
        assert word in answer.json["message"]
    secure = site.world.control.adoption.relay.ports["tls"]
    given = settings(site.world, address=f"ssl://127.0.0.1:{secure}", enableSSL=True)
    await site.edge.did(site.token, "POST", "/tunnel", given)
    said = await until_status(site.edge, site.token, "disconnected")
    assert said["error"]["code"] == "TLS"
    assert "not trusted" in said["error"]["message"]


async def test_closed_nobody_new_gets_in(site: Site) -> None:
    shown = await site.get("/edgeagents/enrolment")
    assert (shown["isOpen"], shown["isDefaultPassword"]) == (True, True)
    closed = {"isOpen": False, "username": "admin"}
    answer = await site.world.ask("PUT", "/configuration/agent-enrolment", closed, token=site.admin)
    assert answer.status == 204, answer.text
    # Who has a name keeps it; one that gave it back has to ask.
    await site.edge.did(site.token, "POST", "/management/cancel")
    await site.edge.did(site.token, "POST", "/tunnel", settings(site.world))
    said = await until_status(site.edge, site.token, "refused")
    assert said["error"]["code"] == "ENROLMENT_CLOSED"
    changed = {"isOpen": True, "username": "plant", "password": "another-word-9"}
    await site.world.ask("PUT", "/configuration/agent-enrolment", changed, token=site.admin)
    shown = await site.get("/configuration/agent-enrolment")
    assert (shown["username"], shown["isDefaultPassword"]) == ("plant", False)
    await dial(site.edge, site.token, site.world, username="plant", password="another-word-9")


async def test_a_rule_adopts_who_comes(site: Site, tmp_path: Path) -> None:
    rule = {
        "name": "pumps",
        "description": "pump-*",
        "orgId": site.org,
        "projectId": site.project,
        "nameTemplate": "{description}",
        "labels": ["kind=pump"],
    }
    answer = await site.world.ask(
        "PUT", "/configuration/edge-adoption-rules", {"rules": [rule]}, token=site.admin
    )
    assert answer.status == 204, answer.text
    wrong = {"rules": [{**rule, "projectId": "0" * 16}]}
    answer = await site.world.ask(
        "PUT", "/configuration/edge-adoption-rules", wrong, token=site.admin
    )
    assert answer.status == 400
    async with edge_world(tmp_path / "pump") as pump:
        token = await pump.first_visit()
        await dial(
            pump, token, site.world,
            description="pump-7", username="plant", password="another-word-9",
        )  # fmt: skip
        said = await until_status(pump, token, "connected", managed=True)
        assert said["service"] == "pump-7"
        row = (await site.get(f"{site.services}?label=kind%3Dpump"))["items"][0]
        assert row["name"] == "pump-7"


async def test_its_pages_open_at_a_port_of_control_with_nobody_signing_in(site: Site) -> None:
    row = await site.adopted("paged")
    for token, role in ((site.admin, "administrator"), (site.viewer, "viewer")):
        opened = await site.world.ask("POST", f"{site.services}/{row['id']}/page", token=token)
        assert opened.status == 200, opened.text
        # Without TLS that is for this machine alone, so for this test.
        url = opened.json["url"]
        base = url.partition("/.rookery")[0]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            async with browser.get(f"{base}/api/me") as refused:
                assert refused.status == 401
            async with browser.get(url) as entered:
                assert entered.status == 200
            async with browser.get(f"{base}/api/me") as answer:
                me = await answer.json()
            assert (me["role"], me["via"], me["must_change_password"]) == (role, "control", False)
            async with browser.get(f"{base}/") as page:
                assert page.status in (200, 404)  # 404: the pages were not built
    audit = await site.get("/audit?resource=edgeServices&operation=enterPages")
    assert audit["total"] == 2
