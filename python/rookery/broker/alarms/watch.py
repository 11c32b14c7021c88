"""Alarms for counters that should stand still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from rookery.broker.alarms.messages import message
from rookery.broker.alarms.service import AlarmRegistry
from rookery.ending import ended

CHECK_INTERVAL_S = 5.0
QUIET_CHECKS = 6
"""So many checks without a rise end an alarm: one that comes and goes would hide what it says."""

WATCHED: Mapping[str, str] = {
    # Events of the core that the management plane was too slow for: hooks and the journal missed
    # them.
    "events.dropped": "events_dropped",
}
"""Counter, and what its alarm is called and says."""


class CounterWatch:
    """Activates an alarm while a counter rises."""

    def __init__(self, alarms: AlarmRegistry, read: Callable[[], Mapping[str, int]]) -> None:
        self._alarms = alarms
        self._read = read
        self._seen: dict[str, int] = {}
        self._quiet: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Compare the counters with those of the last check."""
        counters = self._read()
        for counter, name in WATCHED.items():
            value = counters.get(counter, 0)
            risen = value - self._seen.get(counter, 0)
            self._seen[counter] = value
            if risen > 0:
                self._quiet[counter] = 0
                details = {"counter": counter, "dropped": risen}
                self._alarms.activate(name, message(name), details)
            else:
                self._quiet[counter] = self._quiet.get(counter, 0) + 1
                if self._quiet[counter] == QUIET_CHECKS:
                    self._alarms.deactivate(name)

    def open(self) -> None:
        """Begin on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        """Check no more. May be called twice."""
        if self._task is not None:
            await ended("watching the machine", self._task)
            self._task = None

    async def _watch(self) -> None:
        while True:
            self.check()
            await asyncio.sleep(CHECK_INTERVAL_S)
