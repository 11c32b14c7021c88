"""Cuts octets into records. What comes out depends on the octets alone, not on how they arrive."""

from __future__ import annotations

from collections.abc import Iterator

from rookery.agent.logs.parsing import is_start
from rookery.contracts.agent_logs import RECORD_BYTES_MAX

_HEAD_BYTES = 64


class Records:
    """Takes what is read of one file. ``position`` is where the first octet that comes stands."""

    def __init__(self, position: int) -> None:
        self._kept = bytearray()
        # Where in the file the octets that are kept begin.
        self._base = position
        # Where in them the line begins that has no end yet.
        self._line = 0
        self._scanned = 0

    @property
    def base(self) -> int:
        """Where the next record begins."""
        return self._base

    @property
    def position(self) -> int:
        """Where in the file the next octet stands."""
        return self._base + len(self._kept)

    @property
    def is_empty(self) -> bool:
        return not self._kept

    @property
    def has_lines(self) -> bool:
        """Whether whole lines wait for what may belong to them."""
        return self._line > 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Whole records: where each begins, and its octets."""
        self._kept += data
        while True:
            end = self._kept.find(b"\n", self._scanned)
            if end < 0:
                break
            yield from self._lengthy(end + 1)
            # What was cut off moved everything.
            end = self._kept.find(b"\n", self._line)
            yield from self._whole_line(end + 1)
        yield from self._lengthy(len(self._kept))
        self._scanned = len(self._kept)

    def flush(self, *, everything: bool = False) -> Iterator[tuple[int, bytes]]:
        """What waits, without what may still come to it; a line without its end only on demand."""
        end = len(self._kept) if everything else self._line
        if end:
            yield self._cut(end)

    def _whole_line(self, end: int) -> Iterator[tuple[int, bytes]]:
        """A line ends at ``end``: it goes on with what is there, or begins a record."""
        if self._line:
            is_new = is_start(bytes(self._kept[self._line : self._line + _HEAD_BYTES]))
            if is_new or end > RECORD_BYTES_MAX:
                end -= self._line
                yield self._cut(self._line)
        self._line = self._scanned = end

    def _lengthy(self, end: int) -> Iterator[tuple[int, bytes]]:
        """A line that is longer than a record may be becomes several."""
        if end - self._line <= RECORD_BYTES_MAX:
            return
        length = end - self._line
        if self._line:
            yield self._cut(self._line)
        while length > RECORD_BYTES_MAX:
            at = RECORD_BYTES_MAX
            # Not within a character of UTF-8.
            while at > RECORD_BYTES_MAX - 3 and self._kept[at] & 0xC0 == 0x80:
                at -= 1
            length -= at
            yield self._cut(at)

    def _cut(self, end: int) -> tuple[int, bytes]:
        cut = self._base, bytes(self._kept[:end])
        del self._kept[:end]
        self._base += end
        self._line = max(0, self._line - end)
        self._scanned = max(0, self._scanned - end)
        return cut
