"""What a service or database of the operator is to those who ask it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Generic, Protocol, TypeVar

from rookery.access.chain import OnError
from rookery.access.guard import Guard
from rookery.access.health import Health
from rookery.access.reasons import DEFECT
from rookery.access.seldom import SeldomLog
from rookery.clock import Clock
from rookery.ending import ended

_logger = logging.getLogger(__name__)

LOOK_S = 15.0
"""How often a service that is there is looked at while nobody's question fails, as in EMQX."""
LOOK_AGAIN_S = 5.0
"""How often one that is away is."""
SPACING_S = 1.0
"""Shortest time between two looks, however many questions fail."""


class Service(Protocol):
    """Something outside of the node that is opened before it is asked."""

    guard: Guard

    async def start(self) -> None:
        """Open what is needed. A service that is away is no reason to fail."""
        ...

    async def stop(self) -> None:
        """Close it. May be called twice, and without :meth:`start`."""
        ...

    async def look(self) -> None:
        """See whether it is there and lets this node in. No client is named, nothing is changed.

        Raises:
            TimeoutError: it does not answer.
            BackendError: it is away, or refuses.
        """
        ...


S = TypeVar("S", bound=Service)


class ServiceUser(Generic[S]):
    """A provider or source that is a service: opened and closed with it.

    Attributes:
        service: What is asked.
        on_error: What it means that it does not answer.
        log: Where its failures are told, not each of them.
    """

    def __init__(self, service: S, clock: Clock, on_error: OnError) -> None:
        self.service = service
        self.on_error: OnError = on_error
        self.log = SeldomLog(logging.getLogger(type(self).__module__), clock)
        self._looking: asyncio.Task[None] | None = None

    @property
    def health(self) -> Health:
        """Whether it can be asked."""
        return self.service.guard.health

    async def start(self) -> None:
        await self.service.start()
        self._looking = asyncio.create_task(_keep_looking(self.service), name="look at a service")

    async def stop(self) -> None:
        looking, self._looking = self._looking, None
        if looking is not None:
            await ended("looking after an authentication service", looking)
        await self.service.stop()


async def _keep_looking(service: Service) -> None:
    """Know how a service is before the first client comes, and when none does."""
    guard = service.guard
    myself = asyncio.current_task()
    while True:
        try:
            await guard.probe(service.look)
        except Exception as error:  # of a client library; nobody would look any more
            _logger.exception("a service could not be looked at")
            guard.health.is_ill(DEFECT.format(kind=type(error).__name__))
        if myself is not None and myself.cancelling():
            # Client libraries make a failed connection of it.
            raise asyncio.CancelledError
        await asyncio.sleep(SPACING_S)
        pause_s = LOOK_S if guard.health.state == "connected" else LOOK_AGAIN_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s - SPACING_S):
                await guard.poked.wait()
