"""What becomes an alarm of an edge service: silence, a restart, a driver without its device."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from harness.control import World, control_world
from harness.edge import EdgeWorld, edge_world
from harness.edge_agents import dial, until, until_status

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Site(NamedTuple):
    world: World
    admin: str
    folder: Path
    org: str
    project: str

    @property
    def path(self) -> str:
        return f"/orgs/{self.org}/projects/{self.project}"

    async def get(self, path: str) -> Any:
        answer = await self.world.ask("GET", path, token=self.admin)
        assert answer.status == 200, answer.text
        return answer.json

    async def alarm(self, kind: str, *, state: str = "current") -> dict[str, Any]:
        async def found() -> dict[str, Any] | None:
            rows = (await self.get(f"{self.path}/alarms?state={state}"))["items"]
            fits = [row for row in rows if row["kind"] == kind]
            return fits[0] if fits else None

        return await until(found)

    async def adopt(self, name: str) -> str:
        async def waiting() -> dict[str, Any] | None:
            rows = (await self.get("/edgeagents?state=pending"))["items"]
            return rows[0] if rows else None

        agent = await until(waiting)
        given = {"name": name, "orgId": self.org, "projectId": self.project}
        path = f"/edgeagents/{agent['id']}/adopt"
        made = await self.world.ask("POST", path, given, token=self.admin)
        assert made.status == 201, made.text
        service: str = made.json["id"]
        return service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("alarms")
    sets = ("control.agents.report_interval=1s", "control.alarms.check_interval=1s")
    async with control_world(folder / "control", sets=sets) as world:
        admin = await world.set_up()
        org = await world.make(admin, "/orgs", {"name": "Factory East"})
        project = await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})
        site = Site(world, admin, folder, org, project)
        for kind in ("edge.offline", "edge.driver.abnormal"):
            given = {"isEnabled": True, "triggers": 1, "recoveries": 1, "severity": "critical"}
            path = f"{site.path}/alarms/rules/{kind}"
            answer = await world.ask("PUT", path, given, token=admin)
            assert answer.status < 300, answer.text
        yield site


async def a_rule_raises_and_ends_its_own(site: Site, edge: EdgeWorld, token: str) -> None:
    params = {"sql": 'SELECT * FROM "plc/g"', "topic": "t", "host": "127.0.0.1", "port": 1}
    node = {"name": "too hot", "plugin": "Rule", "params": params}
    await edge.did(token, "POST", "/neuron/node", node)
    alarm = await site.alarm("edge.rule.abnormal")
    assert (alarm["name"], alarm["message"]) == (
        "Edge rule abnormal", "Rules that do not work: too hot",
    )  # fmt: skip
    figures = await site.get(f"{site.path}/monitoring/edge")
    assert figures["rules"] == {"total": 1, "running": 1, "stopped": 0, "error": 1}
    assert figures["apps"] == {"total": 0, "running": 0, "connected": 0, "error": 0}
    kinds = {row["node"]: row["kind"] for row in figures["abnormal"]}
    assert kinds == {"plc": "driver", "too hot": "rule"}
    driver = await site.alarm("edge.driver.abnormal")
    assert "too hot" not in driver["message"]
    await edge.did(token, "DELETE", "/neuron/node", {"name": "too hot"})
    assert (await site.alarm("edge.rule.abnormal", state="history"))["endReason"] == "recovered"


async def test_an_edge_service_raises_and_ends_its_alarms(site: Site) -> None:
    data = site.folder / "edge"
    async with edge_world(data) as edge:
        token = await edge.first_visit()
        await dial(edge, token, site.world)
        service = await site.adopt("hall-3")
        await until_status(edge, token, "connected", managed=True)
        node = {"name": "plc", "plugin": "Modbus TCP", "params": {"host": "127.0.0.1", "port": 1}}
        await edge.did(token, "POST", "/neuron/node", node)
        alarm = await site.alarm("edge.driver.abnormal")
        assert (alarm["resourceType"], alarm["resourceId"]) == ("edgeService", service)
        assert (alarm["resourceName"], alarm["name"]) == ("hall-3", "Edge driver abnormal")
        assert "plc" in alarm["message"]

        async def counted() -> dict[str, Any] | None:
            found: dict[str, Any] = await site.get(f"{site.path}/monitoring/edge")
            return found if found["drivers"]["error"] == 1 else None

        figures = await until(counted)
        assert figures["edges"] == {"total": 1, "online": 1, "offline": 0}
        assert [row["node"] for row in figures["abnormal"]] == ["plc"]
        await a_rule_raises_and_ends_its_own(site, edge, token)
        await edge.did(token, "DELETE", "/neuron/node", {"name": "plc"})
        ended = await site.alarm("edge.driver.abnormal", state="history")
        assert ended["endReason"] == "recovered"
    offline = await site.alarm("edge.offline")
    assert offline["resourceName"] == "hall-3"
    figures = await site.get(f"{site.path}/monitoring/edge")
    assert figures["edges"] == {"total": 1, "online": 0, "offline": 1}
    async with edge_world(data) as edge:
        # Another start of the same service, which connects by itself under the same name.
        restarted = await site.alarm("edge.restarted")
        assert restarted["resourceName"] == "hall-3"
        assert (await site.alarm("edge.offline", state="history"))["endReason"] == "recovered"
        assert (await site.alarm("edge.restarted", state="history"))["endReason"] == "recovered"
        token = await edge.sign_in()
        assert (await until_status(edge, token, "connected", managed=True))["service"] == "hall-3"
