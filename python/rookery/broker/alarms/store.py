"""Keeps the alarms in a file of the data directory, so that they outlive the node.

The file is written whole, beside the old one, and then takes its place: a crash leaves one or the
other. Its first line is a header with the version of the format, each further line is an alarm:

    {"format": "rookery-alarms", "version": 1}
    {"name": "disk_full", "message": "…", "details": {}, "activated_at": 1700000000000}

Times are in milliseconds since 1970; ``deactivated_at`` is there when the alarm is over,
``message_key`` and ``message_params`` where the message is known in both languages. Later versions
only add keys.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rookery.broker.alarms.messages import Value
from rookery.broker.alarms.models import Alarm
from rookery.broker.alarms.service import ACTIVE_MAX, AlarmRegistry
from rookery.ending import ended
from rookery.words import Words

_log = logging.getLogger("rookery.alarm")

ALARMS_FILE = "alarms.jsonl"
HEADER = {"format": "rookery-alarms", "version": 1}
# More than the registry ever holds: what is larger was not written by us.
ALARMS_MAX = 2 * ACTIVE_MAX
LINE_BYTES_MAX = 64 << 10


class AlarmFile:
    """Reads and writes the file; knows no registry."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / ALARMS_FILE

    def load(self) -> list[Alarm]:
        """Every alarm that can be read, in the order written; damaged lines are left out and told."""
        alarms: list[Alarm] = []
        damaged = 0
        try:
            with self.path.open("rb") as file:
                if not _is_header(file.readline(LINE_BYTES_MAX)):
                    _log.warning("%s is not a file of alarms: ignored", self.path)
                    return []
                while (line := file.readline(LINE_BYTES_MAX)) and len(alarms) < ALARMS_MAX:
                    alarm = _read(line)
                    if alarm is None:
                        damaged += 1
                    else:
                        alarms.append(alarm)
        except FileNotFoundError:
            return []
        except OSError as error:
            _log.warning("%s: alarms cannot be read: %s", self.path, error.strerror or error)
        if damaged:
            _log.warning("%s: %d damaged lines left out", self.path, damaged)
        return alarms

    def save(self, alarms: Iterable[Alarm]) -> None:
        """Replace the file.

        Raises:
            OSError: it cannot be written; the old one is still there.
        """
        fresh = self.path.with_suffix(".new")
        lines = [json.dumps(HEADER), *(_write(alarm) for alarm in alarms)]
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(descriptor)
        fresh.replace(self.path)


class AlarmKeeper:
    """Writes the alarms of a registry some moments after they change, in a thread, one at a time.

    Alarms that come in a storm are written together; a crash may lose those of the last moment,
    whose conditions the next start finds again.
    """

    def __init__(self, registry: AlarmRegistry, file: AlarmFile) -> None:
        self._registry = registry
        self._file = file
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failed = 0

    def restore(self) -> None:
        """Give the registry what the last run left."""
        found = self._file.load()
        active = [alarm for alarm in found if alarm.is_active]
        self._registry.restore(active, [alarm for alarm in found if not alarm.is_active])

    def open(self) -> None:
        """Begin on the running loop."""
        self._registry.on_change(self._changed.set)
        self._task = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Write what is left and end."""
        if self._task is not None:
            await ended("writing alarms", self._task)
            self._task = None
            # A write that was cancelled goes on in its thread; this one comes after it.
            if self._changed.is_set() or self._failed:
                await self._save()

    def metrics(self) -> dict[str, int]:
        return {"alarms.not_written": self._failed}

    async def _keep(self) -> None:
        while True:
            await self._changed.wait()
            await self._save()

    async def _save(self) -> None:
        self._changed.clear()
        registry = self._registry
        alarms = [*reversed(registry.history()), *reversed(registry.active())]
        writing = _in_thread(self._file.save, alarms)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.gather(writing, return_exceptions=True)
            raise
        except OSError as error:
            self._failed += 1
            if self._failed == 1:
                reason = error.strerror or error
                _log.warning("%s: alarms cannot be written: %s", self._file.path, reason)


def _in_thread(call: Callable[[list[Alarm]], None], alarms: list[Alarm]) -> asyncio.Future[None]:
    return asyncio.ensure_future(asyncio.to_thread(call, alarms))


def _is_header(line: bytes) -> bool:
    header = _json(line)
    return isinstance(header, dict) and header.get("format") == HEADER["format"]


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _read(line: bytes) -> Alarm | None:
    row = _json(line)
    if not isinstance(row, dict):
        return None
    name, message = row.get("name"), row.get("message")
    begun, ended, details = row.get("activated_at"), row.get("deactivated_at"), row.get("details")
    if not isinstance(name, str) or not isinstance(message, str) or type(begun) is not int:
        return None
    if not (ended is None or type(ended) is int) or not isinstance(details, dict):
        return None
    key, params = row.get("message_key", ""), _params(row.get("message_params"))
    if not isinstance(key, str):
        return None
    return Alarm(name, message, begun, details, ended, key, params)


def _params(values: Any) -> dict[str, Value]:
    """What is put into the message; a pair of texts is one in both languages."""
    found: dict[str, Value] = {}
    for name, value in values.items() if isinstance(values, dict) else ():
        if isinstance(value, str | int | float):
            found[name] = value
        elif isinstance(value, list) and [type(each) for each in value] == [str, str]:
            found[name] = Words(*value)
    return found


def _write(alarm: Alarm) -> str:
    row: dict[str, Any] = {
        "name": alarm.name,
        "message": alarm.message,
        "details": dict(alarm.details),
        "activated_at": alarm.activated_at_ms,
    }
    if alarm.key:
        row |= {"message_key": alarm.key, "message_params": dict(alarm.params)}
    if alarm.deactivated_at_ms is not None:
        row["deactivated_at"] = alarm.deactivated_at_ms
    return json.dumps(row, ensure_ascii=False, default=str)
