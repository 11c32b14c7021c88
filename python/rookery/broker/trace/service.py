"""Traces: which run when, and what is written where.

The core makes events of what a trace is about and of nothing else; they come up in batches and
become lines here. At its end a trace stops, its file stays until somebody deletes the trace. A node
that starts again goes on with traces whose end has not come.

**Bounds.** :data:`TRACES_MAX` traces, :data:`~rookery.broker.trace.files.LOG_BYTES_MAX` bytes each;
the core bounds the events of a second and the bytes of a payload.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace

from rookery.broker.observing import Observing
from rookery.broker.trace.files import TraceFiles
from rookery.broker.trace.lines import line_of
from rookery.broker.trace.models import Trace
from rookery.clock import Clock
from rookery.ending import ended
from rookery.errors import (
    BadRequestError,
    ConflictError,
    ExceedsLimitError,
    NotFoundError,
    RookeryError,
)
from rookery.native.config import TraceConfig
from rookery.native.rows import EventRow

_log = logging.getLogger("rookery.trace")

TRACES_MAX = 30
SLEEP_MAX_S = 3600.0


class TraceService:
    """Owns the traces; lives on one loop."""

    def __init__(self, observing: Observing, files: TraceFiles, clock: Clock) -> None:
        self.files = files
        self._observing = observing
        self._clock = clock
        self._traces: dict[str, Trace] = {}
        self._running: dict[int, Trace] = {}
        self._numbers = 0
        self._changing = asyncio.Lock()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._lost_lines = 0
        self._stopping: set[asyncio.Task[None]] = set()

    # -- life --------------------------------------------------------------------------------

    async def open(self) -> None:
        """Go on with the traces of the last run."""
        for trace in await asyncio.to_thread(self.files.load):
            self._numbers += 1
            self._traces[trace.name] = replace(trace, number=self._numbers)
        await self._settle()
        self._task = asyncio.get_running_loop().create_task(self._keep_time())

    async def close(self) -> None:
        """Write no more."""
        if self._task is not None:
            await ended("the times of traces", self._task)
            self._task = None

    async def _keep_time(self) -> None:
        """Start and stop traces when their times come."""
        while True:
            now_s = self._now_s()
            ahead = [
                at_s
                for trace in self._traces.values()
                if not trace.is_stopped
                for at_s in (trace.start_at_s, trace.end_at_s)
                if at_s > now_s
            ]
            wait_s = min((at_s - now_s for at_s in ahead), default=SLEEP_MAX_S)
            self._woken.clear()
            try:
                # The wall clock may be set meanwhile: look again now and then.
                async with asyncio.timeout(min(wait_s, SLEEP_MAX_S)):
                    await self._woken.wait()
            except TimeoutError:
                await self._settle()

    async def _settle(self) -> None:
        """Tell the core which traces run."""
        now_s = self._now_s()
        running = {
            trace.number: trace
            for trace in self._traces.values()
            if trace.status(now_s) == "running"
        }
        # Events may come before the call returns, and after a trace was taken off.
        self._running |= running
        await self._observing.trace(
            tuple(
                TraceConfig(id=trace.number, of=trace.type, value=trace.value)
                for trace in running.values()
            )
        )
        self._running = running

    # -- use cases ---------------------------------------------------------------------------

    def traces(self) -> list[Trace]:
        """Every trace, the one that began last first."""
        return sorted(self._traces.values(), key=lambda t: (-t.start_at_s, t.name))

    def get(self, name: str) -> Trace:
        """One trace.

        Raises:
            NotFoundError: there is none of that name.
        """
        if (trace := self._traces.get(name)) is None:
            raise NotFoundError(f"no trace {name[:200]}")
        return trace

    def status(self, trace: Trace) -> str:
        """``waiting``, ``running`` or ``stopped``."""
        return trace.status(self._now_s())

    async def create(self, trace: Trace) -> Trace:
        """Add a trace; it runs when its time has come. Its number is chosen here.

        Raises:
            BadRequestError: it makes no sense.
            ConflictError: there is one of that name, or about the same.
            ExceedsLimitError: there are as many as there may be.
        """
        trace.check()
        if trace.end_at_s <= self._now_s():
            raise BadRequestError("the end of the trace has passed", code="INVALID_PARAMS")
        async with self._changing:
            if trace.name in self._traces:
                raise ConflictError(f"a trace {trace.name} exists")
            if any(other.condition == trace.condition for other in self._traces.values()):
                raise ConflictError("a trace about the same exists", code="DUPLICATE_CONDITION")
            if len(self._traces) >= TRACES_MAX:
                raise ExceedsLimitError(f"there are {TRACES_MAX} traces; delete one first")
            self._numbers += 1
            trace = replace(trace, number=self._numbers)
            await asyncio.to_thread(self.files.remove, trace.name)
            await self._change(self._traces | {trace.name: trace})
        return trace

    async def stop(self, name: str) -> Trace:
        """End a trace before its time; its log stays.

        Raises:
            NotFoundError: there is none of that name.
        """
        async with self._changing:
            trace = self.get(name)
            if not trace.is_stopped:
                trace = replace(trace, is_stopped=True)
                await self._change(self._traces | {name: trace})
        return trace

    async def delete(self, name: str) -> None:
        """Forget a trace, with its log.

        Raises:
            NotFoundError: there is none of that name.
        """
        async with self._changing:
            self.get(name)
            await self._change({n: t for n, t in self._traces.items() if n != name})
            await asyncio.to_thread(self.files.remove, name)

    async def clear(self) -> None:
        """Forget every trace."""
        async with self._changing:
            names = list(self._traces)
            await self._change({})
            for name in names:
                await asyncio.to_thread(self.files.remove, name)

    async def _change(self, traces: dict[str, Trace]) -> None:
        before, self._traces = self._traces, traces
        try:
            await self._settle()
            await asyncio.to_thread(self.files.save, list(traces.values()))
        except (RookeryError, OSError) as error:
            self._traces = before
            await self._settle()
            if isinstance(error, OSError):
                raise RookeryError(f"{self.files.directory}: {error.strerror or error}") from error
            raise
        self._woken.set()

    # -- events ------------------------------------------------------------------------------

    def watch(self, rows: Iterable[EventRow]) -> None:
        """Write the events of a batch."""
        lines: dict[int, list[str]] = {}
        for row in rows:
            for number in row[1]:
                if (trace := self._running.get(number)) is not None:
                    lines.setdefault(number, []).append(line_of(trace, row))
        for number, texts in lines.items():
            self._append(self._running[number], texts)

    def _append(self, trace: Trace, texts: list[str]) -> None:
        try:
            has_room = self.files.append(trace.name, "\n".join(texts) + "\n")
        except OSError as error:
            self._lost_lines += len(texts)
            _log.warning("trace %s cannot be written: %s", trace.name, error.strerror or error)
            return
        if not has_room:
            self._running.pop(trace.number, None)
            _log.warning("trace %s is full and stops", trace.name)
            task = asyncio.get_running_loop().create_task(self._stop_full(trace.name))
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)

    async def _stop_full(self, name: str) -> None:
        try:
            await self.stop(name)
        except RookeryError as error:  # deleted meanwhile, or the node stops
            _log.debug("trace %s: %s", name, error)

    def metrics(self) -> dict[str, int]:
        return {"trace.lines.lost": self._lost_lines}

    def _now_s(self) -> float:
        return self._clock.now_ms() / 1000
