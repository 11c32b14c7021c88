"""An edge service in a network that nobody reaches dials in, is worked on, moves, and loses its cable."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from harness.client import DEADLINE_S
from harness.control import World, control_world
from harness.edge import ADMIN, PASSWORD, EdgeProcess
from harness.edge_agents import until
from harness.namespace import Namespace, namespace

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK = """
import json, sys, urllib.request
url, method, token, body = sys.argv[1:]
asked = urllib.request.Request(url, method=method, data=body.encode() or None)
asked.add_header("content-type", "application/json")
if token:
    asked.add_header("authorization", f"Bearer {token}")
print(urllib.request.urlopen(asked, timeout=30).read().decode())
"""


class Site(NamedTuple):
    world: World
    admin: str
    plant: Namespace
    edge: EdgeProcess
    service: str
    path: str

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """As somebody sitting beside the edge service."""
        return ask(self.plant, self.edge, method, path, body, token)

    async def get(self, path: str) -> Any:
        answer = await self.world.ask("GET", path, token=self.admin)
        assert answer.status == 200, answer.text
        return answer.json

    async def until_online(self, presence: str) -> dict[str, Any]:
        async def found() -> dict[str, Any] | None:
            row: dict[str, Any] = await self.get(f"{self.path}/{self.service}")
            return row if row["presence"] == presence else None

        return await until(found)

    async def me(self) -> tuple[int, str]:
        answer = await self.world.ask(
            "GET", f"/edgeservice/proxy/{self.service}/api/me", token=self.admin
        )
        return answer.status, answer.text


def ask(
    plant: Namespace, edge: EdgeProcess, method: str, path: str, body: Any = None, token: str = ""
) -> Any:
    given = "" if body is None else json.dumps(body)
    url = f"{edge.url}/api{path}"
    return json.loads(plant.run(sys.executable, "-c", ASK, url, method, token, given))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("nat")
    with namespace() as plant:
        sets = (f"control.relay.tcp={plant.here}:0", "control.agents.report_interval=1s")
        async with control_world(folder / "control", sets=sets) as world:
            admin = await world.set_up()
            org = await world.make(admin, "/orgs", {"name": "Factory East"})
            project = await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})
            edge = EdgeProcess(folder / "edge", prefix=plant.prefix)
            await asyncio.to_thread(edge.start)
            try:
                token = await asyncio.to_thread(_first_visit, plant, edge)
                port = world.control.adoption.relay.ports["tcp"]
                given = {
                    "enable": True, "address": f"tcp://{plant.here}:{port}",
                    "username": "admin", "password": "public", "description": "Hall 3",
                }  # fmt: skip
                await asyncio.to_thread(ask, plant, edge, "POST", "/tunnel", given, token)
                service = await _adopted(world, admin, org, project)
                path = f"/orgs/{org}/projects/{project}/edgeservices"
                yield Site(world, admin, plant, edge, service, path)
            finally:
                assert await asyncio.to_thread(edge.stop) == 0


def _first_visit(plant: Namespace, edge: EdgeProcess) -> str:
    token = ask(plant, edge, "POST", "/login", {"name": ADMIN, "pass": "0000"})["token"]
    given = {"old_pass": "0000", "new_pass": PASSWORD}
    return str(ask(plant, edge, "POST", "/password", given, token)["token"])


async def _adopted(world: World, admin: str, org: str, project: str) -> str:
    async def waiting() -> dict[str, Any] | None:
        rows = (await world.ask("GET", "/edgeagents", token=admin)).json["items"]
        return rows[0] if rows else None

    agent = await until(waiting)
    given = {"name": "hall-3", "orgId": org, "projectId": project}
    made = await world.ask("POST", f"/edgeagents/{agent['id']}/adopt", given, token=admin)
    assert made.status == 201, made.text
    return str(made.json["id"])


async def test_nobody_reaches_it_and_control_works_on_it(site: Site) -> None:
    host, _, port = site.edge.address.rpartition(":")
    for address in (host, site.plant.there):
        with pytest.raises(OSError, match=r"refused|Errno|Connect"):
            await asyncio.wait_for(asyncio.open_connection(address, int(port)), DEADLINE_S)
    await site.until_online("online")
    status, said = await site.me()
    assert (status, '"via":"control"' in said) == (200, True)
    shown = await site.get("/edgeagents")
    assert shown["items"][0]["address"] == site.plant.there


async def test_with_another_address_it_is_the_same_edge_service(site: Site) -> None:
    before = (await site.get("/edgeagents"))["items"][0]
    site.plant.move(3)
    token = await asyncio.to_thread(
        lambda: site.ask("POST", "/login", {"name": ADMIN, "pass": PASSWORD})["token"]
    )

    async def again() -> bool | None:
        # What was asked meanwhile has nobody who answers; soon it has.
        status, _ = await site.me()
        return True if status == 200 else None

    await until(again)
    said = await asyncio.to_thread(lambda: site.ask("GET", "/status/ecp_tunnel", None, token))
    assert (said["status"], said["agentId"]) == ("connected", before["id"])
    assert (await site.get("/edgeagents"))["total"] == 1


async def test_without_its_cable_it_is_offline_and_comes_back_by_itself(site: Site) -> None:
    with site.plant.unplugged():
        await site.until_online("offline")
    await site.until_online("online")

    async def again() -> bool | None:
        status, _ = await site.me()
        return True if status == 200 else None

    await until(again)
