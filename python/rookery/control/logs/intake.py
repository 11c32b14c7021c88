"""Takes batches of agents and keeps them, many in one go; an agent is answered when they are kept.

Nothing is lost here: what finds no room, or cannot be kept now, is not confirmed, and the agent sends it
again. What cannot be kept for a reason that nobody thought of is tried alone, :data:`FAULTS_MAX` times, and then
dropped, counted and logged: it would hold up what its agent sends behind it for ever. **Bound.**
:data:`WAITING_BYTES_MAX` octets wait to be kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from rookery.access.seldom import SeldomLog
from rookery.clock import Clock
from rookery.contracts.agent_logs import LogEntry, unpack
from rookery.contracts.agent_v1 import LOG_WINDOW, LogAck, LogBatch, MessageError
from rookery.control.logs.models import Origin, Part
from rookery.ending import ended
from rookery.errors import RookeryError

_log = logging.getLogger("rookery.control.logs")

FLUSH_S = 0.5
WAITING_BYTES_MAX = 32 << 20
AT_ONCE = 64
RETRY_MS = 5_000
SWITCHED_OFF_MS = 60_000
FAULTS_MAX = 3
FAULTS_KNOWN_MAX = 1024
"""Batches of which it is known how often they failed; the one known longest is forgotten."""

Say = Callable[[str, LogAck], Awaitable[None]]


class Taken(NamedTuple):
    """A batch that waits, and whose it is."""

    agent_id: str
    batch: LogBatch


class Home(NamedTuple):
    """Whose records an agent sends."""

    cluster_id: str
    project_id: str


class Keeper(Protocol):
    """Where the intake puts what it took."""

    async def homes_of(self, agents: frozenset[str]) -> Mapping[str, Home]:
        """Where each agent that there is belongs to."""
        ...

    async def keep(self, parts: Sequence[Part]) -> bool:
        """Keep them; false while no logs are wanted."""
        ...


class LogIntake:
    """What was taken and is not kept yet. Lives on one event loop."""

    def __init__(self, keeper: Keeper, clock: Clock, *, flush_s: float = FLUSH_S) -> None:
        self._keeper = keeper
        self._flush_s = flush_s
        self._unreadable = SeldomLog(_log, clock)
        self._say: Say | None = None
        self._waiting: list[Taken] = []
        self._bytes = 0
        self._faults: dict[tuple[str, str], int] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.counters = {"logs.batches": 0, "logs.refused": 0, "logs.unreadable": 0, "logs.lost": 0}

    def answers(self, say: Say) -> None:
        """Say how agents are answered; before :meth:`open`."""
        self._say = say

    def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name="intake of logs")

    async def close(self) -> None:
        """End; what waits is sent again. May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            await ended("taking logs", task)

    def heard(self, agent_id: str, batch: LogBatch) -> None:
        """An agent sent records."""
        if self._task is None or self._bytes + len(batch.body) > WAITING_BYTES_MAX:
            self.counters["logs.refused"] += 1
            return
        self.counters["logs.batches"] += 1
        self._bytes += len(batch.body)
        self._waiting.append(Taken(agent_id, batch))
        self._news.set()

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            taken, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            self._bytes -= sum(len(item.batch.body) for item in taken)
            if not self._waiting:
                self._news.clear()
            await self._keep_or_ask_again(taken)
            if not self._waiting:
                await asyncio.sleep(self._flush_s)

    async def _keep_or_ask_again(self, taken: Sequence[Taken]) -> None:
        try:
            await self._keep(taken)
        except RookeryError as error:
            _log.warning("logs could not be kept and are asked for again: %s", error)
            await self._answer(taken, is_kept=False, retry_ms=RETRY_MS, error=str(error))
        except Exception as fault:  # noqa: BLE001 — one failure must not end the taking for good
            if len(taken) == 1:
                await self._failed(taken[0], fault)
                return
            # Those beside the one that it is about are kept.
            for item in taken:
                await self._keep_or_ask_again([item])

    async def _failed(self, item: Taken, fault: Exception) -> None:
        key = (item.agent_id, item.batch.id)
        count = self._faults.pop(key, 0) + 1
        if count < FAULTS_MAX:
            if len(self._faults) >= FAULTS_KNOWN_MAX:
                self._faults.pop(next(iter(self._faults)))
            self._faults[key] = count
            _log.warning("logs of agent %s are asked for again: %r", item.agent_id, fault)
            await self._answer([item], is_kept=False, retry_ms=RETRY_MS, error="a fault")
            return
        self.counters["logs.lost"] += 1
        _log.error(
            "logs of agent %s (node %s, file %s) cannot be kept and are dropped",
            item.agent_id,
            item.batch.node,
            item.batch.file,
            exc_info=fault,
        )
        await self._answer([item])

    async def _keep(self, taken: Sequence[Taken]) -> None:
        homes = await self._keeper.homes_of(frozenset(item.agent_id for item in taken))
        read = await asyncio.to_thread(_unpacked, taken)
        parts = []
        for item, entries in zip(taken, read, strict=True):
            if isinstance(entries, MessageError):
                # It would be the same another time.
                self.counters["logs.unreadable"] += 1
                self._unreadable.warning("agent %s: %s", item.agent_id, entries)
            elif item.agent_id in homes:
                parts.append(Part(_origin(item, homes[item.agent_id]), entries))
        if await self._keeper.keep(parts):
            await self._answer(taken)
        else:
            await self._answer(taken, is_kept=False, retry_ms=SWITCHED_OFF_MS, error="switched off")

    async def _answer(
        self, taken: Sequence[Taken], *, is_kept: bool = True, retry_ms: int = 0, error: str = ""
    ) -> None:
        assert self._say is not None
        window = LOG_WINDOW if is_kept else 1
        for item in taken:
            answer = LogAck(item.batch.id, is_kept, window, retry_ms, error[:500])
            try:
                await self._say(item.agent_id, answer)
            except RookeryError as problem:
                # Not confirmed is sent again, and is known by then.
                _log.info("agent %s was not answered: %s", item.agent_id, problem)


def _unpacked(taken: Sequence[Taken]) -> list[list[LogEntry] | MessageError]:
    found: list[list[LogEntry] | MessageError] = []
    for item in taken:
        try:
            found.append(unpack(item.batch.body))
        except MessageError as error:
            found.append(error)
    return found


def _origin(item: Taken, home: Home) -> Origin:
    batch = item.batch
    return Origin(
        home.cluster_id, item.agent_id, batch.stream, batch.node, batch.file, home.project_id
    )
