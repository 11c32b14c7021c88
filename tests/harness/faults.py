"""A cluster that was adopted, and what can go wrong between it and the control plane.

async with faulty_plant(tmp_path, report_s=1) as plant:
    plant.cut()                        # nothing comes through, and nobody is told
    with plant.full_disk(): …          # of the control plane
    with plant.locked_database(): …
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from harness.adoption import AgentHost, Project, commands, project
from harness.control import ADMIN, PASSWORD, Asker, ControlProcess
from harness.cut_line import CutLine
from harness.http_gate import HttpGate
from harness.node import HOST
from harness.ports import free_port
from harness.rest_node import ADMIN as NODE_ADMIN
from harness.rest_node import PASSWORD as NODE_PASSWORD
from harness.rest_node import RestNode, rest_node
from harness.small_disk import NoDiskError, SmallDisk, small_disk
from rookery.control.assembly import DATABASE_FILE

DISK_BYTES = 64 << 20
SETTING = "/api/v5/license/setting"


@dataclass
class Plant:
    """A running cluster, its agent, and lines between that and the control plane."""

    control: ControlProcess
    node: RestNode
    gate: HttpGate
    host: AgentHost
    lines: tuple[CutLine, CutLine]
    of: Project
    cluster: str
    disk: SmallDisk | None
    """Of the control plane alone; none where none can be mounted."""

    def cut(self) -> None:
        """Nothing comes through between agent and control plane, and neither is told."""
        for line in self.lines:
            line.freeze()

    def mend(self) -> None:
        for line in self.lines:
            line.thaw()

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """The control plane can write nothing: its disk is full, or it may make no file longer."""
        if self.disk is not None:
            self.disk.fill()
            try:
                yield
            finally:
                self.disk.clear()
            return
        before = resource.prlimit(self.control.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.control.pid, resource.RLIMIT_FSIZE, (1, before[1]))
        try:
            yield
        finally:
            resource.prlimit(self.control.pid, resource.RLIMIT_FSIZE, before)

    @contextlib.contextmanager
    def locked_database(self) -> Iterator[None]:
        """Another program writes to the database and does not end."""
        file = self.control.data_dir / DATABASE_FILE
        other = sqlite3.connect(file, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        finally:
            other.close()

    @property
    def changes(self) -> int:
        """How often the agent has changed the limit at the cluster."""
        return self.gate.count("PUT", SETTING)

    async def row(self) -> Any:
        """The entry as the list shows it."""
        return await self.of.ask("GET", f"/{self.cluster}")

    async def quota(self) -> Any:
        return await self.of.ask("GET", f"/{self.cluster}/quota")

    async def ask_for(self, limit: int) -> int:
        """Ask for a connection limit; the status of the answer."""
        path = f"{self.of.path}/{self.cluster}/quota"
        asked = await self.of.asker.ask("PUT", path, {"limit": limit}, token=self.of.token)
        return asked.status

    async def is_in_force(self, limit: int) -> bool:
        """Whether the limit is that one, by the cluster's own report."""
        found = await self.quota()
        wanted = ("inForce", limit, limit)
        return (found["state"], found["limit"], found["reportedLimit"]) == wanted


@contextlib.asynccontextmanager
async def faulty_plant(folder: Path, report_s: int) -> AsyncIterator[Plant]:
    """A node, adopted by the printed commands over lines that can be cut; its limit is ten."""
    web, relay = free_port(), free_port()
    async with contextlib.AsyncExitStack() as stack:
        lines = (
            await stack.enter_async_context(CutLine(web)),
            await stack.enter_async_context(CutLine(relay)),
        )
        sets = {
            "control.bind": f"{HOST}:{web}",
            "control.relay.tls": f"{HOST}:{relay}",
            "control.relay.advertised": f'["mqtts://{HOST}:{lines[1].port}"]',
            "control.agents.report_interval": f"{report_s}s",
        }
        arguments = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
        disk = None
        with contextlib.suppress(NoDiskError):
            disk = stack.enter_context(small_disk(folder / "disk", DISK_BYTES))
        control = ControlProcess((disk.folder if disk else folder) / "control", *arguments)
        await asyncio.to_thread(control.start)
        stack.callback(control.stop)
        node = stack.enter_context(rest_node(folder / "node"))
        gate = stack.enter_context(HttpGate(f"http://{HOST}:{node.port()}"))
        host = AgentHost(folder / "host")
        client = await stack.enter_async_context(aiohttp.ClientSession())
        asker = Asker(control.url, client)
        address = f"https://{HOST}:{lines[0].port}"
        given = {"email": ADMIN, "password": PASSWORD, "accessAddress": address}
        made = await asker.ask("POST", "/setup", given)
        assert made.status == 204, made.text
        of = await project(asker, await asker.sign_in())
        cluster = (await of.ask("POST", "", {"name": "plant"}))["id"]
        issued = await of.ask("POST", f"/{cluster}/registration-token", {})
        typed = {
            "registrationToken": issued["token"],
            "username": NODE_ADMIN,
            "password": NODE_PASSWORD,
            "dashboardUrl": gate.url,
            "apiUrl": gate.url,
        }
        stack.push_async_callback(asyncio.to_thread, host.stop)
        for command in await commands(of, cluster, typed):
            # The lines are this thread's.
            await asyncio.to_thread(host.run, command)
        yield Plant(control, node, gate, host, lines, of, cluster, disk)
        for line in lines:
            line.thaw()
