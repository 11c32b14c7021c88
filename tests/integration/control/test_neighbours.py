"""Two control processes on one PostgreSQL: an agent at the first, people at the second."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from harness.adoption import AgentHost, Project, changes, commands, project
from harness.control import ADMIN, PASSWORD, Asker, ControlProcess
from harness.databases import postgresql_server
from harness.ports import free_port
from harness.rest_node import ADMIN as NODE_ADMIN
from harness.rest_node import PASSWORD as NODE_PASSWORD
from harness.rest_node import RestNode, rest_node

pytestmark = pytest.mark.slow

REPORT_S = 1


@pytest.fixture(scope="module")
def pair(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[ControlProcess, ControlProcess]]:
    folder = tmp_path_factory.mktemp("neighbours")
    relays = [free_port(), free_port()]
    advertised = ",".join(f'"mqtts://127.0.0.1:{port}"' for port in relays)
    with postgresql_server() as database:
        made: list[ControlProcess] = []
        for name, relay in zip(("a", "b"), relays, strict=True):
            sets = [
                f"control.bind=127.0.0.1:{free_port()}",
                f"control.relay.tls=127.0.0.1:{relay}",
                f"control.relay.advertised=[{advertised}]",
                f"control.agents.report_interval={REPORT_S}s",
                "control.doors.ports={0}-{0}".format(free_port()),
            ]
            arguments = [part for item in sets for part in ("--set", item)]
            address = f"postgresql://rookery:it%27s%20secret@{database.address}/postgres"
            process = ControlProcess(folder / name, "--database", address, *arguments)
            if made:
                # One authority for both.
                shutil.copytree(folder / "a" / "certificates", folder / name / "certificates")
            process.start()
            made.append(process)
        try:
            yield made[0], made[1]
        finally:
            for process in made:
                process.kill()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestNode]:
    settings = {"dashboard.listeners.http.bind": f"127.0.0.1:{free_port()}"}
    with rest_node(tmp_path_factory.mktemp("node"), settings) as made:
        yield made


@pytest_asyncio.fixture
async def at(pair: tuple[ControlProcess, ControlProcess]) -> AsyncIterator[tuple[Project, Project]]:
    """The same project, asked for at the first process and at the second."""
    jar = aiohttp.CookieJar(unsafe=True)  # of addresses, too
    async with aiohttp.ClientSession(cookie_jar=jar) as client:
        first, second = (Asker(process.url, client) for process in pair)
        given = {"email": ADMIN, "password": PASSWORD}
        address = first.url.replace("http:", "https:")
        made = await first.ask("POST", "/setup", {**given, "accessAddress": address})
        assert made.status == 204, made.text
        of = await project(first, await first.sign_in())
        yield of, Project(second, of.token, of.org, of.id)


async def test_people_at_one_process_reach_the_agent_at_the_other(
    at: tuple[Project, Project],
    pair: tuple[ControlProcess, ControlProcess],
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

            pair[0].kill()
            before = row["presenceAt"]
            row = await told.until(
                "cluster", lambda row: row["presenceAt"] > before and row["state"] == "running"
            )
            assert row["conditions"] == []
            await through_the_agent(second, cluster, node)

            pair[0].start()
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
