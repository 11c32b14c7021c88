"""Takes what agents say and writes it down, many at a time.

However many agents report, they are written every :data:`FLUSH_S`: of every agent the latest
report and the latest presence, with the state that follows from them, in transactions of
:data:`AT_ONCE` agents, so that people and other writers have their turn between two. What could not be written
stays and goes with the next, so that a locked database costs no report but the one replaced by a
newer. What can never be written of one agent is left out, and costs no other agent anything.

**Bound.** One entry for each agent that exists.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from rookery.access.seldom import SeldomLog
from rookery.clock import Clock
from rookery.contracts.agent_v1 import Message
from rookery.control.clusters.state import Presence
from rookery.ending import ended
from rookery.errors import RookeryError

_log = logging.getLogger("rookery.control.clusters")

FLUSH_S = 1.0
AT_ONCE = 100

R = TypeVar("R", bound=Message)
"""What that kind of agent reports."""


@dataclass(frozen=True, slots=True)
class Heard(Generic[R]):
    """What one agent said since the last time.

    Attributes:
        report: Its last report.
        reported_at_ms: When that came.
        presence: Whether it is connected, if that changed.
        presence_at_ms: Since when.
        version: The agent's version, where presence told it.
        capabilities: What it can do, where presence told it.
    """

    report: R | None = None
    reported_at_ms: int = 0
    presence: Presence | None = None
    presence_at_ms: int = 0
    version: str = ""
    capabilities: tuple[str, ...] | None = None


Write = Callable[[Mapping[str, Heard[R]]], Awaitable[Collection[str]]]
"""Keeps what was heard, by agent, and says of which clusters that was."""
Listener = Callable[[set[str]], Awaitable[None]]
"""Told which clusters were heard of, when that can be read."""


class Intake(Generic[R]):
    """What was heard and is not written yet. Lives on one event loop."""

    def __init__(self, write: Write[R], clock: Clock, *, flush_s: float = FLUSH_S) -> None:
        self._write = write
        self._clock = clock
        self._flush_s = flush_s
        self._heard: dict[str, Heard[R]] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Listener] = []
        self._unusable = SeldomLog(_log, clock)
        self.counters = {"reports": 0, "writes": 0, "writes.failed": 0}

    def tells(self, listener: Listener) -> None:
        """Call it after each write, with the clusters of it. The next write waits for it."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to write on the running loop."""
        self._task = asyncio.create_task(self._run(), name="intake of reports")

    async def stop(self) -> None:
        """Write what is there and end. May be called twice."""
        task, self._task = self._task, None
        if task is None:
            return
        await ended("taking reports", task)
        await self._flush()

    def report(self, agent_id: str, report: R, *, through_relay: bool) -> None:
        """An agent reported. Through the relay it can only do so while it is connected."""
        self.counters["reports"] += 1
        now_ms = self._clock.now_ms()
        before: Heard[R] = self._heard.get(agent_id) or Heard()
        presence, presence_at_ms = before.presence, before.presence_at_ms
        if through_relay and presence is not Presence.ONLINE:
            presence, presence_at_ms = Presence.ONLINE, now_ms
        heard = Heard(report, now_ms, presence, presence_at_ms, before.version, before.capabilities)
        self._put(agent_id, heard)

    def presence(
        self,
        agent_id: str,
        presence: Presence,
        version: str = "",
        capabilities: tuple[str, ...] | None = None,
    ) -> None:
        """An agent came or went."""
        before: Heard[R] = self._heard.get(agent_id) or Heard()
        self._put(
            agent_id,
            replace(
                before,
                presence=presence,
                presence_at_ms=self._clock.now_ms(),
                version=version or before.version,
                capabilities=before.capabilities if capabilities is None else capabilities,
            ),
        )

    def forget(self, agent_ids: Iterable[str]) -> None:
        """They are not agents any more."""
        for agent_id in agent_ids:
            self._heard.pop(agent_id, None)

    def _put(self, agent_id: str, heard: Heard[R]) -> None:
        self._heard[agent_id] = heard
        self._news.set()

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            # At once after a quiet time; what comes meanwhile waits for the next turn.
            await self._flush()
            await asyncio.sleep(self._flush_s)

    async def _flush(self) -> None:
        self._news.clear()
        heard, self._heard = self._heard, {}
        rest = list(heard.items())
        try:
            while rest:
                cluster_ids = await self._written(dict(rest[:AT_ONCE]))
                rest = rest[AT_ONCE:]
                if cluster_ids:
                    await self._tell(cluster_ids)
        except RookeryError as error:
            self._keep(dict(rest))
            _log.warning("reports are written later: %s", error)
        except asyncio.CancelledError:
            self._keep(dict(rest))
            raise

    async def _written(self, heard: Mapping[str, Heard[R]]) -> set[str]:
        """Write it; of which clusters that could be.

        Raises:
            RookeryError: it may be written later.
        """
        try:
            cluster_ids = set(await self._write(heard))
        except RookeryError:
            raise
        except Exception as error:  # noqa: BLE001  -- one that cannot be kept must not hold up all others
            self.counters["writes.failed"] += 1
            return await self._apart(heard, error)
        self.counters["writes"] += 1
        return cluster_ids

    async def _apart(self, heard: Mapping[str, Heard[R]], error: Exception) -> set[str]:
        """Write without what cannot be kept of one agent: it is another one's cluster."""
        if len(heard) == 1:
            ((agent_id, said),) = heard.items()
            self._unusable.warning("agent %s: what it says cannot be kept: %r", agent_id, error)
            if said.report is None or said.presence is None:
                return set()
            return await self._written({agent_id: replace(said, report=None, reported_at_ms=0)})
        items = list(heard.items())
        first, second = dict(items[: len(items) // 2]), dict(items[len(items) // 2 :])
        return await self._written(first) | await self._written(second)

    async def _tell(self, cluster_ids: set[str]) -> None:
        for listener in self._listeners:
            try:
                await listener(cluster_ids)
            except RookeryError as error:
                _log.warning("what follows from reports has to wait: %s", error)
            except Exception:  # noqa: BLE001  -- what was written stays written
                _log.exception("what follows from reports failed")

    def _keep(self, heard: Mapping[str, Heard[R]]) -> None:
        if not heard:
            return
        self.counters["writes.failed"] += 1
        for agent_id, older in heard.items():
            newer = self._heard.get(agent_id)
            self._heard[agent_id] = older if newer is None else _joined(older, newer)
        self._news.set()


def _joined(older: Heard[R], newer: Heard[R]) -> Heard[R]:
    joined = newer
    if newer.report is None:
        joined = replace(joined, report=older.report, reported_at_ms=older.reported_at_ms)
    if newer.presence is None:
        joined = replace(joined, presence=older.presence, presence_at_ms=older.presence_at_ms)
    capabilities = newer.capabilities
    if capabilities is None:
        capabilities = older.capabilities
    return replace(joined, version=newer.version or older.version, capabilities=capabilities)
