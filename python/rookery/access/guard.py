"""Keeps a slow or dead service from holding up anybody but those who need it.

Every question to a service goes through a :class:`Guard`: at most so many at once, each with a
deadline, and none at all for a while after many failures in a row. Nobody queues: whoever finds
the guard full is told so at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from rookery.access.errors import BackendError
from rookery.access.health import Health
from rookery.clock import Clock
from rookery.words import Words

_T = TypeVar("_T")

STALL_S = 0.25
"""A deadline that is noticed so late says that this process was held up: the answer may lie there
unread, and the service is not to be left alone for it."""

GIVEN_UP_S = 1.0
"""Seconds after which a question that nobody waits for any more counts as a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """Bounds of one service.

    Attributes:
        concurrency_max: Questions at once.
        deadline_s: Seconds for each.
        failures_max: Failures in a row that open the breaker.
        open_s: Seconds that it stays open; then one question goes through to see.
    """

    concurrency_max: int = 1024
    deadline_s: float = 4.0
    failures_max: int = 5
    open_s: float = 10.0


@dataclass(slots=True)
class GuardCounters:
    """What became of the questions since the start."""

    answered: int = 0
    failed: int = 0
    timed_out: int = 0
    refused_busy: int = 0
    refused_open: int = 0
    opened: int = 0


_LATE = Words("no answer in time", "未及时应答")


class BusyError(Exception):
    """So many questions are under way that this one was not put."""


class OpenError(Exception):
    """The service failed too often; it is left alone for a while."""


class Guard:
    """The bounds of one service. Belongs to one event loop."""

    def __init__(self, settings: GuardSettings, clock: Clock, *, late: Words = _LATE) -> None:
        """``late`` says of the service that it does not answer in time."""
        self.settings = settings
        self.counters = GuardCounters()
        self.health = Health()
        self.late = late
        self.poked = asyncio.Event()
        """Set when a question failed: it is time to look whether the service is there."""
        self._was_away = False
        self._clock = clock
        self._under_way = 0
        self._failures = 0
        self._open_until_s: float | None = None
        self._is_probing = False

    @property
    def is_open(self) -> bool:
        """Whether the service is left alone at the moment, or only tried."""
        return self._open_until_s is not None

    @property
    def under_way(self) -> int:
        return self._under_way

    async def run(self, question: Callable[[], Awaitable[_T]]) -> _T:
        """Put a question.

        Raises:
            BusyError: too many are under way.
            OpenError: the breaker is open.
            TimeoutError: no answer before the deadline.
            BackendError: what the question raised; it counts as a failure.
        """
        is_probe = self._admit()
        self._under_way += 1
        is_settled = False
        since_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(self.settings.deadline_s):
                answer = await question()
        except TimeoutError:
            self.counters.timed_out += 1
            late_s = self._clock.monotonic_s() - since_s - self.settings.deadline_s
            if late_s < STALL_S:
                is_settled = True
                self._failed(self.late, is_probe=is_probe)
            raise
        except BackendError as error:
            is_settled = True
            self.counters.failed += 1
            self._failed(error.words, is_probe=is_probe)
            raise
        except asyncio.CancelledError:
            # Given up by a chain whose own deadline came first: a service that let it wait for
            # so long has failed, too.
            if self._clock.monotonic_s() - since_s >= GIVEN_UP_S:
                is_settled = True
                self.counters.timed_out += 1
                self._failed(self.late, is_probe=is_probe)
            raise
        else:
            is_settled = True
            self._succeeded()
            return answer
        finally:
            self._under_way -= 1
            if is_probe and not is_settled:
                # Cancelled, or a defect of ours: it says nothing about the service.
                self._is_probing = False

    def _admit(self) -> bool:
        """Whether the question is the one that tries a service that failed."""
        if self._open_until_s is not None:
            if self._is_probing or self._clock.monotonic_s() < self._open_until_s:
                self.counters.refused_open += 1
                raise OpenError
            self._is_probing = True
            return True
        if self._under_way >= self.settings.concurrency_max:
            self.counters.refused_busy += 1
            raise BusyError
        return False

    async def probe(self, look: Callable[[], Awaitable[object]]) -> None:
        """Find out whether the service is there, without a question of a client.

        A service that was away and is back is asked again at once. One that takes connections and
        does not answer is left alone all the same: the next question shows whether it does.
        """
        self.poked.clear()
        since_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(self.settings.deadline_s):
                await look()
        except TimeoutError:
            if self._clock.monotonic_s() - since_s - self.settings.deadline_s < STALL_S:
                self._is_away(self.late)
        except BackendError as error:
            self._is_away(error.words)
        else:
            self._is_there()

    def _is_away(self, reason: Words) -> None:
        self._was_away = True
        self.health.is_ill(reason)

    def _is_there(self) -> None:
        if self.is_open:
            if self._is_probing or not self._was_away:
                return
            self._open_until_s = None
            self._failures = 0
        self._was_away = False
        self.health.is_well()

    def _succeeded(self) -> None:
        self.counters.answered += 1
        self._failures = 0
        self._open_until_s = None
        self._is_probing = self._was_away = False
        self.health.is_well()

    def _failed(self, reason: Words, *, is_probe: bool) -> None:
        self._failures += 1
        if is_probe or self._failures >= self.settings.failures_max:
            if not self.is_open:
                self.counters.opened += 1
            self._open_until_s = self._clock.monotonic_s() + self.settings.open_s
        if is_probe:
            self._is_probing = False
        if self.is_open:
            self.health.is_ill(reason)
        # One failure among answers says little; whether the service is away is looked at.
        self.poked.set()
