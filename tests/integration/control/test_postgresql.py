"""Two processes side by side on one PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from harness import role_command
from harness.adoption import Project, changes, project
from harness.agents import register
from harness.control import ADMIN, Asker, ControlProcess
from harness.databases import Server, postgresql_server
from rookery.clock import SystemClock
from rookery.contracts.agent_v1 import ClusterFacts, ClusterNode, Integration, Report
from rookery.control.tenancy.service import ORGS_MAX

pytestmark = pytest.mark.slow


class Pair(NamedTuple):
    """Two processes of one database."""

    database: Server
    processes: tuple[ControlProcess, ControlProcess]


def url_of(server: Server) -> str:
    return f"postgresql://rookery:it%27s%20secret@{server.address}/postgres"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with postgresql_server() as database:
        first, second = (
            ControlProcess(folder / name, "--database", url_of(database)) for name in ("a", "b")
        )
        # Both at once: one of them makes the tables.
        starting = [threading.Thread(target=process.start) for process in (first, second)]
        for thread in starting:
            thread.start()
        for thread in starting:
            thread.join()
        yield Pair(database, (first, second))
        for process in (first, second):
            process.kill()


@pytest.fixture
async def askers(pair: Pair) -> AsyncIterator[tuple[Asker, Asker]]:
    async with aiohttp.ClientSession() as client:
        first, second = pair.processes
        yield Asker(first.url, client), Asker(second.url, client)


@pytest.fixture
async def admin(askers: tuple[Asker, Asker]) -> str:
    first, _ = askers
    if (await first.ask("GET", "/setup")).json["isFinished"]:
        return await first.sign_in()
    return await first.set_up()


async def test_both_print_the_same_set_up_code_and_one_makes_the_administrator(
    pair: Pair, askers: tuple[Asker, Asker], admin: str
) -> None:
    first, second = pair.processes
    assert first.setup_code == second.setup_code
    assert (await askers[1].ask("GET", "/setup")).json["isFinished"]


async def test_a_session_of_one_is_a_session_of_the_other(
    askers: tuple[Asker, Asker], admin: str
) -> None:
    first, second = askers
    signed_in = await first.sign_in()
    assert (await second.ask("GET", "/profile", token=signed_in)).json["email"] == ADMIN
    assert (await second.ask("POST", "/logout", token=signed_in)).status == 204
    assert (await first.ask("GET", "/profile", token=signed_in)).problem == (401, "BAD_TOKEN")


async def test_names_are_there_once_when_both_are_asked_at_once(
    askers: tuple[Asker, Asker], admin: str
) -> None:
    for name in ("East", "West"):
        answers = await asyncio.gather(
            *(asker.ask("POST", "/orgs", {"name": name}, token=admin) for asker in askers * 3)
        )
        assert sorted(answer.status for answer in answers) == [201] + [409] * 5
    lists = [await asker.ask("GET", "/orgs", token=admin) for asker in askers]
    assert lists[0].json == lists[1].json


async def test_what_one_process_hears_of_a_cluster_the_other_one_shows(
    askers: tuple[Asker, Asker], admin: str
) -> None:
    first, second = askers
    here, there = await project(first, admin, "heard"), second
    made = await here.ask("POST", "", {"name": "plant-1"})
    issued = await here.ask("POST", f"/{made['id']}/registration-token", {})
    agent = await register(first, issued["token"])
    report = Report(
        "9",
        SystemClock().now_ms(),
        cluster_nodes=(ClusterNode("n@1"),),
        facts=ClusterFacts(connections=5),
        metrics={"live_connections": 5},
        integration_counts={"connector": {"disconnected": 1}},
        integrations=(Integration("connector", "http:a", "disconnected", "a", "http", "refused"),),
    )
    async with changes(here) as told:
        path = "/clusters/agents/report"
        sent = await first.ask("POST", path, report.written(), token=agent.token)
        assert sent.status == 204, sent.text
        await told.until("cluster", lambda row: row["connections"] == 5)
    of = Project(there, admin, here.org, here.id)
    metrics = await of.ask("GET", f"/{made['id']}/metrics?names=liveConnections")
    assert 5 in metrics["series"][0]["values"]
    events = await of.ask("GET", f"/{made['id']}/events")
    assert [event["kind"] for event in events["items"]][-2:] == ["stateChanged", "registered"]
    below = of.path.removesuffix("/clusters")
    found = await there.ask("GET", f"{below}/monitoring/integrations", token=admin)
    assert [row["reason"] for row in found.json["items"]] == ["refused"]
    await of.ask("DELETE", f"/{made['id']}?force=true", {"name": "plant-1"})


async def test_bounds_hold_when_both_are_asked_at_once(
    askers: tuple[Asker, Asker], admin: str
) -> None:
    there = (await askers[0].ask("GET", "/orgs", token=admin)).json["total"]
    answers = await asyncio.gather(
        *(
            askers[number % 2].ask("POST", "/orgs", {"name": f"o{number}"}, token=admin)
            for number in range(ORGS_MAX + 4 - there)
        )
    )
    assert sorted({answer.status for answer in answers}) == [201, 413]
    assert (await askers[1].ask("GET", "/orgs", token=admin)).json["total"] == ORGS_MAX


async def test_an_organization_is_not_deleted_while_it_gets_a_project(
    askers: tuple[Asker, Asker], admin: str
) -> None:
    first, second = askers
    rows = (await first.ask("GET", "/orgs?name=o&size=6", token=admin)).json["items"]
    for row in rows:
        path = f"/orgs/{row['id']}"
        made, deleted = await asyncio.gather(
            first.ask("POST", f"{path}/projects", {"name": "p"}, token=admin),
            second.ask("DELETE", path, token=admin),
        )
        assert (made.status, deleted.status) in [(201, 409), (404, 204)]


async def test_background_work_is_done_by_one_of_them(pair: Pair) -> None:
    def runs() -> list[int]:
        return [
            json.loads(said)["background"]["sessions"]
            for process in pair.processes
            for said in [rookery("status", "--json", "--data-dir", str(process.data_dir))[1]]
        ]

    assert sorted(runs()) == [0, 1]


async def test_a_backup_goes_from_postgresql_to_a_file(
    pair: Pair, askers: tuple[Asker, Asker], admin: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar.gz"
    place = ("--data-dir", str(pair.processes[0].data_dir), "--database", url_of(pair.database))
    code, said = rookery("backup", str(file), *place)
    assert code == 0, said
    refused, said = rookery("restore", str(file), *place[2:], "--data-dir", str(tmp_path / "x"))
    assert refused != 0
    assert "not empty" in said
    refused, said = rookery(
        "restore", "--force", str(file), *place[2:], "--data-dir", str(tmp_path / "x")
    )
    assert refused != 0
    assert "serves the database" in said

    other = ControlProcess(tmp_path / "other")
    assert rookery("restore", str(file), "--data-dir", str(other.data_dir))[0] == 0
    other.start()
    async with aiohttp.ClientSession() as client:
        there = Asker(other.url, client)
        restored = await there.ask("GET", "/orgs", token=await there.sign_in())
    other.stop()
    assert restored.json == (await askers[0].ask("GET", "/orgs", token=admin)).json


async def test_a_database_that_is_away_is_told_and_comes_back(
    pair: Pair, askers: tuple[Asker, Asker], admin: str
) -> None:
    pair.database.stop()
    answers = [await asker.ask("GET", "/orgs", token=admin) for asker in askers]
    assert [answer.problem for answer in answers] == [(503, "SERVICE_UNAVAILABLE")] * 2
    pair.database.start()
    for asker in askers:
        assert (await asker.ask("GET", "/orgs", token=admin)).status == 200


def rookery(*words: str) -> tuple[int, str]:
    return role_command.run(["control", *words])
