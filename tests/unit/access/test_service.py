"""Who looks at a service stops when told to, whatever the service's client makes of it."""

from __future__ import annotations

import asyncio
import contextlib

from harness.client import DEADLINE_S
from rookery.access.errors import BackendError, Words
from rookery.access.guard import Guard, GuardSettings
from rookery.access.reasons import no_answer
from rookery.access.service import ServiceUser
from rookery.clock import ManualClock


class Swallowing:
    """A service whose client makes a failed connection of being cancelled, as some libraries do."""

    def __init__(self) -> None:
        self.guard = Guard(GuardSettings(), ManualClock(), late=no_answer("it", 1.0))
        self.is_looked_at = asyncio.Event()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def look(self) -> None:
        self.is_looked_at.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        raise BackendError(Words("the connection was closed", "连接已关闭"))


async def test_a_client_that_swallows_the_cancellation_holds_nobody_up() -> None:
    service = Swallowing()
    user = ServiceUser(service, ManualClock(), "ignore")
    await user.start()
    await service.is_looked_at.wait()

    async with asyncio.timeout(DEADLINE_S):
        await user.stop()

    assert user.health.state != "connected"
