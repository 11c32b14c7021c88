"""Two control processes on one PostgreSQL: one is asked to deliver, the edge service is connected to the other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from harness.control import ADMIN, PASSWORD, Asker, ControlProcess
from harness.databases import postgresql_server
from harness.edge import edge_world
from harness.edge_agents import until, until_status
from harness.ports import free_port

pytestmark = pytest.mark.slow

CONTENT = '{"nodes": [{"name": "press", "plugin": "Simulator"}]}'


class Pair:
    """Two processes of one database, with a relay each."""

    def __init__(self, processes: list[ControlProcess], relays: list[int]) -> None:
        self.processes = processes
        self.relays = relays


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    relays = [free_port(), free_port()]
    with postgresql_server() as database:
        made: list[ControlProcess] = []
        for name, relay in zip(("a", "b"), relays, strict=True):
            sets = [
                f"control.bind=127.0.0.1:{free_port()}",
                f"control.relay.tcp=127.0.0.1:{relay}",
                "control.agents.report_interval=1s",
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
        yield Pair(made, relays)
        for process in made:
            process.kill()


async def test_one_of_them_carries_it_out_and_the_other_one_goes_on(
    pair: Pair, tmp_path: Path
) -> None:
    async with aiohttp.ClientSession() as client, edge_world(tmp_path / "edge") as edge:
        first, second = (Asker(process.url, client) for process in pair.processes)
        given = {
            "email": ADMIN,
            "password": PASSWORD,
            "accessAddress": first.url.replace("http:", "https:"),
        }
        made = await first.ask("POST", "/setup", given)
        assert made.status == 204, made.text
        admin = await first.sign_in()
        org = await first.make(admin, "/orgs", {"name": "Factory East"})
        project = await first.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})
        base = f"/orgs/{org}/projects/{project}"
        token = await edge.first_visit()
        tunnel: dict[str, Any] = {
            "enable": True,
            "address": f"tcp://127.0.0.1:{pair.relays[0]}",
            "username": "admin",
            "password": "public",
        }
        await edge.did(token, "POST", "/tunnel", tunnel)
        said = await until_status(edge, token, "connected")
        body = {"name": "hall-1", "orgId": org, "projectId": project}
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
        assert pair.processes[1].stop() == 0
        await edge.did(token, "POST", "/tunnel", tunnel)
        done = await over(waiting)
        assert done["counts"] == {"succeeded": 1}, done
