"""Keeps a log readable while one thing happens ten thousand times.

Of records of the same kind that come within a window the first one passes; at the end of the window
there is one more that says how many were left out. A kind is a logger, a level and the text without
what changes from case to case: numbers and what stands in quotes. A record may say its kind itself
(``extra={"kind": …}``), for what a stranger chose the words of. Debug records always pass, whoever
switches them on wants all of them.

**Bounds.** At most :data:`KINDS_MAX` kinds are known in a window; records of further ones pass.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import NamedTuple

from rookery.clock import Clock, SystemClock

KINDS_MAX = 1024
TEXT_MAX = 200
_CHANGING = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9a-fA-F]*\d[0-9a-fA-F.:]*")


class Kind(NamedTuple):
    """What is counted together."""

    logger: str
    level: int
    text: str


class Throttle:
    """Decides which records pass. May be used from any thread: a logging handler's lock is held."""

    def __init__(self, window_s: float, clock: Clock | None = None) -> None:
        self._window_s = window_s
        self._clock = clock or SystemClock()
        self._seen: dict[Kind, int] = {}
        self._since_s = self._clock.monotonic_s()
        self.left_out = 0

    def takes(self, record: logging.LogRecord) -> bool:
        """Whether a record passes; one that does not is counted."""
        if record.levelno <= logging.DEBUG:
            return True
        kind = _kind_of(record)
        seen = self._seen.get(kind)
        if seen is None:
            if len(self._seen) < KINDS_MAX:
                self._seen[kind] = 0
            return True
        self._seen[kind] = seen + 1
        self.left_out += 1
        return False

    def summaries(self) -> Iterator[logging.LogRecord]:
        """One record for each kind of which some were left out. A new window begins."""
        seen, self._seen = self._seen, {}
        now_s = self._clock.monotonic_s()
        length_s, self._since_s = now_s - self._since_s, now_s
        for kind, count in seen.items():
            if count:
                yield logging.LogRecord(
                    kind.logger,
                    kind.level,
                    __file__,
                    0,
                    "%d more in the last %.0f s: %s",
                    (count, length_s, kind.text),
                    None,
                )


def _kind_of(record: logging.LogRecord) -> Kind:
    said = getattr(record, "kind", None)
    if said is not None:
        return Kind(record.name, record.levelno, str(said)[:TEXT_MAX])
    try:
        text = record.getMessage()
    except (TypeError, ValueError):  # the handler tells what is wrong with it
        text = str(record.msg)
    return Kind(record.name, record.levelno, _CHANGING.sub("…", text[:TEXT_MAX]))
