"""Work that one process at a time does, however many serve the database.

    control.once.every("alarms", 15.0, evaluate)

A lease in the database says which one that is. It is extended well before it ends; a process that
was stopped hands it over, one that was killed or cut off loses it after :data:`LEASE_S`. **Work has to bear
being done twice**: who is cut off finds out late.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rookery.clock import Clock
from rookery.control.processes import store
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control")

LEASE_S = 30.0
EXTENDED_S = LEASE_S / 3
"""A lease is extended when it is so old: two attempts may fail."""
STOP_S = 5.0

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    every_s: float
    work: Work


class Once:
    """All such work of one process."""

    def __init__(self, database: Database, clock: Clock, process_id: str) -> None:
        self._database = database
        self._clock = clock
        self._process_id = process_id
        self._jobs: list[_Job] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._mine_until_s: dict[str, float] = {}
        self.runs: dict[str, int] = {}
        """How often this process did each work."""

    def every(self, name: str, every_s: float, work: Work) -> None:
        """Do ``work`` so often, the first time soon after the start. Said before :meth:`open`."""
        self._jobs.append(_Job(name, every_s, work))
        self.runs[name] = 0

    async def open(self) -> None:
        """Begin on the running loop."""
        for job in self._jobs:
            self._tasks.append(asyncio.create_task(self._run(job), name=f"once {job.name}"))

    async def close(self) -> None:
        """Finish what is under way, for a moment, and hand over. May be called twice."""
        self._stopping.set()
        tasks, self._tasks = self._tasks, []
        if not tasks:
            return
        await asyncio.wait(tasks, timeout=STOP_S)
        await ended("jobs of one process", *tasks)
        try:
            async with self._database.write() as session:
                for job in self._jobs:
                    await store.release_lease(session, job.name, self._process_id)
        except RookeryError as error:
            _log.warning("leases end by themselves: %s", error)

    async def _run(self, job: _Job) -> None:
        pause_s = min(job.every_s, EXTENDED_S)
        due_s = self._clock.monotonic_s()
        while not self._stopping.is_set():
            try:
                is_mine = await self._take(job.name)
                if is_mine and self._clock.monotonic_s() >= due_s:
                    due_s = self._clock.monotonic_s() + job.every_s
                    await job.work()
                    self.runs[job.name] += 1
            except RookeryError as error:
                _log.warning("%s is tried again: %s", job.name, error)
            except Exception:  # noqa: BLE001 — one failure must not end the work for good
                _log.exception("%s failed and is tried again", job.name)
            await self._sleep(pause_s)

    async def _take(self, name: str) -> bool:
        asked_s = self._clock.monotonic_s()
        if asked_s < self._mine_until_s.get(name, 0.0):
            return True
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            is_mine = await store.take_lease(
                session, name, self._process_id, now_ms, round(LEASE_S * 1000)
            )
        # What is done every few seconds does not write a row each time.
        self._mine_until_s[name] = asked_s + EXTENDED_S if is_mine else 0.0
        return is_mine

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
