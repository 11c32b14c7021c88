"""Prints what happens, a line each, to the stream that the process was started with."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TextIO

from rookery.config.secrets import text_without_secrets

# SQLAlchemy and Alembic tell what they do at info.
_OURS = "rookery"
_LEVELS = {"notice": logging.INFO}


class Journal:
    """In effect while its block runs."""

    def __init__(self, level: str, stream: TextIO) -> None:
        self._level = _LEVELS.get(level) or logging.getLevelNamesMapping()[level.upper()]
        self._handler = logging.StreamHandler(stream)
        self._handler.setFormatter(_Lines())

    def __enter__(self) -> Self:
        root = logging.getLogger()
        root.addHandler(self._handler)
        logging.getLogger(_OURS).setLevel(self._level)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        logging.getLogger().removeHandler(self._handler)
        logging.getLogger(_OURS).setLevel(logging.NOTSET)
        self._handler.flush()


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        text = text_without_secrets(record.getMessage())
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        return f"{at.replace('+00:00', 'Z')} {record.levelname.lower()} {text}"
