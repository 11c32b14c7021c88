"""Two control processes on one PostgreSQL: agents and edge services at the first, people at the second."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from harness.adoption import AgentHost, Project, changes, commands, project
from harness.control import ADMIN, PASSWORD, Asker, ControlProcess
from harness.databases import postgresql_server
from harness.edge import edge_world
from harness.edge_agents import until, until_status
from harness.ports import free_port
from harness.rest_node import ADMIN as NODE_ADMIN
from harness.rest_node import PASSWORD as NODE_PASSWORD
from harness.rest_node import RestNode, rest_node

pytestmark = pytest.mark.slow

REPORT_S = 1
CONTENT = '{"nodes": [{"name": "press", "plugin": "Simulator"}]}'


class Pair(NamedTuple):
    """Two processes of one database."""

    first: ControlProcess
    second: ControlProcess
    tcp: int
    """The relay of the first one, without TLS."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The tests of this file are one story, in their order."""
    folder = tmp_path_factory.mktemp("neighbours")
    relays, plain = [free_port(), free_port()], [free_port(), free_port()]
    advertised = ",".join(f'"mqtts://127.0.0.1:{port}"' for port in relays)
    with postgresql_server() as database:
        made: list[ControlProcess] = []
        for name, relay, tcp in zip(("a", "b"), relays, plain, strict=True):
            sets = [
                f"control.bind=127.0.0.1:{free_port()}",
                f"control.relay.tcp=127.0.0.1:{tcp}",
                f"control.relay.tls=127.0.0.1:{relay}",
                f"control.relay.advertised=[{advertised}]",
                f"control.agents.report_interval={REPORT_S}s",
                "control.doors.ports={0}-{0}".format(free_port()),
            ]
            arguments = [part for item in sets for part in ("--set", item)]
            address = f"postgresql://rookery:it%27s%20secret@{database.address}/postgres"
            process = ControlProcess(folder / name, "--database", address, *arguments)
            if made:
                # One authority and one key of secrets for both.
                shutil.copytree(folder / "a" / "certificates", folder / name / "certificates")
                shutil.copy(folder / "a" / "secrets.key", folder / name / "secrets.key")
            process.start()
            made.append(process)
        try:
            yield Pair(made[0], made[1], plain[0])
        finally:
            for process in made:
                process.kill()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestNode]:
    settings = {"dashboard.listeners.http.bind": f"127.0.0.1:{free_port()}"}
    with rest_node(tmp_path_factory.mktemp("node"), settings) as made:
        yield made


@pytest_asyncio.fixture
async def at(pair: Pair, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Project, Project]]:
    """The same project, asked for at the first process and at the second."""
    jar = aiohttp.CookieJar(unsafe=True)  # of addresses, too
    async with aiohttp.ClientSession(cookie_jar=jar) as client:
        first, second = (Asker(process.url, client) for process in (pair.first, pair.second))
        if not (await first.ask("GET", "/setup")).json["isFinished"]:
            given = {"email": ADMIN, "password": PASSWORD}
            address = first.url.replace("http:", "https:")
            made = await first.ask("POST", "/setup", {**given, "accessAddress": address})
            assert made.status == 204, made.text
        of = await project(first, await first.sign_in(), request.node.name[:60])
        yield of, Project(second, of.token, of.org, of.id)


async def test_people_at_one_process_reach_the_agent_at_the_other(
    at: tuple[Project, Project],
    pair: Pair,
    node: RestNode,
    tmp_path: Path,
) -> None:
    first, second = at
    url = f"http://127.0.0.1:{node.port()}"
    made = await second.ask("POST", "", {"name": "plant-1", "address": url})
    cluster = made["id"]
    host = AgentHost(tmp_path / "host")
    try:
        async with changes(second) as told:
            await adopt(first, cluster, node, host)
            # At the first process, and those who look at the second are told.
            row = await told.until("cluster", lambda row: row["state"] == "running")
            listed = (await second.ask("GET"))["items"]
            assert [item["id"] for item in listed] == [cluster]
            await through_the_agent(second, cluster, node)

            pair.first.kill()
            before = row["presenceAt"]
            row = await told.until(
                "cluster", lambda row: row["presenceAt"] > before and row["state"] == "running"
            )
            assert row["conditions"] == []
            await through_the_agent(second, cluster, node)

            pair.first.start()
            # The agent is at the second now, and the first one asks there.
            await through_the_agent(first, cluster, node)
            await first.ask("POST", f"/{cluster}/unregister")
            await told.until("cluster", lambda row: row["state"] == "created")
            host.wait_until_removed()
    finally:
        host.stop()


async def adopt(of: Project, cluster: str, node: RestNode, host: AgentHost) -> None:
    url = f"http://127.0.0.1:{node.port()}"
    token = (await of.ask("POST", f"/{cluster}/registration-token", {}))["token"]
    values = {
        "registrationToken": token,
        "username": NODE_ADMIN,
        "password": NODE_PASSWORD,
        "dashboardUrl": url,
        "apiUrl": url,
    }
    for command in await commands(of, cluster, values):
        host.run(command)


async def through_the_agent(of: Project, cluster: str, node: RestNode) -> None:
    """A call, a large one, and the ways into the dashboard."""
    proxy = f"/clusters/{cluster}/proxy/api/v5"
    answer = await of.asker.ask("GET", f"{proxy}/clients?limit=5", token=of.token)
    assert answer.status == 200, answer.text
    assert answer.json["meta"]["limit"] == 5
    large = await of.asker.ask(
        "GET", "/clusters/" + cluster + "/proxy/api-docs/swagger.json", token=of.token
    )
    assert large.status == 200
    assert "/clients" in large.json["paths"]
    direct = (await of.ask("POST", f"/{cluster}/dashboard"))["url"]
    assert direct.startswith(f"http://127.0.0.1:{node.port()}/?sso_code=")
    entered = (await of.ask("POST", f"/{cluster}/dashboard?via=tunnel"))["url"]
    async with of.asker.client.get(entered) as page:
        assert page.status == 200, await page.text()
    origin = "/".join(entered.split("/")[:3])
    async with of.asker.client.get(f"{origin}/api/v5/status") as status:
        assert status.status == 200


async def test_a_delivery_begun_at_one_process_is_ended_by_the_other(
    at: tuple[Project, Project], pair: Pair, tmp_path: Path
) -> None:
    here, there = at
    first, second, admin = here.asker, there.asker, here.token
    base = here.path.removesuffix("/clusters")
    async with edge_world(tmp_path / "edge") as edge:
        token = await edge.first_visit()
        tunnel: dict[str, Any] = {
            "enable": True,
            "address": f"tcp://127.0.0.1:{pair.tcp}",
            "username": "admin",
            "password": "public",
        }
        await edge.did(token, "POST", "/tunnel", tunnel)
        said = await until_status(edge, token, "connected")
        body = {"name": "hall-1", "orgId": here.org, "projectId": here.id}
        adopted = await first.ask("POST", f"/edgeagents/{said['agentId']}/adopt", body, token=admin)
        assert adopted.status == 201, adopted.text
        template = await second.make(
            admin, f"{base}/edgetemplates", {"name": "press", "content": CONTENT}
        )

        async def deliver(at: Asker) -> str:
            begun = await at.ask(
                "POST", f"{base}/edgetemplates/{template}/deliver", {}, token=admin
            )
            assert begun.status == 202, begun.text
            return str(begun.json["id"])

        async def over(delivery: str) -> dict[str, Any]:
            async def found() -> dict[str, Any] | None:
                row = await first.ask("GET", f"{base}/edgedeliveries/{delivery}", token=admin)
                return row.json if row.json["endedAt"] else None

            return await until(found)

        done = await over(await deliver(second))
        assert done["counts"] == {"succeeded": 1}, done
        (row,) = (await edge.did(token, "GET", "/deliveries"))["deliveries"]
        assert row["delivery"] == done["id"]

        await edge.did(token, "POST", "/tunnel", {**tunnel, "enable": False})
        waiting = await deliver(second)

        async def begun() -> bool | None:
            row = await first.ask("GET", f"{base}/edgedeliveries/{waiting}", token=admin)
            return True if row.json["counts"].get("running") else None

        await until(begun)
        assert pair.second.stop() == 0
        await edge.did(token, "POST", "/tunnel", tunnel)
        done = await over(waiting)
        assert done["counts"] == {"succeeded": 1}, done
