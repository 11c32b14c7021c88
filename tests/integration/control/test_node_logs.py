"""The log files of a real node, collected by the real agent: all of it, and once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from harness.adoption import AgentHost, Project, commands, project
from harness.control import ADMIN, PASSWORD, Asker, ControlProcess
from harness.logs import all_logs, following, until_found
from harness.ports import free_port
from harness.rest_node import ADMIN as NODE_ADMIN
from harness.rest_node import PASSWORD as NODE_PASSWORD
from harness.rest_node import RestNode, rest_node

pytestmark = pytest.mark.slow

LINES = 300


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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("node") / "log"


@pytest.fixture(scope="module")
def node(folder: Path) -> Iterator[RestNode]:
    settings = {
        "log.file.enable": "true",
        # Who comes back too often is banned, and the log says so.
        "flapping_detect.enable": "true",
        "flapping_detect.max_count": "1",
    }
    with rest_node(folder.parent, settings) as made:
        yield made


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


async def test_every_line_of_a_node_is_found_once_though_the_agent_is_killed(
    of: Project, node: RestNode, host: AgentHost, folder: Path
) -> None:
    entry = await of.ask("POST", "", {"name": "plant-1"})
    token = await of.ask("POST", f"/{entry['id']}/registration-token", {})
    url = f"http://127.0.0.1:{node.port()}"
    values = {
        "registrationToken": token["token"],
        "username": NODE_ADMIN,
        "password": NODE_PASSWORD,
        "dashboardUrl": url,
        "apiUrl": url,
        "logCollection": "true",
        "logDir": str(folder),
    }
    folder.mkdir(exist_ok=True)
    other = folder / "erlang.log"
    other.write_text(_line(0))
    async with following(of) as told:
        for command in await commands(of, entry["id"], values):
            host.run(command)
        row = await until_found(of, told, "line 0 of")
        (name,) = (one["node"] for one in node.admin.get("/nodes").json)
        assert (row["clusterName"], row["file"], row["node"]) == ("plant-1", "erlang.log", name)
        for _ in range(2):
            node.node.connect("flapping").disconnect()
        row = await until_found(of, told, "flapping is banned")
        assert row["file"] == "rookery.log"

        for number in range(1, LINES):
            with other.open("a") as file:
                file.write(_line(number))
            if number % 100 == 0:
                other.rename(folder / f"erlang.log.{number}")
            if number == LINES // 2:
                host.kill()
                host.agent("start")
        await until_found(of, told, f"line {LINES - 1} of")
        host.kill()
        host.agent("start")
        with other.open("a") as file:
            file.write(_line(LINES))
        await until_found(of, told, f"line {LINES} of")

    found = [row["raw"] for row in await all_logs(of, order="asc") if "erlang" in row["file"]]
    numbers = [int(match[1]) for raw in found if (match := re.search(r"line (\d+) of", raw))]
    assert sorted(numbers) == list(range(LINES + 1))


def _line(number: int) -> str:
    return (
        f"2026-01-31T08:00:00.{number:06d}+00:00 [info] line {number} of many\n  and more of it\n"
    )
