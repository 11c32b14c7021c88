"""One action or source with all that runs for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rookery.clock import Clock
from rookery.connectors.base import Action, Source
from rookery.connectors.fallback import Fallbacks, FindBuffer
from rookery.connectors.health import Link
from rookery.connectors.ports import Buffer, Ports
from rookery.connectors.rates import Rates
from rookery.connectors.runner import LastError, Runner
from rookery.connectors.settings import ActionSettings, SourceSettings
from rookery.connectors.sources import SourceRunner
from rookery.connectors.standing import Standing
from rookery.connectors.status import DISABLED, STOPPED, Kind, Status
from rookery.ending import ended
from rookery.native.action_fields import BufferSpec, FieldSpec

GIVE_BACK_S = 10.0

_logger = logging.getLogger(__name__)

GRACE_S = 5.0
"""How long requests under way may take when their action ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all of them share."""

    ports: Ports
    clock: Clock
    data_dir: Path
    node: str
    file_dirs: tuple[Path, ...]
    tell: Callable[[Kind, str, Status], None]
    find_buffer: FindBuffer


class _Tasks:
    """Tasks that begin and end together."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def are_running(self) -> bool:
        return bool(self._tasks)

    def begin(self, name: str, *parts: Coroutine[Any, Any, None]) -> None:
        self._tasks = [asyncio.create_task(part, name=name) for part in parts]
        for task in self._tasks:
            task.add_done_callback(_say_if_failed)

    async def end(self) -> None:
        tasks, self._tasks = self._tasks, []
        # What a sink does not answer is given back first.
        await ended("an action or a source", *tasks, again_s=GIVE_BACK_S, within_s=2 * GIVE_BACK_S)


def _say_if_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _logger.error("%s ended by a defect", task.get_name(), exc_info=task.exception())


class RunningAction:
    """An action, its buffer, and the tasks that serve it."""

    def __init__(
        self,
        action_id: str,
        settings: ActionSettings,
        action: Action,
        link: Link,
        fallbacks: Fallbacks,
        around: Surroundings,
    ) -> None:
        self.id = action_id
        self.settings = settings
        self.link = link
        self.rates = Rates()
        self.fields: tuple[FieldSpec, ...] = (*action.fields, *fallbacks.extra_fields)
        self.standing = Standing(
            action_id,
            action,
            link,
            settings.resource_opts.health_check_interval,
            around.clock,
            lambda status: around.tell("action", action_id, status),
        )
        self._action = action
        self._fallbacks = fallbacks
        self._around = around
        self._buffer: Buffer | None = None
        self._runner: Runner | None = None
        self._tasks = _Tasks()
        self._dropped = 1 << 63  # never reached before it is remembered
        self._grace_s = GRACE_S
        self._is_loss_told = False

    @property
    def is_open(self) -> bool:
        """Whether it has a buffer."""
        return self._buffer is not None

    @property
    def buffer(self) -> Buffer:
        assert self._buffer is not None, "not started"
        return self._buffer

    @property
    def last_error(self) -> LastError | None:
        return self._runner.last_error if self._runner is not None else None

    def spec(self) -> BufferSpec:
        """What its buffer is to be."""
        options = self.settings.resource_opts
        # What expires is wanted here where somebody else gets it.
        ttl_s = (
            0.0 if self._fallbacks or options.request_ttl == float("inf") else options.request_ttl
        )
        spills = options.buffer_mode == "volatile_offload"
        folder = self.id.replace(":", "-")
        return BufferSpec(
            max_buffer_bytes=options.max_buffer_bytes,
            mode=options.buffer_mode,
            spill_dir=str(self._around.data_dir / "actions" / folder) if spills else None,
            max_spill_bytes=options.max_spill_bytes,
            request_ttl_ms=round(ttl_s * 1000),
        )

    def takes_over(self, other: RunningAction) -> bool:
        """Whether what waits for ``other`` can be sent by this one."""
        return self.fields == other.fields

    def start(self, buffer: Buffer, *, is_link_enabled: bool, is_held: bool = False) -> None:
        """Serve that buffer; a held one takes nothing before :meth:`release`."""
        self._buffer = buffer
        self._runner = runner = Runner(
            self.id,
            self._action,
            buffer,
            self.settings.resource_opts,
            standing=self.standing,
            fallbacks=self._fallbacks,
            clock=self._around.clock,
            poke=self.link.poke,
        )
        is_enabled = self.settings.enable and is_link_enabled
        buffer.pause(is_held or not is_enabled)
        if not is_enabled:
            # What waits already stays, within its time.
            self.standing.end(DISABLED)
            return
        self.standing.begin()
        self.link.attach(self.standing)
        self._tasks.begin(f"action {self.id}", self.standing.run(), runner.run())

    def release(self) -> None:
        """Take what comes."""
        if self.is_running:
            self.buffer.pause(False)

    @property
    def is_running(self) -> bool:
        return self._tasks.are_running

    @property
    def can_drain(self) -> bool:
        """Whether something waits that can be sent now."""
        return self.is_running and self._runner is not None and self._runner.can_drain

    def end_at_once(self) -> None:
        """What is under way had its time: :meth:`stop` gives it no more."""
        self._grace_s = 0.0

    async def drain(self) -> None:
        """Return when what waits was sent, or cannot be sent."""
        if self.is_running and self._runner is not None:
            await self._runner.drain()

    def remember_dropped(self) -> None:
        """From here on whatever is dropped because its buffer ends has waited."""
        if self._buffer is not None and self.is_running:
            self._dropped = self._buffer.counters().dropped_resource_stopped

    async def halt(self) -> None:
        """Stop until it is started again; what waits stays, what comes is dropped."""
        self.buffer.pause(True)
        await self.stop()
        self.standing.end(STOPPED)

    async def stop(self) -> None:
        """Let what is under way end. May be called twice."""
        await self._tasks.end()
        if self._runner is not None:
            await self._runner.finish(self._grace_s)
        self.link.detach(self.standing)
        await self.standing.let_go()

    def close(self) -> None:
        """Give its buffer up, with what waits."""
        if self._buffer is None:
            return
        self.say_what_waits()
        self._buffer.close()

    def say_what_waits(self) -> None:
        """Before it is lost; once, whoever ends it."""
        if self._buffer is None or self._is_loss_told:
            return
        self._is_loss_told = True
        counters = self._buffer.counters()
        # Of a buffer that the core has closed, what it dropped by that.
        lost = counters.queuing + max(counters.dropped_resource_stopped - self._dropped, 0)
        if lost:
            _logger.warning("action %s: %d messages that waited are dropped", self.id, lost)
        if counters.inflight:
            _logger.warning(
                "action %s: %d messages are under way, nobody knows whether they were taken",
                self.id,
                counters.inflight,
            )


class RunningSource:
    """A source and the task that serves it."""

    def __init__(
        self, source_id: str, settings: SourceSettings, link: Link, around: Surroundings
    ) -> None:
        self.id = source_id
        self.settings = settings
        self.link = link
        self.rates = Rates()
        self.runner = SourceRunner(
            source_id,
            link,
            settings.resource_opts.health_check_interval,
            around.clock,
            lambda status: around.tell("source", source_id, status),
            around.ports.ingest,
        )
        self._tasks = _Tasks()

    def bind(self, source: Source) -> None:
        """Which source it is; before :meth:`start`."""
        self.runner.source = source

    def start(self, *, is_link_enabled: bool) -> None:
        """Begin to receive when the connector is connected."""
        if not (self.settings.enable and is_link_enabled):
            self.runner.end(DISABLED)
            return
        self.runner.begin()
        self.link.attach(self.runner)
        self._tasks.begin(f"source {self.id}", self.runner.run())

    @property
    def is_running(self) -> bool:
        return self._tasks.are_running

    async def halt(self) -> None:
        """Stop until it is started again."""
        await self.stop()
        self.runner.end(STOPPED)

    async def stop(self) -> None:
        """Stop receiving. May be called twice."""
        await self._tasks.end()
        self.link.detach(self.runner)
        await self.runner.let_go()
