"""Alarms for processors, memory, open files and disk (``sysmon.os``).

The kernel tells nobody when these run short, so they are looked at once per interval. Each alarm
begins at its high watermark and ends below its low one: a value that swings between the two does
not ring all the time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rookery.broker.alarms import AlarmRegistry, message
from rookery.config import Config
from rookery.config.snapshot import SysmonConfig, Watermark
from rookery.ending import ended
from rookery.observability.machine import CpuTimes, Machine, Memory

_log = logging.getLogger("rookery.sysmon")

HIGH_CPU = "high_cpu_usage"
HIGH_SYSTEM_MEMORY = "high_system_memory_usage"
HIGH_PROCESS_MEMORY = "high_process_memory_usage"
TOO_MANY_FDS = "too_many_file_descriptors"
LOW_DISK = "low_disk_space"


class _Watched(NamedTuple):
    """One value that may become too high."""

    name: str
    settings: Callable[[SysmonConfig], Watermark]
    share: Callable[[], float | None]
    key: str
    """Of what its alarm says."""


class Sysmon:
    """Looks at the machine until it is closed. Is a part of the node: its settings are hot."""

    def __init__(self, alarms: AlarmRegistry, machine: Machine, data_dir: Path) -> None:
        self._alarms = alarms
        self._machine = machine
        self._data_dir = data_dir
        self._cpu_before: CpuTimes | None = None
        self._cpu: float | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._failed: set[str] = set()
        self._watched = (
            _Watched(HIGH_CPU, lambda item: item.cpu, self._cpu_use, "use_of_cpu"),
            _Watched(
                HIGH_SYSTEM_MEMORY,
                lambda item: item.sysmem,
                lambda: machine.memory().share,
                "use_of_memory",
            ),
            _Watched(
                HIGH_PROCESS_MEMORY,
                lambda item: item.procmem,
                self._process_share,
                "use_of_process_memory",
            ),
            _Watched(
                TOO_MANY_FDS,
                lambda item: item.fd,
                lambda: Memory(machine.open_files_max(), machine.open_files()).share,
                "use_of_files",
            ),
            _Watched(
                LOW_DISK,
                lambda item: item.disk,
                lambda: machine.disk(data_dir).share,
                "use_of_disk",
            ),
        )

    @property
    def cpu_use(self) -> float | None:
        """Share of the processors in use over the last interval; none before its end."""
        return self._cpu

    def open(self, settings: SysmonConfig) -> None:
        """Begin on the running loop.

        An alarm of the last run is kept until the first look says otherwise.
        """
        for item in self._watched:
            mark = item.settings(settings)
            if not mark.interval_s:
                self._alarms.deactivate(item.name)
                continue
            self._alarms.confirm(item.name)
            watching = self._watch(item, mark)
            self._tasks.append(asyncio.get_running_loop().create_task(watching))

    async def close(self) -> None:
        """Look no more. May be called twice."""
        await ended("watching the system", *self._tasks)
        self._tasks.clear()

    async def apply(self, old: Config, new: Config) -> None:
        """Make new watermarks and intervals hold."""
        if old.management.sysmon != new.management.sysmon:
            await self.close()
            self.open(new.management.sysmon)

    async def _watch(self, item: _Watched, mark: Watermark) -> None:
        await asyncio.to_thread(self._look, item)  # what the first interval is measured from
        while True:
            await asyncio.sleep(mark.interval_s)
            share = await asyncio.to_thread(self._look, item)
            if share is not None:
                self._judge(item, mark, share)

    def look(self, name: str, mark: Watermark) -> None:
        """Look at one value now, by the name of its alarm."""
        item = next(item for item in self._watched if item.name == name)
        share = self._look(item)
        if share is not None:
            self._judge(item, mark, share)

    def _look(self, item: _Watched) -> float | None:
        try:
            return item.share()
        except (OSError, ValueError) as error:
            if item.name not in self._failed:
                self._failed.add(item.name)
                _log.warning("%s is not watched: %s", item.name, error)
            return None

    def _judge(self, item: _Watched, mark: Watermark, share: float) -> None:
        if share >= mark.high:
            more = {"path": str(self._data_dir)} if item.name == LOW_DISK else {}
            said = message(item.key, usage=f"{share:.0%}", limit=f"{mark.high:.0%}", **more)
            details = {"usage": round(share * 100, 1), "high_watermark": round(mark.high * 100, 1)}
            self._alarms.activate(item.name, said, details)
        elif share < min(mark.low, mark.high):
            self._alarms.deactivate(item.name)

    def _cpu_use(self) -> float | None:
        times = self._machine.cpu_times()
        if self._cpu_before is not None:
            self._cpu = times.use_since(self._cpu_before)
        self._cpu_before = times
        return self._cpu

    def _process_share(self) -> float:
        return Memory(self._machine.memory().total, self._machine.process_memory()).share
