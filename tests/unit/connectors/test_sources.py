"""A source receives while its connector is connected, and begins anew when it has ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from harness.connector_world import Service, ServiceConnector
from rookery.clock import SystemClock
from rookery.connectors.base import Columns, Receive, Source, Unhealthy
from rookery.connectors.health import Link
from rookery.connectors.options import ConnectorOptions
from rookery.connectors.sources import SourceRunner
from rookery.connectors.status import State


class Stream(Source):
    """Gives what the test puts into it; an error ends it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.queue: asyncio.Queue[Columns | Exception] = asyncio.Queue()
        self.acknowledged: list[Columns] = []
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        while True:
            got = await self.queue.get()
            if isinstance(got, Exception):
                raise got
            await self._receive(got)
            self.acknowledged.append(got)


class World:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.ingested: list[tuple[str, Columns]] = []
        options = ConnectorOptions.model_validate({"health_check_interval": "20ms"})
        clock = SystemClock()
        self.link = Link("test:c", ServiceConnector(service), options, clock, lambda _status: None)
        self.runner = SourceRunner(
            "test:s", self.link, 0.02, clock, lambda _status: None, self._ingest
        )
        self.stream = Stream(self.runner.receive)
        self.runner.source = self.stream

    async def _ingest(self, source_id: str, columns: Columns) -> int:
        self.ingested.append((source_id, columns))
        return 1

    async def until(self, state: State) -> None:
        while self.runner.status.state is not state:
            await asyncio.sleep(0.005)

    async def until_acknowledged(self, count: int) -> None:
        while len(self.stream.acknowledged) < count:
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def world(service: Service | None = None) -> AsyncIterator[World]:
    it = World(service or Service())
    it.link.attach(it.runner)
    task = asyncio.create_task(it.runner.run())
    it.link.start()
    try:
        yield it
    finally:
        task.cancel()
        await asyncio.wait({task})
        await it.runner.let_go()
        await it.link.stop()
        assert task.cancelled()


async def test_what_comes_goes_to_the_rules_before_it_is_acknowledged() -> None:
    async with world() as it:
        await it.until(State.CONNECTED)
        it.stream.queue.put_nowait({"payload": b"1"})
        await it.until_acknowledged(1)
        assert it.ingested == [("test:s", {"payload": b"1"})]
        assert it.runner.received == 1


async def test_one_that_ended_is_begun_again_and_says_why() -> None:
    async with world() as it:
        await it.until(State.CONNECTED)
        it.stream.queue.put_nowait(Unhealthy("no such topic"))
        await it.until(State.DISCONNECTED)
        reason = it.runner.status.reason
        assert reason is not None
        assert reason.en == "no such topic"
        it.stream.queue.put_nowait({"n": 1})
        await it.until_acknowledged(1)
        await it.until(State.CONNECTED)
        assert it.stream.runs == 2


async def test_it_follows_its_connector() -> None:
    async with world(Service(is_up=False)) as it:
        await it.runner.settled.wait()
        assert it.runner.status.state is State.DISCONNECTED
        reason = it.runner.status.reason
        assert reason is not None
        assert "refused" in reason.en
        assert it.stream.runs == 0
        it.service.is_up = True
        await it.until(State.CONNECTED)
        it.service.is_up = False
        await it.until(State.DISCONNECTED)
        it.service.is_up = True
        await it.until(State.CONNECTED)
        while it.stream.runs < 2:
            await asyncio.sleep(0.005)
