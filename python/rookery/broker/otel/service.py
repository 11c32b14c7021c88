"""Takes spans from the core and exports them in batches.

**Bounds.** ``traces.max_queue_size`` spans wait; what comes on top is dropped and counted, as is a
batch that the collector does not take. Nothing of it slows a message down.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING

from rookery.broker.observing import Observing
from rookery.config import Config, OtelConfig
from rookery.ending import ended
from rookery.native.rows import EventRow

if TYPE_CHECKING:
    from rookery.broker.otel.exporter import Exporter

_log = logging.getLogger("rookery.otel")

BATCH_MAX = 512
CLOSE_S = 1.0
"""How long the end of a node waits for the collector."""


class OtelService:
    """A part of the node that takes changes of ``opentelemetry``; lives on one loop."""

    def __init__(self, observing: Observing, *, node_name: str, version: str) -> None:
        self._observing = observing
        self._node_name = node_name
        self._version = version
        self._running: _Pipeline | None = None
        self._counters = dict.fromkeys(("received", "dropped", "exported", "failed"), 0)

    async def open(self, config: Config) -> None:
        await self._use(config.management.otel)

    async def close(self) -> None:
        """Export what waits, as far as the collector takes it at once."""
        if self._running is not None:
            running, self._running = self._running, None
            await running.close()

    async def apply(self, old: Config, new: Config) -> None:
        if old.management.otel != new.management.otel:
            await self._use(new.management.otel)

    async def _use(self, config: OtelConfig | None) -> None:
        before = self._running
        self._running = None
        if config is not None:
            sender = _Sender(config, self._node_name, self._version)
            self._running = _Pipeline(config, sender, self._counters)
        await self._observing.span(None if config is None else config.spans)
        if before is not None:
            await before.close()

    def watch(self, rows: Sequence[EventRow]) -> None:
        """Take the spans of a batch."""
        if self._running is not None:
            self._running.put(rows)

    def metrics(self) -> dict[str, int]:
        return {f"opentelemetry.spans.{name}": count for name, count in self._counters.items()}


class _Sender:
    """A thread that sends batches. It ends with the process, whatever the collector does."""

    def __init__(self, config: OtelConfig, node_name: str, version: str) -> None:
        self._config = config
        self._node_name = node_name
        self._version = version
        self._exporter: Exporter | None = None
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[tuple[Sequence[EventRow], asyncio.Future[bool]] | None]
        self._jobs = SimpleQueue()
        threading.Thread(target=self._run, name="rookery-otel", daemon=True).start()

    def send(self, rows: Sequence[EventRow]) -> asyncio.Future[bool]:
        """Whether the collector takes them, in its own time."""
        done: asyncio.Future[bool] = self._loop.create_future()
        self._jobs.put((rows, done))
        return done

    def close(self) -> None:
        self._jobs.put(None)
        if self._exporter is not None:
            self._exporter.close()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            rows, done = job
            is_taken = self._try(rows)
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(_settle, done, is_taken)

    def _try(self, rows: Sequence[EventRow]) -> bool:
        try:
            if self._exporter is None:
                # Not before the first span: loading the SDK takes longer than starting a node.
                from rookery.broker.otel.exporter import Exporter  # noqa: PLC0415

                self._exporter = Exporter(
                    self._config, node_name=self._node_name, version=self._version
                )
            return self._exporter.send(rows)
        except Exception:  # noqa: BLE001  -- somebody else's code; the spans count as failed
            _log.exception("spans cannot be exported")
            return False


def _settle(done: asyncio.Future[bool], is_taken: bool) -> None:
    if not done.done():
        done.set_result(is_taken)


class _Pipeline:
    """A queue and the task that empties it."""

    def __init__(self, config: OtelConfig, sender: _Sender, counters: dict[str, int]) -> None:
        self._config = config
        self._sender = sender
        self._counters = counters
        self._waiting: deque[EventRow] = deque()
        self._is_due = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._export())
        self._is_failing = False

    def put(self, rows: Sequence[EventRow]) -> None:
        self._counters["received"] += len(rows)
        room = self._config.queue_max - len(self._waiting)
        self._waiting.extend(rows[: max(room, 0)])
        self._counters["dropped"] += max(len(rows) - max(room, 0), 0)
        if len(self._waiting) >= min(BATCH_MAX, self._config.queue_max):
            self._is_due.set()

    async def _export(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._config.delay_s):
                    await self._is_due.wait()
            except TimeoutError:
                pass
            self._is_due.clear()
            while self._waiting:
                await self._send_batch()

    async def _send_batch(self) -> None:
        count = min(len(self._waiting), BATCH_MAX)
        batch = [self._waiting.popleft() for _ in range(count)]
        is_taken = await self._sender.send(batch)
        self._counters["exported" if is_taken else "failed"] += count
        if is_taken == self._is_failing:
            self._is_failing = not is_taken
            if is_taken:
                _log.warning("%s takes spans again", self._config.endpoint)
            else:
                _log.warning("%s takes no spans", self._config.endpoint)

    async def close(self) -> None:
        """Give the collector a moment for what waits."""
        await ended("sending traces", self._task)
        rest = list(self._waiting)
        self._waiting.clear()
        is_taken = False
        if rest and not self._is_failing:
            with contextlib.suppress(TimeoutError):
                is_taken = await asyncio.wait_for(self._sender.send(rest), CLOSE_S)
        self._counters["exported" if is_taken else "failed"] += len(rest)
        self._sender.close()
