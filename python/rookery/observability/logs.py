"""Sends this process's log records to the console and to a file.

Which records there are is decided here too: by the level of each handler, by levels of single
modules set at run time, and by :class:`~rookery.observability.throttle.Throttle`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path

from rookery.observability.throttle import Throttle
from rookery.observability.visible import json_line, visible

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "alert": logging.CRITICAL,
    "emergency": logging.CRITICAL,
    "none": logging.CRITICAL + 10,
}
"""EMQX's words for levels; a word that is not here logs everything."""

ROOT_MODULE = "rookery"
CLIENTS = "rookery.clients"
"""The logger of clients that come (debug), go (debug) and are refused (info)."""


def timestamp(seconds: float, zone: tzinfo | None = None) -> str:
    """RFC 3339 with milliseconds; in the local time zone if none is said."""
    when = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    return when.isoformat(timespec="milliseconds")


def zone_of(offset: str) -> tzinfo | None:
    """``system`` (none), ``utc`` or an offset such as ``+08:00``."""
    if offset[:1] not in ("+", "-"):
        return UTC if offset == "utc" else None
    sign = -1 if offset[0] == "-" else 1
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    return timezone(sign * timedelta(hours=hours, minutes=minutes))


class _Formatter(logging.Formatter):
    def __init__(self, time_offset: str = "system", *, is_epoch: bool = False) -> None:
        super().__init__()
        self._zone = zone_of(time_offset)
        self._is_epoch = is_epoch

    def when(self, seconds: float) -> str | int:
        """Microseconds since 1970, or RFC 3339."""
        if self._is_epoch:
            return round(seconds * 1_000_000)
        return timestamp(seconds, self._zone)


class TextFormatter(_Formatter):
    """``time [level] logger: message``."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.when(record.created)} [{record.levelname.lower()}] {_body(self, record)}"
        return line.replace("\r", "\\r")


class JsonFormatter(_Formatter):
    """One JSON object on each line."""

    def format(self, record: logging.LogRecord) -> str:
        level = record.levelname.lower()
        entry = self.entry(record.created, level, record.name, record.getMessage())
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json_line(entry)

    def entry(self, seconds: float, level: str, logger: str, text: str) -> dict[str, str | int]:
        """The members that every line has."""
        return {"time": self.when(seconds), "level": level, "logger": logger, "msg": text}


def _body(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    # What a client sent must not be able to look like a line of ours.
    text = visible(f"{record.name}: {record.getMessage()}")
    if record.exc_info:
        text += "\n" + formatter.formatException(record.exc_info)
    return text


def _formatter(name: str, time_offset: str, *, is_epoch: bool) -> logging.Formatter:
    kind = JsonFormatter if name == "json" else TextFormatter
    return kind(time_offset, is_epoch=is_epoch)


def console_handler(
    level: str, formatter: str, *, time_offset: str = "system", is_epoch: bool = False
) -> logging.Handler:
    """A handler that writes to standard error."""
    handler = logging.StreamHandler()
    handler.setLevel(LEVELS.get(level, logging.DEBUG))
    handler.setFormatter(_formatter(formatter, time_offset, is_epoch=is_epoch))
    return handler


def file_handler(
    path: Path,
    level: str,
    formatter: str,
    *,
    rotation_bytes: int,
    rotation_count: int,
    time_offset: str = "system",
    is_epoch: bool = False,
) -> logging.Handler:
    """A handler that writes to a file and keeps ``rotation_count`` older ones.

    ``rotation_bytes`` 0 lets the file grow.

    Raises:
        OSError: its directory cannot be made.
    """
    # Its imports are not wanted in a process that has no log file.
    from logging.handlers import RotatingFileHandler  # noqa: PLC0415

    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        path, maxBytes=rotation_bytes, backupCount=rotation_count, encoding="utf-8", delay=True
    )
    handler.setLevel(LEVELS.get(level, logging.DEBUG))
    handler.setFormatter(_formatter(formatter, time_offset, is_epoch=is_epoch))
    return handler


class Logging(logging.Handler):
    """Hands records to handlers: installed on the root logger while it is open."""

    def __init__(
        self, handlers: Sequence[logging.Handler], throttle: Throttle | None = None
    ) -> None:
        super().__init__()
        self._handlers = tuple(handlers)
        self._throttle = throttle
        self._levels: dict[str, int] = {}
        self._level_before = logging.WARNING

    def open(self) -> None:
        root = logging.getLogger()
        self._level_before = root.level
        root.setLevel(min((handler.level for handler in self._handlers), default=logging.CRITICAL))
        root.addHandler(self)

    def close(self) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        self.summarize()
        self.set_levels({})
        for handler in self._handlers:
            handler.close()
        root.setLevel(self._level_before)
        super().close()

    def set_levels(self, levels: Mapping[str, int]) -> None:
        """Levels of single modules, which count instead of those of the handlers."""
        for name in self._levels.keys() - levels.keys():
            logging.getLogger(name).setLevel(logging.NOTSET)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        self._levels = dict(levels)

    def emit(self, record: logging.LogRecord) -> None:
        if self._throttle is not None and not self._throttle.takes(record):
            return
        self._hand_on(record)

    def summarize(self) -> None:
        """Say how many records were left out since the last time, kind by kind."""
        if self._throttle is not None:
            for record in self._throttle.summaries():
                self._hand_on(record)

    def _hand_on(self, record: logging.LogRecord) -> None:
        # The level of a module was looked at by its logger.
        is_set = bool(self._levels) and self._has_own_level(record.name)
        for handler in self._handlers:
            if is_set or record.levelno >= handler.level:
                handler.handle(record)

    def _has_own_level(self, name: str) -> bool:
        while name:
            if name in self._levels:
                return True
            name = name.rpartition(".")[0]
        return False
