"""Clusters that a test makes ill, and a real HTTP server that takes webhooks."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from sqlalchemy import delete

from harness.adoption import Project
from harness.client import DEADLINE_S
from harness.control import Answer, World
from rookery.control.clusters.store import ClusterRow
from rookery.control.monitoring.store import IntegrationRow

HOUR_MS = 3_600_000


@dataclass
class Patient:
    """A cluster that says what the test says, without an agent."""

    world: World
    id: str

    async def put(self, **columns: Any) -> None:
        """Change what is known of it; a report came now, unless ``reported_at`` says otherwise."""
        async with self.world.control.database.write() as session:
            row = await session.get(ClusterRow, self.id)
            assert row is not None
            told = {"reported_at": self.world.control.clock.now_ms(), **columns}
            for name, value in told.items():
                setattr(row, name, value)

    async def is_ill(self, *types: str, **columns: Any) -> None:
        """It has these conditions and no others."""
        found = [{"type": each, "since": 1, "reason": "", "numbers": {}} for each in types]
        await self.put(conditions=found, **columns)

    async def has_broken(self, kind: str, *names: str) -> None:
        """These objects of that kind are not well, and no others."""
        async with self.world.control.database.write() as session:
            await session.execute(
                delete(IntegrationRow).where(
                    IntegrationRow.cluster_id == self.id, IntegrationRow.kind == kind
                )
            )
            now_ms = self.world.control.clock.now_ms()
            session.add_all(
                IntegrationRow(
                    cluster_id=self.id, kind=kind, object_id=name, name=name, type="http",
                    status="disconnected", is_abnormal=True, reason="", since=now_ms, seen_at=now_ms,
                )
                for name in names
            )  # fmt: skip
        await self.put()


class Ward:
    """A project whose clusters a test makes ill."""

    def __init__(self, world: World, of: Project) -> None:
        self.world = world
        self.of = of
        self.path = f"/orgs/{of.org}/projects/{of.id}/alarms"

    async def patient(self, name: str, labels: Sequence[str] = ()) -> Patient:
        """One more cluster, adopted an hour ago and well."""
        made = await self.of.ask("POST", "", {"name": name, "labels": list(labels)})
        found = Patient(self.world, made["id"])
        now_ms = self.world.control.clock.now_ms()
        await found.put(
            registered_at=now_ms - HOUR_MS, adopted_at=now_ms - HOUR_MS, state="running"
        )
        return found

    async def try_it(
        self, method: str, path: str = "", body: Any = None, token: str | None = None
    ) -> Answer:
        """``path`` begins after ``/alarms``."""
        token = self.of.token if token is None else token
        return await self.world.ask(method, self.path + path, body, token=token)

    async def ask(self, method: str, path: str = "", body: Any = None) -> Any:
        """What is answered, which has to be good."""
        answer = await self.try_it(method, path, body)
        assert answer.status < 300, (method, path, answer.status, answer.text)
        return answer.json if answer.text else None

    async def look(self, seconds: float = 15.0) -> None:
        """Time passes, and then somebody looks."""
        self.world.control.clock.advance(seconds)  # type: ignore[attr-defined]
        await self.world.control.alarms.evaluation.sweep()

    async def look_now(self) -> None:
        """Somebody looks, by the clock of the machine."""
        await self.world.control.alarms.evaluation.sweep()

    async def kinds(self, state: str = "current") -> list[str]:
        """Of the alarms that there are, or were, oldest first."""
        found = await self.ask("GET", f"?state={state}&size=1000")
        return [row["kind"] for row in found["items"]]

    async def rule(self, kind: str, **changes: Any) -> None:
        """Change a rule."""
        rows = (await self.ask("GET", "/rules"))["items"]
        held = next(row for row in rows if row["kind"] == kind)
        names = ("isEnabled", "triggers", "recoveries", "severity", "threshold")
        await self.ask("PUT", f"/rules/{kind}", {**{name: held[name] for name in names}, **changes})

    async def settings(self, **changes: Any) -> Any:
        """Change the settings."""
        held = await self.ask("GET", "/settings")
        for name in ("isTokenSet", "stormAt"):
            del held[name]
        if held["mail"] is not None:
            del held["mail"]["isPasswordSet"]
        return await self.ask("PUT", "/settings", {**held, **changes})

    async def channel(self, name: str = "night", **changes: Any) -> str:
        """Add a push configuration; its id."""
        made = await self.ask("POST", "/channels", {"name": name, **changes})
        channel: str = made["id"]
        return channel

    async def deliveries(self, **wanted: str) -> list[Any]:
        """The log, oldest first."""
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        rows: list[Any] = (await self.ask("GET", f"/deliveries?size=1000&{query}"))["items"]
        return rows


@dataclass
class Call:
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Takes webhooks; the next answers are ``answers``, and 200 afterwards."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    text: str = "taken"
    headers: dict[str, str] = field(default_factory=dict)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait(self, count: int) -> Sequence[Call]:
        """Wait until so many came."""
        async with asyncio.timeout(DEADLINE_S), self._came:
            await self._came.wait_for(lambda: len(self.calls) >= count)
        return self.calls

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        status = self.answers.pop(0) if self.answers else 200
        async with self._came:
            self.calls.append(Call(request.path_qs, dict(request.headers), body))
            self._came.notify_all()
        return web.Response(status=status, text=self.text, headers=self.headers)


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Serve until the block ends."""
    found = Receiver()
    app = web.Application()
    app.router.add_route("POST", "/{path:.*}", found.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()
