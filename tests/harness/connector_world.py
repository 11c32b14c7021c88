"""One action at work on a service that tests break and heal, with a buffer to put items into."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.action_buffer import PlainBuffer, adds_up
from rookery.clock import SystemClock
from rookery.connectors.base import Action, Columns, Connector, ItemFailure, Unhealthy
from rookery.connectors.fallback import Fallbacks
from rookery.connectors.health import Link
from rookery.connectors.options import ActionOptions, ConnectorOptions
from rookery.connectors.ports import Ports
from rookery.connectors.runner import Runner
from rookery.connectors.settings import ActionSettings, Fallback, SourceSettings
from rookery.connectors.standing import Standing
from rookery.connectors.status import Status
from rookery.native.action_fields import ActionItem, BufferSpec


@dataclass
class Service:
    """What is outside: it is up or not, and does with a batch what ``answer`` says."""

    is_up: bool = True
    has_table: bool = True
    """Whether what the action needs is there."""
    taken: list[ActionItem] = field(default_factory=list)
    answer: Callable[[Sequence[ActionItem]], Awaitable[Sequence[ItemFailure] | None]] | None = None
    under_way: int = 0
    most_under_way: int = 0
    starts: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with self.changed:
            await self.changed.wait_for(is_so)

    async def tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def by_key(self) -> dict[int, list[Any]]:
        """First fields of what was taken, in order, by client."""
        found: dict[int, list[Any]] = defaultdict(list)
        for item in self.taken:
            found[item.key].append(item.fields[0])
        return found


class ServiceConnector(Connector[ActionSettings, SourceSettings]):
    def __init__(self, service: Service) -> None:
        self._service = service

    async def start(self) -> None:
        self._service.starts += 1
        await self.check()

    async def stop(self) -> None:
        return

    async def check(self) -> None:
        if not self._service.is_up:
            raise Unhealthy("connect to the.service:1 refused")


class ServiceAction(Action):
    batch = True

    def __init__(self, service: Service) -> None:
        self._service = service

    async def start(self) -> None:
        await self.check()

    async def check(self) -> None:
        if not self._service.has_table:
            raise Unhealthy("there is no table")

    async def send(self, items: Sequence[ActionItem]) -> Sequence[ItemFailure] | None:
        service = self._service
        service.under_way += 1
        service.most_under_way = max(service.most_under_way, service.under_way)
        await service.tell()
        try:
            failures = await service.answer(items) if service.answer else None
            failed = {failure.number for failure in failures or ()}
            service.taken += [item for item in items if item.number not in failed]
            return failures
        finally:
            service.under_way -= 1
            await service.tell()


@dataclass
class World:
    """One action at work on a service, with a buffer to put items into."""

    service: Service
    link: Link
    standing: Standing
    runner: Runner
    buffer: PlainBuffer
    others: dict[str, PlainBuffer]
    published: list[tuple[str, bytes]]
    statuses: list[Status]

    async def until_counted(self, **wanted: int) -> None:
        """Wait until the counters are these; they add up all the time."""
        while True:
            counters = self.buffer.counters()
            assert adds_up(counters), counters
            if all(getattr(counters, name) == count for name, count in wanted.items()):
                return
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def world(
    service: Service | None = None,
    fallbacks: Sequence[Fallback] = (),
    connector: Callable[[Service], Connector[Any, Any]] = ServiceConnector,
    action: Callable[[Connector[Any, Any]], Action] | None = None,
    **options: Any,
) -> AsyncIterator[World]:
    """Begin to send, to ``service`` or by an ``action`` of another connector; ``options`` are those
    of ``resource_opts``.
    """
    service = service or Service()
    clock = SystemClock()
    settings = ActionOptions.model_validate(
        {"retry_interval": "50ms", "health_check_interval": "50ms", **options}
    )
    ttl_ms = 0 if fallbacks or settings.request_ttl == float("inf") else settings.request_ttl
    buffer = PlainBuffer(BufferSpec(request_ttl_ms=round(ttl_ms * 1000)), clock)
    others = {"http:other": PlainBuffer(BufferSpec(), clock)}
    published: list[tuple[str, bytes]] = []
    statuses: list[Status] = []

    async def ingest(_source: str, _columns: Columns) -> int:
        return 0

    async def publish(*, topic: str, payload: bytes, **_more: Any) -> None:
        published.append((topic, payload))

    ports = Ports(
        open_buffer=lambda _id, spec: PlainBuffer(spec),
        ingest=ingest,
        publish=publish,
        render=lambda template, row: template.replace("${.}", row),
    )
    checks = ConnectorOptions.model_validate({"health_check_interval": "50ms"})
    opened = connector(service)
    link = Link("test:c", opened, checks, clock, statuses.append)
    made = action(opened) if action else ServiceAction(service)
    standing = Standing("test:a", made, link, 0.05, clock, lambda _status: None)
    link.attach(standing)
    runner = Runner(
        "test:a",
        made,
        buffer,
        settings,
        standing=standing,
        fallbacks=Fallbacks(
            "test:a",
            fallbacks,
            ports,
            lambda other: (others[other], ()) if other in others else None,
            clock,
        ),
        clock=clock,
        poke=link.poke,
    )
    tasks = [asyncio.create_task(standing.run()), asyncio.create_task(runner.run())]
    link.start()
    try:
        yield World(service, link, standing, runner, buffer, others, published, statuses)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await runner.finish(0)
        await link.stop()
    for task in tasks:
        assert task.cancelled(), task
    assert adds_up(buffer.counters())
    assert buffer.counters().inflight == 0
