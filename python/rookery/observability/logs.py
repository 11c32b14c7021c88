"""Sends this process's log records to the console and to a file."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "alert": logging.CRITICAL,
    "emergency": logging.CRITICAL,
}
"""EMQX's words for levels; a word that is not here logs everything."""


def timestamp(seconds: float) -> str:
    """RFC 3339 with milliseconds, in the local time zone."""
    when = datetime.fromtimestamp(seconds, UTC).astimezone()
    return when.isoformat(timespec="milliseconds")


class TextFormatter(logging.Formatter):
    """``time [level] logger: message``."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{timestamp(record.created)} [{record.levelname.lower()}] {_body(self, record)}"
        return line.replace("\r", "\\r")


class JsonFormatter(logging.Formatter):
    """One JSON object on each line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": timestamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def _body(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    # What a client sent must not be able to look like a line of ours.
    text = f"{record.name}: {record.getMessage()}".replace("\n", "\\n")
    if record.exc_info:
        text += "\n" + formatter.formatException(record.exc_info)
    return text


def _formatter(name: str) -> logging.Formatter:
    return JsonFormatter() if name == "json" else TextFormatter()


def console_handler(level: str, formatter: str) -> logging.Handler:
    """A handler that writes to standard error."""
    handler = logging.StreamHandler()
    handler.setLevel(LEVELS.get(level, logging.DEBUG))
    handler.setFormatter(_formatter(formatter))
    return handler


def file_handler(
    path: Path, level: str, formatter: str, *, rotation_bytes: int, rotation_count: int
) -> logging.Handler:
    """A handler that writes to a file and keeps ``rotation_count`` older ones.

    ``rotation_bytes`` 0 lets the file grow.
    """
    # Its imports are not wanted in a process that has no log file.
    from logging.handlers import RotatingFileHandler  # noqa: PLC0415

    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        path, maxBytes=rotation_bytes, backupCount=rotation_count, encoding="utf-8", delay=True
    )
    handler.setLevel(LEVELS.get(level, logging.DEBUG))
    handler.setFormatter(_formatter(formatter))
    return handler


class Logging:
    """Installs handlers on the root logger while it is open, and takes them away again."""

    def __init__(self, handlers: list[logging.Handler]) -> None:
        self._handlers = handlers
        self._level_before = logging.WARNING

    def open(self) -> None:
        root = logging.getLogger()
        self._level_before = root.level
        root.setLevel(min((handler.level for handler in self._handlers), default=logging.CRITICAL))
        for handler in self._handlers:
            root.addHandler(handler)

    def close(self) -> None:
        root = logging.getLogger()
        for handler in self._handlers:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(self._level_before)
