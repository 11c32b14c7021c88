"""Raises an alarm when connected clients come near their bound.

The core refuses whoever comes on top; here is only looked at the number. The alarm begins at the
high watermark and ends below the low one, so that a number that swings between does not ring all
the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from rookery.broker.alarms import AlarmRegistry
from rookery.config import Config

ALARM = "connection_quota"
CHECK_INTERVAL_S = 5.0


class Watermarks(NamedTuple):
    """Shares of the bound, 0 to 1."""

    low: float = 0.75
    high: float = 0.80


class QuotaWatch:
    """Looks at the number of connected clients until it is closed."""

    def __init__(
        self,
        alarms: AlarmRegistry,
        *,
        most: Callable[[], int],
        connected: Callable[[], int],
        watermarks: Callable[[], Watermarks] = Watermarks,
    ) -> None:
        """``most`` is the bound, 0 for none."""
        self._alarms = alarms
        self._most = most
        self._connected = connected
        self._watermarks = watermarks
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._check_always())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def judge(self, connected: int, most: int) -> None:
        """Begin or end the alarm for these numbers."""
        share = self._watermarks()
        if most and connected >= share.high * most:
            message = f"{connected} clients are connected, {most} may be: access.max_connections"
            self._alarms.activate(ALARM, message, {"connections": connected, "max": most})
        elif not most or connected < share.low * most:
            self._alarms.deactivate(ALARM)

    async def _check_always(self) -> None:
        while True:
            most = self._most()
            # Without a bound nothing is asked of the workers.
            connected = await asyncio.to_thread(self._connected) if most else 0
            self.judge(connected, most)
            await asyncio.sleep(CHECK_INTERVAL_S)


def watermarks_of(config: Config) -> Watermarks:
    """What is configured."""
    said = config["license"]
    return Watermarks(said["connection_low_watermark"], said["connection_high_watermark"])
