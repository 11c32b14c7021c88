"""Takes what agents say and writes it down, many at a time.

However many agents report, there is one transaction per :data:`FLUSH_S`: of every agent the latest
report and the latest presence, with the state that follows from them. What could not be written
stays and goes with the next, so that a locked database costs no report but the one replaced by a
newer.

**Bound.** One entry for each agent that exists.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from rookery.clock import Clock
from rookery.contracts.agent_v1 import Report
from rookery.control.clusters.state import Presence
from rookery.errors import RookeryError

_log = logging.getLogger("rookery.control.clusters")

FLUSH_S = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What one agent said since the last time.

    Attributes:
        report: Its last report.
        reported_at_ms: When that came.
        presence: Whether it is connected, if that changed.
        presence_at_ms: Since when.
        version: The agent's version, where presence told it.
    """

    report: Report | None = None
    reported_at_ms: int = 0
    presence: Presence | None = None
    presence_at_ms: int = 0
    version: str = ""


Write = Callable[[Mapping[str, Heard]], Awaitable[None]]
"""Keeps what was heard, by agent."""


class Intake:
    """What was heard and is not written yet. Lives on one event loop."""

    def __init__(self, write: Write, clock: Clock, *, flush_s: float = FLUSH_S) -> None:
        self._write = write
        self._clock = clock
        self._flush_s = flush_s
        self._heard: dict[str, Heard] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.counters = {"reports": 0, "writes": 0, "writes.failed": 0}

    def start(self) -> None:
        """Begin to write on the running loop."""
        self._task = asyncio.create_task(self._run(), name="intake of reports")

    async def stop(self) -> None:
        """Write what is there and end. May be called twice."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await self._flush()

    def report(self, agent_id: str, report: Report, *, through_relay: bool) -> None:
        """An agent reported. Through the relay it can only do so while it is connected."""
        self.counters["reports"] += 1
        now_ms = self._clock.now_ms()
        before = self._heard.get(agent_id, Heard())
        heard = replace(before, report=report, reported_at_ms=now_ms)
        if through_relay and before.presence is not Presence.ONLINE:
            heard = replace(heard, presence=Presence.ONLINE, presence_at_ms=now_ms)
        self._put(agent_id, heard)

    def presence(self, agent_id: str, presence: Presence, version: str = "") -> None:
        """An agent came or went."""
        before = self._heard.get(agent_id, Heard())
        self._put(
            agent_id,
            replace(
                before,
                presence=presence,
                presence_at_ms=self._clock.now_ms(),
                version=version or before.version,
            ),
        )

    def forget(self, agent_ids: Iterable[str]) -> None:
        """They are not agents any more."""
        for agent_id in agent_ids:
            self._heard.pop(agent_id, None)

    def _put(self, agent_id: str, heard: Heard) -> None:
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
        if not heard:
            return
        try:
            await self._write(heard)
        except RookeryError as error:
            self._keep(heard)
            _log.warning("reports are written later: %s", error)
        except asyncio.CancelledError:
            self._keep(heard)
            raise
        except Exception:  # noqa: BLE001  -- one failure must not end the writing for good
            self._keep(heard)
            _log.exception("reports could not be written, it is tried again")
        else:
            self.counters["writes"] += 1

    def _keep(self, heard: Mapping[str, Heard]) -> None:
        self.counters["writes.failed"] += 1
        for agent_id, older in heard.items():
            newer = self._heard.get(agent_id)
            self._heard[agent_id] = older if newer is None else _joined(older, newer)
        self._news.set()


def _joined(older: Heard, newer: Heard) -> Heard:
    joined = newer
    if newer.report is None:
        joined = replace(joined, report=older.report, reported_at_ms=older.reported_at_ms)
    if newer.presence is None:
        joined = replace(joined, presence=older.presence, presence_at_ms=older.presence_at_ms)
    return replace(joined, version=newer.version or older.version)
