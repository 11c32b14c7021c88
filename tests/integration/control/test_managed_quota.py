"""The limit of a real node, set by a real control plane through a real agent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness.adoption import AgentHost, Project, Told, changes, commands, project
from harness.client import RawClient
from harness.control import ADMIN, PASSWORD, Asker, ControlProcess
from harness.http_gate import HttpGate
from harness.node import HOST, fresh_name
from harness.packets import ConnAck, Connect
from harness.ports import free_port
from harness.rest_node import ADMIN as NODE_ADMIN
from harness.rest_node import PASSWORD as NODE_PASSWORD
from harness.rest_node import Rest, RestNode, rest_node

pytestmark = pytest.mark.slow

QUOTA_EXCEEDED = 0x97
SETTING = "/api/v5/license/setting"
LIMIT = "dynamic_max_connections"


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    sets = {
        "control.bind": f"127.0.0.1:{free_port()}",
        "control.relay.tcp": f"127.0.0.1:{free_port()}",
        "control.relay.tls": f"127.0.0.1:{free_port()}",
        "control.agents.report_interval": "1s",
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
    with rest_node(tmp_path_factory.mktemp("node")) as made:
        yield made


@pytest.fixture(scope="module")
def gate(node: RestNode) -> Iterator[HttpGate]:
    with HttpGate(f"http://127.0.0.1:{node.port()}") as made:
        yield made


@pytest_asyncio.fixture
async def of(control: ControlProcess, request: pytest.FixtureRequest) -> AsyncIterator[Project]:
    async with aiohttp.ClientSession() as client:
        asker = Asker(control.url, client)
        if not (await asker.ask("GET", "/setup")).json["isFinished"]:
            address = control.url.replace("http:", "https:")
            given = {"email": ADMIN, "password": PASSWORD, "accessAddress": address}
            assert (await asker.ask("POST", "/setup", given)).status == 204
        yield await project(asker, await asker.sign_in(), request.node.name[:60])


@pytest.fixture
def host(tmp_path: Path) -> Iterator[AgentHost]:
    made = AgentHost(tmp_path / "host")
    yield made
    made.stop()


class Adopted:
    """A node whose limit control holds at ten."""

    def __init__(self, of: Project, cluster: str, told: Told) -> None:
        self.of = of
        self.id = cluster
        self.told = told

    async def until(self, is_it: Callable[[Any], bool], path: str = "quota") -> Any:
        """Wait until what is asked for is so; the stream says when to ask again."""
        while True:
            found = await self.of.ask("GET", f"/{self.id}/{path}")
            if is_it(found):
                return found
            await self.told.until("cluster", lambda row: row["id"] == self.id)

    async def in_force(self, limit: int) -> Any:
        """Wait until the limit is that one, by the cluster's own report."""
        wanted = ("inForce", limit, limit)
        return await self.until(
            lambda quota: (quota["state"], quota["limit"], quota["reportedLimit"]) == wanted
        )

    async def put(self, limit: int | None) -> None:
        await self.of.ask("PUT", f"/{self.id}/quota", {"limit": limit})


async def adopted(of: Project, told: Told, gate: HttpGate, host: AgentHost) -> Adopted:
    cluster = (await of.ask("POST", "", {"name": "plant-1"}))["id"]
    issued = await of.ask("POST", f"/{cluster}/registration-token", {})
    typed = {
        "registrationToken": issued["token"],
        "username": NODE_ADMIN,
        "password": NODE_PASSWORD,
        "dashboardUrl": gate.url,
        "apiUrl": gate.url,
    }
    for command in await commands(of, cluster, typed):
        host.run(command)
    made = Adopted(of, cluster, told)
    await made.in_force(10)
    return made


def connect(clients: ExitStack, node: RestNode) -> int:
    """The reason code of another client's CONNACK; it stays."""
    client = clients.enter_context(RawClient(HOST, node.node.port, 5))
    client.send(Connect(fresh_name("c"), True, 60))
    return client.expect(ConnAck).reason_code


def administrator(node: RestNode) -> Rest:
    return node.nobody.login(NODE_ADMIN, NODE_PASSWORD)


async def test_a_limit_is_enforced_kept_and_given_back(
    of: Project, control: ControlProcess, node: RestNode, gate: HttpGate, host: AgentHost
) -> None:
    there = administrator(node)
    there.put("/license/setting", {LIMIT: 500})
    async with changes(of) as told:
        cluster = await adopted(of, told, gate, host)
        with ExitStack() as clients:
            assert [connect(clients, node) for _ in range(10)] == [0] * 10
            assert connect(clients, node) == QUOTA_EXCEEDED
            await cluster.put(11)
            await cluster.in_force(11)
            assert connect(clients, node) == 0
            assert connect(clients, node) == QUOTA_EXCEEDED
        shown = there.get("/license/setting").json["managed_by"]
        url = control.url.replace("http:", "https:")
        assert shown == {"name": "Rookery", "url": url, "former_limit": 500}

        there.put("/license/setting", {LIMIT: 300})
        await cluster.until(
            lambda rows: rows["total"] == 3 and rows["items"][2]["state"] == "succeeded",
            "commands?kind=quota.set",
        )
        await cluster.in_force(11)
        assert there.get("/license/setting").json[LIMIT] == 11
        audited = await of.asker.ask("GET", "/audit?operation=reassertQuota", token=of.token)
        rows = [row for row in audited.json["items"] if row["objectId"] == cluster.id]
        assert [(row["before"], row["after"]) for row in rows] == [({"limit": 300}, {"limit": 11})]

        await of.ask("POST", f"/{cluster.id}/unregister")
        await cluster.until(
            lambda rows: rows["items"][0]["state"] == "succeeded", "commands?kind=unregister"
        )
    host.wait_until_removed()
    found = there.get("/license/setting").json
    assert (found[LIMIT], found["managed_by"]) == (500, None)


async def test_an_agent_that_dies_between_command_and_result_does_it_once(
    of: Project, node: RestNode, gate: HttpGate, host: AgentHost
) -> None:
    async with changes(of) as told:
        cluster = await adopted(of, told, gate, host)
        before = gate.count("PUT", SETTING)
        gate.hold("PUT", SETTING)
        await cluster.put(20)
        gate.wait_until_held()
        host.kill()
        gate.let_go()
        assert administrator(node).get("/license/setting").json[LIMIT] == 20
        assert (await of.ask("GET", f"/{cluster.id}/quota"))["state"] == "applying"
        host.agent("start")
        await cluster.in_force(20)
        (done,) = (await of.ask("GET", f"/{cluster.id}/commands?order=desc&size=1"))["items"]
        assert (done["state"], done["code"], done["attempts"]) == ("succeeded", "ALREADY", 2)
        assert gate.count("PUT", SETTING) == before + 1


async def test_a_control_plane_that_dies_between_command_and_result_learns_it(
    of: Project, node: RestNode, gate: HttpGate, host: AgentHost, control: ControlProcess
) -> None:
    async with changes(of) as told:
        cluster = await adopted(of, told, gate, host)
        before = gate.count("PUT", SETTING)
        gate.hold("PUT", SETTING)
        await cluster.put(30)
        gate.wait_until_held()
    control.kill()
    gate.let_go()
    control.start()
    async with changes(of) as told:
        cluster = Adopted(of, cluster.id, told)
        await cluster.in_force(30)
    (done,) = (await of.ask("GET", f"/{cluster.id}/commands?order=desc&size=1"))["items"]
    assert (done["state"], done["code"]) == ("succeeded", "DONE")
    assert gate.count("PUT", SETTING) == before + 1
