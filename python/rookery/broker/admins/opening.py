"""Opens users and API keys, again and again while their file cannot be used.

**Invariant.** A disk that is full or a file that is damaged keeps administrators out, which an alarm
says, and never takes the clients' broker down.
"""

from __future__ import annotations

import asyncio
import logging

from rookery.broker.admins.service import AdminService
from rookery.broker.alarms import AlarmRegistry, message
from rookery.ending import ended
from rookery.errors import StartError, UnavailableError

_log = logging.getLogger("rookery.admins")

ALARM = "administrators_unavailable"
RETRY_S = 10.0


class Opening:
    """The service as it is opened and closed with the node."""

    def __init__(self, admins: AdminService, alarms: AlarmRegistry) -> None:
        self._admins = admins
        self._alarms = alarms
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read users and keys, or begin to try."""
        if not await self._attempt():
            self._task = asyncio.create_task(self._go_on())

    async def close(self) -> None:
        """May be called twice."""
        if self._task is not None:
            await ended("opening the users of the dashboard", self._task)
            self._task = None
        await self._admins.close()

    async def _go_on(self) -> None:
        # Nobody tells when a disk has room again.
        while True:
            await asyncio.sleep(RETRY_S)
            if await self._attempt():
                _log.warning("users and API keys can be read again")
                return

    async def _attempt(self) -> bool:
        try:
            await self._admins.open()
        except (StartError, UnavailableError) as error:
            self._alarms.activate(ALARM, message("administrators_unavailable", error=str(error)))
            return False
        self._alarms.deactivate(ALARM)
        return True
