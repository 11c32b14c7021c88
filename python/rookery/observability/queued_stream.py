"""Lines for a terminal or a pipe whose reader may stop reading.

A terminal that was held with Ctrl-S, a pager that shows the first page, a log collector that
hangs: whoever writes to them waits, and the event loop of a node must not wait for them.

**Invariant.** ``write`` never blocks. What does not fit is lost, counted, and told of as soon as
there is room.
"""

from __future__ import annotations

import os
import threading
from typing import Self

WAITING_BYTES_MAX = 1 << 20


class QueuedStream:
    """A text stream with a thread that does the waiting.

    The thread begins with the first line, so that a silent process has none.

    Args:
        descriptor: Where the lines go. It stays open.
        bytes_max: How much may wait.
    """

    def __init__(self, descriptor: int, *, bytes_max: int = WAITING_BYTES_MAX) -> None:
        self._descriptor = descriptor
        self._bytes_max = bytes_max
        self._waiting = bytearray()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_writing = False
        self._is_broken = False
        self._unsaid = 0
        self.lost_lines = 0

    def write(self, text: str) -> int:
        """Hand over whole lines.

        Raises:
            BrokenPipeError: nobody reads any more.
        """
        data = text.encode("utf-8", "backslashreplace")
        with self._changed:
            if self._is_broken:
                raise BrokenPipeError
            if len(self._waiting) + len(data) > self._bytes_max:
                self._unsaid += text.count("\n")
                self.lost_lines += text.count("\n")
                return len(text)
            self._waiting += data
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="rookery-output", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()
        return len(text)

    def flush(self) -> None:
        """The thread writes at once."""

    def drain(self, timeout_s: float) -> bool:
        """Wait until everything is written, so long at most; whether it is."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._is_broken or not (self._waiting or self._is_writing), timeout_s
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A reader that hangs must not keep the process from ending.
        self.drain(1.0)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                data, self._waiting = bytes(self._waiting), bytearray()
                if self._unsaid:
                    data += f"({self._unsaid} lines were lost: nobody read them)\n".encode()
                    self._unsaid = 0
                self._is_writing = True
            is_whole = self._put(data)
            with self._changed:
                self._is_writing = False
                self._is_broken = not is_whole
                self._changed.notify_all()
                if self._is_broken:
                    return

    def _put(self, data: bytes) -> bool:
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            return False
        return True
