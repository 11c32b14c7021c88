"""Rates of counters: of the last seconds, the highest there was, and over five minutes.

One sampler for all counters of a kind; while there is nothing to count it does not run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from rookery.clock import Clock

SAMPLE_INTERVAL_S = 5.0
LONG_S = 300.0
SAMPLES_MAX = int(LONG_S / SAMPLE_INTERVAL_S) + 1

Read = Callable[[], Awaitable[Mapping[str, int]]]


class Rate(NamedTuple):
    """Per second."""

    now: float
    highest: float
    last_5_minutes: float


class Rates:
    """How fast counters rise, by the name of whose they are."""

    def __init__(self, read: Read, clock: Clock) -> None:
        """``read`` gives the counter of each."""
        self._read = read
        self._clock = clock
        self._samples: dict[str, deque[tuple[float, int]]] = {}
        self._highest: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    def watch(self, *, is_wanted: bool) -> None:
        """Begin to sample, or end it."""
        if is_wanted and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._sample_always())
        elif not is_wanted and self._task is not None:
            self._task.cancel()
            self._task = None
            self._samples.clear()
            self._highest.clear()

    async def close(self) -> None:
        """Sample no more. May be called twice."""
        task = self._task
        self.watch(is_wanted=False)
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    def reset(self, name: str) -> None:
        """Forget what there was of one."""
        self._samples.pop(name, None)
        self._highest.pop(name, None)

    def of(self, name: str) -> Rate:
        """The rates of one; 0 for what was not seen yet."""
        samples = self._samples.get(name)
        if not samples or len(samples) < 2:
            return Rate(0.0, 0.0, 0.0)
        now, before, first = samples[-1], samples[-2], samples[0]
        return Rate(_per_second(before, now), self._highest.get(name, 0.0), _per_second(first, now))

    async def sample(self) -> None:
        """Read every counter once."""
        counters = await self._read()
        at_s = self._clock.monotonic_s()
        for name in self._samples.keys() - counters.keys():
            self.reset(name)
        for name, value in counters.items():
            samples = self._samples.setdefault(name, deque(maxlen=SAMPLES_MAX))
            if samples and value < samples[-1][1]:
                samples.clear()  # it began at zero again
            samples.append((at_s, value))
            if len(samples) > 1:
                rate = _per_second(samples[-2], samples[-1])
                self._highest[name] = max(rate, self._highest.get(name, 0.0))

    async def _sample_always(self) -> None:
        while True:
            await self.sample()
            await asyncio.sleep(SAMPLE_INTERVAL_S)


def _per_second(before: tuple[float, int], now: tuple[float, int]) -> float:
    elapsed_s = now[0] - before[0]
    return round((now[1] - before[1]) / elapsed_s, 2) if elapsed_s > 0 else 0.0
