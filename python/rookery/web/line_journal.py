"""Prints what happens, a line each, to the stream that the process was started with."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TextIO

from rookery.config.secrets import text_without_secrets

# SQLAlchemy and Alembic tell what they do at info.
_OURS = "rookery"
_LEVELS = {"notice": logging.INFO}


class Journal:
    """In effect while its block runs."""

    def __init__(
        self, level: str, stream: TextIO | None, more: Sequence[logging.Handler] = ()
    ) -> None:
        """``more`` are other places where the same goes, each closed at the end."""
        self._level = _LEVELS.get(level) or logging.getLevelNamesMapping()[level.upper()]
        self._handlers = list(more)
        if stream is not None:
            self._handlers.append(logging.StreamHandler(stream))
        for handler in self._handlers:
            handler.setFormatter(LineFormatter())

    def __enter__(self) -> Self:
        root = logging.getLogger()
        for handler in self._handlers:
            root.addHandler(handler)
        logging.getLogger(_OURS).setLevel(self._level)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()  # a stream stays open
        logging.getLogger(_OURS).setLevel(logging.NOTSET)


class LineFormatter(logging.Formatter):
    """``TIME LEVEL TEXT``, the time in UTC, without what looks like a secret."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        text = text_without_secrets(record.getMessage())
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        return f"{at.replace('+00:00', 'Z')} {record.levelname.lower()} {text}"
