"""The alarm of a file of users, rules and bans that takes no change: its disk is full or failing.

Who is in it gets in as before. The file is tried again and again, so that the alarm ends when there is
room, not when somebody changes something next.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

from rookery.access.database import Database
from rookery.broker.alarms import AlarmRegistry, message
from rookery.ending import ended
from rookery.errors import UnavailableError

ALARM = "access_unchangeable"
RETRY_S = 10.0


class UnchangeableAlarm:
    """Watches one file from :meth:`watch` to :meth:`close`."""

    def __init__(self, alarms: AlarmRegistry) -> None:
        self._alarms = alarms
        self._trying: asyncio.Task[None] | None = None

    def watch(self, database: Database) -> None:
        """Begin, on the running loop."""
        tell = partial(self._tell, database)
        database.health.on_change(tell)
        tell()

    async def close(self) -> None:
        """May be called twice."""
        trying, self._trying = self._trying, None
        if trying is not None:
            await ended("trying a database of users", trying)

    def _tell(self, database: Database) -> None:
        reason = database.health.reason
        if reason is None:
            self._alarms.deactivate(ALARM)
            return
        self._alarms.activate(ALARM, message("access_unchangeable", error=reason))
        if self._trying is None:
            self._trying = asyncio.get_running_loop().create_task(self._try(database))

    async def _try(self, database: Database) -> None:
        # Nobody tells when a disk has room again.
        while database.health.reason is not None:
            await asyncio.sleep(RETRY_S)
            with contextlib.suppress(UnavailableError):
                await database.try_to_change()
        self._trying = None
