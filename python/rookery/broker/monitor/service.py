"""Takes a sample each ten seconds and answers what was and what is."""

from __future__ import annotations

import asyncio
import logging
from bisect import insort
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from rookery.broker.monitor.models import (
    COUNTED,
    INTERVAL_S,
    Sample,
    gauges,
    thinned,
)
from rookery.broker.monitor.store import SampleFile
from rookery.clock import Clock
from rookery.ending import ended

_log = logging.getLogger("rookery.monitor")

ReadFigures: TypeAlias = Callable[[], Mapping[str, int]]

THIN_EVERY = 60
"""Samples between two looks at what has become too old or too close together."""

RATE_SHORTEST_S = 1.0
"""A rate over less says nothing."""

RATES: Mapping[str, str] = {
    "received_msg_rate": "received",
    "sent_msg_rate": "sent",
    "dropped_msg_rate": "dropped",
    "persisted_rate": "persisted",
}


class Monitor:
    """Samples from :meth:`open` to :meth:`close`."""

    def __init__(
        self, clock: Clock, *, stats: ReadFigures, metrics: ReadFigures, file: SampleFile
    ) -> None:
        self._clock = clock
        self._stats = stats
        self._metrics = metrics
        self._file = file
        self._samples: list[Sample] = []
        # The last counters with the time at which they were read: what rates are measured from.
        self._read_at: deque[tuple[float, dict[str, int]]] = deque(maxlen=2)
        self._since_thinned = 0
        self._not_written = 0
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take over what earlier runs left, and begin on the running loop."""
        found = await asyncio.to_thread(self._file.load)
        self._samples = thinned(found, self._clock.now_ms())
        self._read_at.append((self._clock.monotonic_s(), self._counted()))
        self._task = asyncio.get_running_loop().create_task(self._sample_always())

    async def close(self) -> None:
        """Sample no more. May be called twice."""
        if self._task is not None:
            await ended("the monitor", self._task)
            self._task = None

    async def sample(self) -> Sample:
        """Take one now, and keep it."""
        taken = await asyncio.to_thread(self._take)
        insort(self._samples, taken)
        self._since_thinned += 1
        if self._since_thinned >= THIN_EVERY:
            self._since_thinned = 0
            self._samples = thinned(self._samples, self._clock.now_ms())
        writing = asyncio.ensure_future(asyncio.to_thread(self._write, taken, list(self._samples)))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # Its thread goes on: the next run must not read half a line.
            await asyncio.gather(writing, return_exceptions=True)
            raise
        return taken

    def samples(self, latest_s: int | None = None) -> list[Sample]:
        """What is known, in the order of time; ``latest_s``: of so many last seconds.

        May be called in any thread.
        """
        now_ms = self._clock.now_ms()
        oldest_ms = 0 if latest_s is None else now_ms - latest_s * 1000
        known = self._samples.copy()  # the loop may add one meanwhile
        return thinned((sample for sample in known if sample.time_ms >= oldest_ms), now_ms)

    def current(self) -> dict[str, Any]:
        """What there is at this moment, and what happens per second."""
        stats = self._stats()
        now_s, counted = self._clock.monotonic_s(), self._counted()
        since_s, before = self._read_at[0] if self._read_at else (now_s, counted)
        for at_s, figures in self._read_at:
            if now_s - at_s >= RATE_SHORTEST_S:
                since_s, before = at_s, figures
        elapsed_s = max(now_s - since_s, RATE_SHORTEST_S)
        found = gauges(stats)
        found["disconnected_durable_sessions"] = found.pop("disconnected_sessions")
        return {
            **found,
            "cluster_sessions": stats.get("cluster_sessions.count", 0),
            "retained_msg_count": stats.get("retained.count", 0),
            "shared_subscriptions": stats.get("subscriptions.shared.count", 0),
            **{
                name: round(max(0, counted[key] - before.get(key, 0)) / elapsed_s)
                for name, key in RATES.items()
            },
        }

    def metrics(self) -> dict[str, int]:
        return {"monitor.not_written": self._not_written}

    # -- inside ----------------------------------------------------------------------------

    async def _sample_always(self) -> None:
        while True:
            # On whole tens of seconds, so that the samples of several nodes can be added up.
            await asyncio.sleep(INTERVAL_S - self._clock.now_ms() / 1000 % INTERVAL_S)
            await self.sample()

    def _take(self) -> Sample:
        counted = self._counted()
        before = self._read_at[-1][1] if self._read_at else counted
        self._read_at.append((self._clock.monotonic_s(), counted))
        step_ms = INTERVAL_S * 1000
        return Sample(
            # A timer that wakes a moment early must not make two samples of one step.
            time_ms=round(self._clock.now_ms() / step_ms) * step_ms,
            **gauges(self._stats()),
            **{name: max(0, value - before.get(name, 0)) for name, value in counted.items()},
        )

    def _counted(self) -> dict[str, int]:
        metrics = self._metrics()
        return {name: metrics.get(metric, 0) for name, metric in COUNTED.items()}

    def _write(self, taken: Sample, samples: list[Sample]) -> None:
        try:
            if self._file.is_full:
                self._file.replace(samples)
            else:
                self._file.append(taken)
        except OSError as error:
            self._not_written += 1
            if self._not_written == 1:
                reason = error.strerror or error
                _log.warning("%s: samples cannot be written: %s", self._file.path, reason)
