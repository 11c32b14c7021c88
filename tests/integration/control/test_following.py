"""A cluster of several nodes that is adopted through one of them: the agent follows when that one dies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness.adoption import AgentHost, Project, changes, commands, project
from harness.control import ADMIN, PASSWORD, Asker, ControlProcess
from harness.members import Member, members, until_all_see
from harness.ports import free_port
from harness.rest_node import ADMIN as NODE_ADMIN
from harness.rest_node import PASSWORD as NODE_PASSWORD
from harness.rest_node import RestNode

pytestmark = pytest.mark.slow


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
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Member]]:
    settings = {"dashboard.default_password": NODE_PASSWORD}
    with members(tmp_path_factory.mktemp("two"), 2, **settings) as found:
        one, other = found
        other.join(one)
        until_all_see(found, {member.name: "running" for member in found}, "both see both")
        yield found


@pytest_asyncio.fixture
async def of(control: ControlProcess) -> AsyncIterator[Project]:
    async with aiohttp.ClientSession() as client:
        asker = Asker(control.url, client)
        address = control.url.replace("http:", "https:")
        given = {"email": ADMIN, "password": PASSWORD, "accessAddress": address}
        made = await asker.ask("POST", "/setup", given)
        assert made.status == 204, made.text
        yield await project(asker, await asker.sign_in())


@pytest.fixture
def host(tmp_path: Path) -> Iterator[AgentHost]:
    made = AgentHost(tmp_path / "host")
    yield made
    made.stop()


async def test_the_agent_follows_when_the_node_it_asks_dies(
    of: Project, two: Sequence[Member], host: AgentHost
) -> None:
    one, other = two
    urls = [f"http://127.0.0.1:{RestNode(member.node).port()}" for member in two]
    cluster = (await of.ask("POST", "", {"name": "two"}))["id"]
    issued = await of.ask("POST", f"/{cluster}/registration-token", {})
    typed = {
        "registrationToken": issued["token"],
        "username": NODE_ADMIN,
        "password": NODE_PASSWORD,
        "dashboardUrl": urls[0],
        "apiUrl": urls[0],
    }
    download, register, start = await commands(of, cluster, typed)
    async with changes(of) as told:
        host.run(download)
        host.run(f"{register} --emqx-other-urls {urls[1]}")
        host.run(start)
        row = await told.until("cluster", lambda row: row["state"] == "running")
        assert (row["nodesRunning"], row["nodesTotal"]) == (2, 2)

        one.node.kill9()

        await told.until("cluster", lambda row: _counts(row) == (1, 2))
        path = f"/clusters/{cluster}/proxy/api/v5/nodes"
        through = await of.asker.ask("GET", path, token=of.token)
        shown = {row["node"]: row["node_status"] for row in through.json}
        assert shown == {one.name: "stopped", other.name: "running"}
        said = host.agent("doctor --json").stdout
        assert urls[0] in said, "who does not answer is named"


def _counts(row: Any) -> tuple[int, int]:
    return row["nodesRunning"], row["nodesTotal"]
