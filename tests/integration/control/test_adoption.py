"""A real cluster is adopted by a real control plane with the commands that its page prints."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qs

import aiohttp
import pytest
import pytest_asyncio

from harness.adoption import AgentHost, Project, changes, commands, project
from harness.control import ADMIN, PASSWORD, Asker, ControlProcess
from harness.ports import free_port
from harness.rest_node import ADMIN as NODE_ADMIN
from harness.rest_node import PASSWORD as NODE_PASSWORD
from harness.rest_node import RestNode, rest_node

pytestmark = pytest.mark.slow

REPORT_S = 1


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    sets = {
        "control.bind": f"127.0.0.1:{free_port()}",
        "control.relay.tcp": f"127.0.0.1:{free_port()}",
        "control.relay.tls": f"127.0.0.1:{free_port()}",
        "control.agents.report_interval": f"{REPORT_S}s",
        "control.doors.ports": "{0}-{0}".format(free_port()),
    }
    arguments = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
    process = ControlProcess(tmp_path_factory.mktemp("control"), *arguments)
    process.start()
    try:
        yield process
    finally:
        process.stop()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestNode]:
    # It comes back where it was.
    settings = {"dashboard.listeners.http.bind": f"127.0.0.1:{free_port()}"}
    with rest_node(tmp_path_factory.mktemp("node"), settings) as made:
        yield made


@pytest_asyncio.fixture
async def of(control: ControlProcess, request: pytest.FixtureRequest) -> AsyncIterator[Project]:
    async with aiohttp.ClientSession() as client:
        asker = Asker(control.url, client)
        state = await asker.ask("GET", "/setup")
        if not state.json["isFinished"]:
            given = {"email": ADMIN, "password": PASSWORD}
            address = control.url.replace("http:", "https:")
            made = await asker.ask("POST", "/setup", {**given, "accessAddress": address})
            assert made.status == 204, made.text
        yield await project(asker, await asker.sign_in(), request.node.name[:60])


@pytest.fixture
def host(tmp_path: Path) -> Iterator[AgentHost]:
    made = AgentHost(tmp_path / "host")
    yield made
    made.stop()


def typed_in(node: RestNode, token: str) -> dict[str, str]:
    url = f"http://127.0.0.1:{node.port()}"
    return {
        "registrationToken": token,
        "username": NODE_ADMIN,
        "password": NODE_PASSWORD,
        "dashboardUrl": url,
        "apiUrl": url,
    }


async def entry(of: Project, name: str = "plant-1", address: str = "") -> str:
    made = await of.ask("POST", "", {"name": name, "address": address})
    assert made["state"] == "created"
    cluster: str = made["id"]
    return cluster


async def token(of: Project, cluster: str, *, replace: bool = False) -> str:
    body = {"replace": replace}
    made = await of.ask("POST", f"/{cluster}/registration-token", body)
    issued: str = made["token"]
    return issued


async def adopt(of: Project, cluster: str, node: RestNode, host: AgentHost) -> None:
    for command in await commands(of, cluster, typed_in(node, await token(of, cluster))):
        host.run(command)


async def test_a_cluster_is_adopted_by_the_printed_commands_and_its_state_is_true(
    of: Project, node: RestNode, host: AgentHost
) -> None:
    cluster = await entry(of, address=f"http://127.0.0.1:{node.port()}")
    download, register, start = await commands(
        of, cluster, typed_in(node, await token(of, cluster))
    )
    async with changes(of) as told:
        host.run(download)
        await told.until("checklist", lambda data: _done(data) == ["token", "downloaded"])
        host.run(register)
        row = await told.until("cluster", lambda row: row["state"] == "registering")
        assert row["tokenState"] == "used"
        host.run(start)
        row = await told.until("cluster", lambda row: row["state"] == "running")
        assert (row["nodesRunning"], row["nodesTotal"], row["presence"]) == (1, 1, "online")
        assert row["version"]
        assert row["connectionLimit"] is None  # the node has none
        assert row["conditions"] == []
        steps = await of.ask("GET", f"/{cluster}/checklist")
        assert all(step["done"] for step in steps["steps"])

        await enters(of, cluster, node)
        await enters_through_the_tunnel(of, cluster)
        await only_looks(of, cluster)

        node.node.stop()
        row = await told.until("cluster", lambda row: row["state"] == "abnormal")
        assert row["conditions"][0]["type"] in ("ClusterUnreachable", "NodeUnreachable")
        assert row["presence"] == "online"
        node.node.start()
        await told.until("cluster", lambda row: row["state"] == "running")


async def enters(of: Project, cluster: str, node: RestNode) -> None:
    """Through the agent: a call, and a way into the dashboard that works once."""
    path = f"/clusters/{cluster}/proxy/api/v5/clients?limit=5"
    answer = await of.asker.ask("GET", path, token=of.token)
    assert answer.status == 200, answer.text
    assert answer.json["meta"]["limit"] == 5
    missing = await of.asker.ask("GET", path.replace("clients", "no_such"), token=of.token)
    assert missing.status == 404  # of the node itself
    entered = await of.ask("POST", f"/{cluster}/dashboard")
    address, _, code = entered["url"].partition("/?sso_code=")
    assert address == f"http://127.0.0.1:{node.port()}"
    first = node.nobody.post("/login", {"sso_code": code})
    assert first.status == 200, first
    mine = node.nobody.with_token(first.json["token"])
    assert mine.get("/clients").status == 200
    assert node.nobody.post("/login", {"sso_code": code}).code == "BAD_SSO_CODE"
    rows = await of.asker.ask("GET", "/audit?operation=enterDashboard", token=of.token)
    assert cluster in rows.text
    assert code not in rows.text


async def enters_through_the_tunnel(of: Project, cluster: str) -> None:
    """A browser that reaches control alone gets the dashboard, signed in, at a port of control."""
    entered = (await of.ask("POST", f"/{cluster}/dashboard?via=tunnel"))["url"]
    origin, _, rest = entered.partition("/.rookery/enter?")
    code = parse_qs(rest)["sso_code"][0]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(f"{origin}/") as page:
            assert page.status == 401
        async with browser.get(entered) as page:
            assert f"url=/?sso_code={code}" in await page.text()
        async with browser.get(f"{origin}/?sso_code={code}") as page:
            assert page.status == 200
            assert '<div id="root">' in await page.text()
        async with browser.post(f"{origin}/api/v5/login", json={"sso_code": code}) as login:
            assert login.status == 200, await login.text()
            token = (await login.json())["token"]
        headers = {"authorization": f"Bearer {token}"}
        async with browser.get(f"{origin}/api/v5/clients", headers=headers) as clients:
            assert clients.status == 200, await clients.text()
        async with browser.get(entered) as again:
            assert again.status == 401


async def only_looks(of: Project, cluster: str) -> None:
    """Whoever may only look at the cluster here may not do more there."""
    email = f"viewer-{cluster}@example.com"
    given = {"email": email, "password": PASSWORD, "role": "viewer"}
    user = await of.asker.make(of.token, f"/orgs/{of.org}/members", given)
    members = f"/orgs/{of.org}/projects/{of.id}/members"
    await of.asker.make(of.token, members, {"userId": user, "role": "viewer"})
    viewer = await of.asker.sign_in(email)
    proxy = f"/clusters/{cluster}/proxy/api/v5"

    async def outcome(method: str, path: str) -> int:
        return (await of.asker.ask(method, f"{proxy}/{path}", token=viewer)).status

    assert await outcome("GET", "clients") == 200
    assert await outcome("HEAD", "clients") in (200, 405)
    # The cluster's own word: no API key looks at users and keys.
    assert await outcome("GET", "users") in (401, 403)
    assert await outcome("GET", "api_key") in (401, 403)
    assert await outcome("DELETE", "clients/x") == 403
    assert await outcome("GET", "data/files/x") == 403


def _done(checklist: dict[str, list[dict[str, object]]]) -> list[object]:
    return [step["id"] for step in checklist["steps"] if step["done"]]


async def test_an_agent_that_dies_is_lost_and_comes_back(
    of: Project, node: RestNode, host: AgentHost
) -> None:
    cluster = await entry(of)
    async with changes(of) as told:
        await adopt(of, cluster, node, host)
        await told.until("cluster", lambda row: row["state"] == "running")
        host.kill()
        row = await told.until("cluster", lambda row: "AgentLost" in _types(row))
        assert (row["state"], row["presence"]) == ("abnormal", "offline")
        # There is nobody who could be told.
        assert await of.problem("DELETE", f"/{cluster}", {"name": "plant-1"}) == (409, "CONFLICT")
        refused = await of.problem("POST", f"/{cluster}/dashboard?via=direct")
        assert refused == (409, "CONFLICT")  # no address
        refused = await of.problem("POST", f"/{cluster}/dashboard")
        assert refused == (503, "SERVICE_UNAVAILABLE")  # so through the agent, which is away
        host.agent("start")
        row = await told.until("cluster", lambda row: row["state"] == "running")
        assert row["conditions"] == []


async def test_one_entry_has_one_agent_and_another_may_take_its_place(
    of: Project, node: RestNode, host: AgentHost, tmp_path: Path
) -> None:
    cluster = await entry(of)
    other = AgentHost(tmp_path / "other")
    values = typed_in(node, await token(of, cluster))
    download, register, start = await commands(of, cluster, values, insecure=True)
    async with changes(of) as told:
        for command in (download, register, start):
            host.run(command)
        await told.until("cluster", lambda row: row["state"] == "running")
        other.run(download)
        refused = other.run(register, check=False)
        assert refused.returncode != 0
        assert "used already" in refused.stdout + refused.stderr
        issued = await of.problem("POST", f"/{cluster}/registration-token", {})
        assert issued == (409, "CONFLICT")

        values["registrationToken"] = await token(of, cluster, replace=True)
        _, register, start = await commands(of, cluster, values)
        other.run(register)
        second = (await of.ask("GET", f"/{cluster}"))["agent"]["id"]
        other.run(start)
        await told.until(
            "cluster", lambda row: row["state"] == "running" and row["agent"]["id"] == second
        )
        host.wait_until_removed()
        other.stop()


async def test_an_entry_is_unregistered_adopted_again_and_deleted(
    of: Project, node: RestNode, host: AgentHost
) -> None:
    cluster = await entry(of)
    async with changes(of) as told:
        await adopt(of, cluster, node, host)
        await told.until("cluster", lambda row: row["state"] == "running")
        await of.ask("POST", f"/{cluster}/unregister")
        row = await told.until("cluster", lambda row: row["state"] == "created")
        assert (row["agent"], row["version"], row["nodesTotal"]) == (None, "", 0)
        host.wait_until_removed()

        await adopt(of, cluster, node, host)
        await told.until("cluster", lambda row: row["state"] == "running")
        assert await of.problem("DELETE", f"/{cluster}", {"name": "other"}) == (400, "BAD_REQUEST")
        await of.ask("DELETE", f"/{cluster}", {"name": "plant-1"})
        await told.until("removed", lambda data: data["id"] == cluster)
        host.wait_until_removed()
    assert await of.problem("GET", f"/{cluster}") == (404, "NOT_FOUND")


async def test_who_unregisters_at_the_agent_frees_the_entry(
    of: Project, node: RestNode, host: AgentHost
) -> None:
    cluster = await entry(of)
    async with changes(of) as told:
        await adopt(of, cluster, node, host)
        await told.until("cluster", lambda row: row["state"] == "running")
        host.agent("unregister")
        await told.until("cluster", lambda row: row["state"] == "created")


async def test_a_cluster_deleted_by_force_is_told_to_its_agent_when_it_is_back(
    of: Project, node: RestNode, host: AgentHost
) -> None:
    cluster = await entry(of)
    async with changes(of) as told:
        await adopt(of, cluster, node, host)
        await told.until("cluster", lambda row: row["state"] == "running")
        host.agent("stop")
        await told.until("cluster", lambda row: row["presence"] == "offline")
        await of.ask("DELETE", f"/{cluster}?force=true", {"name": "plant-1"})
        await told.until("removed", lambda data: data["id"] == cluster)
    host.agent("start")
    host.wait_until_removed()
    assert "not registered" in host.agent("status", check=False).stdout


async def test_a_rule_and_a_connector_that_break_are_told_with_the_reason(
    of: Project, node: RestNode, host: AgentHost
) -> None:
    cluster = await entry(of, address=f"http://127.0.0.1:{node.port()}")
    at_node = node.admin
    service = {"type": "http", "name": "plant", "url": f"http://127.0.0.1:{free_port()}"}
    assert at_node.post("/connectors", service).status == 201
    action = {
        "type": "http",
        "name": "tell",
        "connector": "plant",
        "parameters": {"method": "post"},
    }
    assert at_node.post("/actions", action).status == 201
    for name, actions in (("hot", ["http:tell"]), ("fine", [])):
        rule = {"id": name, "sql": f'SELECT * FROM "{name}/#"', "actions": actions}
        assert at_node.post("/rules", rule).status == 201
    below = f"/orgs/{of.org}/projects/{of.id}"
    async with changes(of) as told:
        await adopt(of, cluster, node, host)
        counts: dict[str, dict[str, int]] = {}
        while counts.get("rules", {}).get("abnormal") != 1:
            await told.until("cluster", lambda row: row["state"] == "running")
            counts = (await of.asker.ask("GET", f"{below}/monitoring", token=of.token)).json
        assert counts["rules"] == {"total": 2, "running": 2, "stopped": 0, "abnormal": 1}
        assert counts["connectors"]["disconnected"] == 1
        found = await of.asker.ask("GET", f"{below}/monitoring/integrations", token=of.token)
        rows = {(row["kind"], row["id"]): row for row in found.json["items"]}
        assert set(rows) == {("rule", "hot"), ("connector", "http:plant"), ("action", "http:tell")}
        assert rows["connector", "http:plant"]["reason"]
        assert rows["rule", "hot"]["reason"].startswith("http:tell: ")
        page = rows["connector", "http:plant"]["page"]
        entered = await of.ask("POST", f"/{cluster}/dashboard", {"page": page})
        assert entered["url"].endswith("#/connectors/http:plant")

        assert at_node.put("/rules/hot/enable/false").status == 204
        while counts["rules"]["stopped"] != 1:
            await told.until("cluster", lambda row: row["state"] == "running")
            counts = (await of.asker.ask("GET", f"{below}/monitoring", token=of.token)).json
        metrics = await of.ask("GET", f"/{cluster}/metrics?names=rulesStopped&names=load1&node=*")
        assert {line["name"] for line in metrics["series"]} == {"rulesStopped", "load1"}
    for path in ("/rules/hot", "/rules/fine", "/actions/http:tell", "/connectors/http:plant"):
        assert at_node.delete(path).status == 204


async def test_control_restarts_and_nothing_becomes_abnormal(
    of: Project, node: RestNode, host: AgentHost, control: ControlProcess
) -> None:
    cluster = await entry(of)
    async with changes(of) as told:
        await adopt(of, cluster, node, host)
        before = await told.until("cluster", lambda row: row["state"] == "running")
    control.kill()
    control.start()
    async with changes(of) as told:
        # The first that is heard of it says that it runs, by a new connection.
        row = await told.until("cluster", lambda _row: True)
        assert row["state"] == "running", row
        await told.until("cluster", lambda row: row["presenceAt"] > before["presenceAt"])


def _types(row: dict[str, list[dict[str, object]]]) -> list[object]:
    return [condition["type"] for condition in row["conditions"]]
