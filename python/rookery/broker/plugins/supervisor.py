"""Keeps the worker processes of one plugin running.

A process that ends, hangs or grows too large is ended and started anew after a pause that doubles
with every failure in a row. After :attr:`~rookery.broker.plugins.models.Policy.failures_max` of them
nobody tries any more: the plugin has crashed, and says so until somebody starts it. Meanwhile the
native side answers with what is configured; nothing here is on a message's way.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rookery.broker.plugins.models import Installed, Policy, PublishFigures, Report, Status
from rookery.broker.plugins.process import Told, WorkerError, WorkerProcess
from rookery.ending import ended
from rookery.native.plugins import PluginBridge


@dataclass(frozen=True, slots=True)
class Launch:
    """How a process of the plugin is started."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    order: Mapping[str, Any]


@dataclass(slots=True)
class _Slot:
    """One worker."""

    number: int
    process: WorkerProcess | None = None
    status: Status = "starting"
    failures: int = 0
    restarts: int = 0
    figures: PublishFigures = field(default_factory=PublishFigures)
    keeper: asyncio.Task[None] | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """A plugin that was started. Lives on one event loop."""

    def __init__(
        self,
        plugin: Installed,
        launch: Launch,
        bridge: PluginBridge,
        policy: Policy,
        *,
        told: Told,
        hooks_known: Callable[[tuple[str, ...]], None],
        changed: Callable[[Report], None],
    ) -> None:
        """
        ``hooks_known`` is called with the hookpoints before a process is asked, in a thread;
        ``changed`` with every change of how the plugin is doing.
        """
        self._plugin = plugin
        self._launch = launch
        self._bridge = bridge
        self._policy = policy
        self._told = told
        self._hooks_known = hooks_known
        self._changed = changed
        self._log = logging.getLogger(f"rookery.plugins.{plugin.manifest.name}")
        self._slots = [_Slot(number) for number in range(plugin.run.workers)]
        self._hookpoints: tuple[str, ...] = ()
        self._error = ""
        self._failures = 0
        self._first_failure: asyncio.Future[str] | None = None
        self._keeps_trying = False

    @property
    def report(self) -> Report:
        statuses = {slot.status for slot in self._slots}
        status: Status = "stopped"
        for worst in ("crashed", "restarting", "starting", "running"):
            if worst in statuses:
                status = worst
                break
        return Report(
            status,
            self._hookpoints,
            self._error,
            sum(slot.restarts for slot in self._slots),
            tuple(slot.process.pid for slot in self._slots if slot.process is not None),
            self._failures,
        )

    async def start(self, *, keeps_trying: bool = False) -> None:
        """Start every worker and wait until all can be asked.

        Raises:
            WorkerError: one of them cannot start. None is left then, unless ``keeps_trying``: they
                are started anew like those that fail later.
        """
        self._keeps_trying = keeps_trying
        self._first_failure = asyncio.get_running_loop().create_future()
        for slot in self._slots:
            slot.keeper = asyncio.ensure_future(self._keep(slot))
        ready: asyncio.Future[Any] = asyncio.gather(*(slot.ready.wait() for slot in self._slots))
        waited: set[asyncio.Future[Any]] = {ready, self._first_failure}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if self._first_failure.done():
            error = self._first_failure.result()
            ready.cancel()
            await asyncio.gather(ready, return_exceptions=True)
            if not keeps_trying:
                await self.kill()
            raise WorkerError(error)
        self._first_failure = None

    async def stop(self, *, holds: bool = False) -> None:
        """End every worker gracefully. ``holds``: what comes meanwhile waits for the next ones."""
        number = self._plugin.number
        if holds:
            await asyncio.to_thread(self._bridge.hold, number)
        await self._cancel_keepers()
        for slot in self._slots:
            slot.status = "stopped"  # before it hears so: no question of the node comes behind that
        stopping = [
            slot.process.stop(self._policy.stop_timeout_s)
            for slot in self._slots
            if slot.process is not None
        ]
        await asyncio.gather(*stopping)
        await self._forget(detaches=not holds)

    async def kill(self) -> None:
        """End every worker at once."""
        await self._cancel_keepers()
        killing = [slot.process.kill() for slot in self._slots if slot.process is not None]
        await asyncio.gather(*killing)
        await self._forget(detaches=True)

    def figures(self, number: int) -> PublishFigures:
        """What a worker was asked about messages that no client published."""
        return self._slots[number].figures if number < len(self._slots) else PublishFigures()

    def worker_for(self, client_id: str) -> WorkerProcess | None:
        """The process that is asked about messages of a publisher, always the same; none: it does
        not run.
        """
        slot = self._slots[zlib.crc32(client_id.encode()) % len(self._slots)]
        return slot.process if slot.status == "running" else None

    async def take_settings(self, settings: Mapping[str, Any]) -> None:
        """Give every worker that runs new settings.

        Raises:
            WorkerError: one refuses.
        """
        self._launch = Launch(
            self._launch.command,
            self._launch.environment,
            {**self._launch.order, "settings": dict(settings)},
        )
        for slot in self._slots:
            if slot.process is not None and slot.status == "running":
                await slot.process.take_settings(settings, self._policy.stop_timeout_s)

    async def _cancel_keepers(self) -> None:
        keepers = [slot.keeper for slot in self._slots if slot.keeper is not None]
        await ended("the supervision of a plugin", *keepers)

    async def _forget(self, *, detaches: bool) -> None:
        for slot in self._slots:
            slot.process, slot.keeper, slot.status = None, None, "stopped"
            if detaches:
                await asyncio.to_thread(self._bridge.detach, self._plugin.number, slot.number)
        self._tell()

    # -- one worker --------------------------------------------------------------------------

    async def _keep(self, slot: _Slot) -> None:
        policy = self._policy
        while True:
            error = await self._run_once(slot)
            slot.failures += 1
            self._failures += 1
            self._error = error
            self._log.error("worker %d: %s", slot.number, error)
            if self._first_failure is not None and not self._first_failure.done():
                self._first_failure.set_result(error)
                if not self._keeps_trying:
                    return
            # What was held for a next process does not wait for the one after that.
            await asyncio.to_thread(self._bridge.detach, self._plugin.number, slot.number)
            if slot.failures >= policy.failures_max:
                slot.status = "crashed"
                self._tell()
                return
            slot.status = "restarting"
            self._tell()
            pause_s = policy.backoff_s * 2.0 ** (slot.failures - 1)
            await asyncio.sleep(min(pause_s, policy.backoff_max_s))
            slot.restarts += 1

    async def _run_once(self, slot: _Slot) -> str:
        """From start to end of one process; why it ended."""
        number = self._plugin.number
        process = WorkerProcess(self._log, self._told)
        # Of the worker, whichever process it is at the moment, as those of the core are.
        process.figures = slot.figures
        fd = await asyncio.to_thread(self._bridge.attach, number, slot.number)
        order = {**self._launch.order, "worker": slot.number}
        starting = asyncio.ensure_future(
            process.start(
                self._launch.command,
                self._launch.environment,
                fd,
                order,
                self._policy.start_timeout_s,
            )
        )
        try:
            await asyncio.shield(starting)
        except WorkerError as error:
            return error.message
        except asyncio.CancelledError:
            # A process that was begun has to be ended, whoever asked for an end.
            await asyncio.gather(starting, return_exceptions=True)
            if starting.exception() is None:
                await process.kill()
            raise
        slot.process = process
        if (settings := self._launch.order["settings"]) != order["settings"]:
            # They were changed while it started.
            try:
                await process.take_settings(settings, self._policy.stop_timeout_s)
            except WorkerError as error:
                slot.process = None
                await process.kill()
                return error.message
        if process.hookpoints != self._hookpoints:
            self._hookpoints = process.hookpoints
            await asyncio.to_thread(self._hooks_known, process.hookpoints)
        await asyncio.to_thread(self._bridge.begin, number, slot.number)
        slot.status = "running"
        slot.ready.set()
        self._tell()
        recovering = asyncio.get_running_loop().call_later(
            self._policy.stable_s, self._recovered, slot
        )
        try:
            ending = await process.watch(
                interval_s=self._policy.heartbeat_s,
                timeout_s=self._policy.heartbeat_timeout_s,
                memory_max=self._plugin.run.memory_max,
            )
        finally:
            recovering.cancel()
        slot.process = None
        await process.kill()
        return ending

    def _recovered(self, slot: _Slot) -> None:
        slot.failures = 0
        self._error = ""
        self._tell()

    def _tell(self) -> None:
        self._changed(self.report)
