"""One log file, read to its end as long as it lives, whatever its name becomes."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rookery.agent.logs.parsing import severity_of, told_by
from rookery.agent.logs.records import Records
from rookery.agent.logs.state import FilePosition
from rookery.contracts.agent_logs import RECORDS_MAX, LogEntry, clean

BATCH_BYTES = 96 * 1024
HEAD_BYTES_MAX = 256
_READ_BYTES = 64 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Ready(NamedTuple):
    """A record as it travels, where it ends in the file, and what the next one inherits."""

    line: bytes
    end: int
    time_ms: int
    severity: int


@dataclass(frozen=True)
class Taken:
    """Records that go together, and the position behind them."""

    records: tuple[Ready, ...]

    @property
    def last(self) -> Ready:
        return self.records[-1]

    @property
    def lines(self) -> Iterator[bytes]:
        return (record.line for record in self.records)


def open_file(path: Path) -> int:
    """A descriptor; links are not followed, the folder belongs to somebody else.

    Raises:
        OSError: it cannot be opened.
    """
    return os.open(path, _FLAGS)


def head_of(descriptor: int, length: int) -> str:
    """What tells a file from one that later has its number."""
    return hashlib.sha256(os.pread(descriptor, length, 0)).hexdigest()[:32]


class TailedFile:
    """``position`` is what is remembered of it: how far it was confirmed."""

    def __init__(self, position: FilePosition, descriptor: int) -> None:
        self.position = position
        self.is_gone = False
        self.gone_s = 0.0
        self._descriptor = descriptor
        self._records = Records(position.offset)
        self._ready: deque[Ready] = deque()
        # Of the record before, for one that says nothing of itself.
        self._time_ms = position.time_ms
        self._severity = position.severity
        # Where it stood still, and since when.
        self._still: tuple[int, float] | None = None
        self._seen: tuple[int, int] | None = None
        self.is_frozen = False

    @property
    def unread(self) -> int:
        """Octets that are there and were not read."""
        return 0 if self.is_frozen else max(0, self.position.size - self._records.position)

    @property
    def waits(self) -> bool:
        """Whether records are read that more may belong to."""
        return self._records.has_lines or (self.is_gone and not self._records.is_empty)

    @property
    def has_more(self) -> bool:
        return bool(self._ready) or self.unread > 0

    @property
    def is_done(self) -> bool:
        """All of it is confirmed."""
        is_confirmed = self.position.offset >= self._records.base
        return not self.has_more and self._records.is_empty and is_confirmed

    def freeze(self) -> None:
        """What it was is written over: nothing more is read of it."""
        self.is_frozen = True

    def close(self) -> None:
        os.close(self._descriptor)

    def is_same(self) -> bool:
        """Look at it; false when something else stands there now.

        Raises:
            OSError: it cannot be read.
        """
        position = self.position
        about = os.fstat(self._descriptor)
        size, seen = about.st_size, (about.st_size, about.st_mtime_ns)
        if size < max(self._records.position, position.head_length):
            return False
        if seen == self._seen:
            return True
        length = position.head_length
        if length and position.head != head_of(self._descriptor, length):
            return False
        if length < HEAD_BYTES_MAX and size > length:
            position.head_length = min(size, HEAD_BYTES_MAX)
            position.head = head_of(self._descriptor, position.head_length)
        position.size = size
        self._seen = seen
        return True

    def take(self) -> Taken | None:
        """The next records; None while there are none.

        Raises:
            OSError: it cannot be read.
        """
        taken: list[Ready] = []
        room = BATCH_BYTES
        while len(taken) < RECORDS_MAX:
            try:
                if not self._ready and not self._fill():
                    break
            except OSError:
                if not taken:
                    raise
                break
            if not self._ready:
                continue
            room -= len(self._ready[0].line)
            if room < 0 and taken:
                break
            taken.append(self._ready.popleft())
        return Taken(tuple(taken)) if taken else None

    def put_back(self, taken: Taken) -> None:
        """It could not be sent on: the next :meth:`take` has it."""
        self._ready.extendleft(reversed(taken.records))

    def settle(self, now_s: float, still_s: float) -> bool:
        """End what waits for more when nothing came for so long; whether that was so.

        Where it ends is remembered: the record ends there when it is read again, too.
        """
        if self.unread or not self.waits:
            self._still = None
            return False
        at = self._records.position
        if self._still is None or self._still[0] != at:
            self._still = (at, now_s)
        if now_s - self._still[1] < still_s:
            return False
        self._still = None
        self._keep(self._records.flush(everything=self.is_gone))
        self.position.splits.append(self._records.base)
        return True

    def confirm(self, taken: Taken) -> None:
        """The control plane has it."""
        position, last = self.position, taken.last
        if last.end > position.offset:
            position.offset = last.end
            position.time_ms = last.time_ms
            position.severity = last.severity
            position.splits = [split for split in position.splits if split > last.end]

    def _fill(self) -> bool:
        if self.is_frozen:
            return False
        at = self._records.position
        split = min((one for one in self.position.splits if one > at), default=None)
        wanted = _READ_BYTES if split is None else min(_READ_BYTES, split - at)
        data = os.pread(self._descriptor, wanted, at)
        if not data:
            return False
        self._keep(self._records.feed(data))
        if self._records.position == split:
            self._keep(self._records.flush(everything=True))
        return True

    def _keep(self, found: Iterator[tuple[int, bytes]]) -> None:
        for at, octets in found:
            self._ready.append(self._read(at, octets))

    def _read(self, at: int, octets: bytes) -> Ready:
        raw = clean(octets.decode("utf-8", "replace").rstrip("\r\n"))
        told = told_by(raw)
        self._severity = severity_of(told, self._severity)
        if told.time_ms is not None:
            self._time_ms = told.time_ms
        entry = LogEntry(at, self._time_ms, self._severity, told.logger, told.msg, raw)
        return Ready(entry.line(), at + len(octets), self._time_ms, self._severity)
