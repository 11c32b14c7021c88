"""What a service or database of the operator is to those who ask it."""

from __future__ import annotations

import logging
from typing import Generic, Protocol, TypeVar

from rookery.access.chain import OnError
from rookery.access.seldom import SeldomLog
from rookery.clock import Clock


class Service(Protocol):
    """Something outside of the node that is opened before it is asked."""

    async def start(self) -> None:
        """Open what is needed. A service that is away is no reason to fail."""
        ...

    async def stop(self) -> None:
        """Close it. May be called twice, and without :meth:`start`."""
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

    async def start(self) -> None:
        await self.service.start()

    async def stop(self) -> None:
        await self.service.stop()
