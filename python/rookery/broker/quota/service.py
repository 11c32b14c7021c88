"""Raises an alarm when connected clients come near their bound.

The core refuses whoever comes on top; here is only looked at the number. The alarm begins at 80 %
and ends below 75 %, so that a number that swings between does not ring all the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rookery.broker.alarms import AlarmRegistry

ALARM = "connection_quota"
HIGH_SHARE = 0.80
LOW_SHARE = 0.75
CHECK_INTERVAL_S = 5.0


class QuotaWatch:
    """Looks at the number of connected clients until it is closed."""

    def __init__(
        self,
        alarms: AlarmRegistry,
        *,
        most: Callable[[], int],
        connected: Callable[[], int],
    ) -> None:
        """``most`` is the bound, 0 for none."""
        self._alarms = alarms
        self._most = most
        self._connected = connected
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
        if most and connected >= HIGH_SHARE * most:
            message = f"{connected} clients are connected, {most} may be: access.max_connections"
            self._alarms.activate(ALARM, message, {"connections": connected, "max": most})
        elif not most or connected < LOW_SHARE * most:
            self._alarms.deactivate(ALARM)

    async def _check_always(self) -> None:
        while True:
            most = self._most()
            # Without a bound nothing is asked of the workers.
            connected = await asyncio.to_thread(self._connected) if most else 0
            self.judge(connected, most)
            await asyncio.sleep(CHECK_INTERVAL_S)
