"""The standard streams of a process without a terminal, as a log file that turns itself over.

Everything the process prints goes there, also what the interpreter or a library prints on standard
error when something breaks: the file stands behind both descriptors.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

STREAMS = (1, 2)
FILE_MODE = 0o640


class StreamLog:
    """A text stream that keeps ``count`` older files of at most ``bytes_max`` each.

    ``bytes_max`` 0 lets the file grow. A full disk loses lines, counts them, and says how many as
    soon as there is room: it never ends the process.
    """

    def __init__(self, path: Path, *, bytes_max: int, count: int) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._count = count
        self._descriptor = _open(path)
        self.lost_lines = 0

    def take_streams(self) -> None:
        """Let standard output and standard error go to the file as well."""
        for stream in STREAMS:
            os.dup2(self._descriptor, stream)

    def write(self, text: str) -> int:
        data = text.encode("utf-8", "backslashreplace")
        # Others write to the same file: only the system knows how large it is.
        size = os.fstat(self._descriptor).st_size if self._bytes_max else 0
        if size and size + len(data) > self._bytes_max:
            with contextlib.suppress(OSError):  # then the file grows until it can be turned over
                self._turn_over()
        try:
            if self.lost_lines:
                self._append(f"({self.lost_lines} lines were lost: no room)\n".encode())
                self.lost_lines = 0
            self._append(data)
        except OSError:
            self.lost_lines += text.count("\n")
        return len(text)

    def flush(self) -> None:
        """Nothing waits here."""

    def _append(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _turn_over(self) -> None:
        for number in range(self._count - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._older(number).replace(self._older(number + 1))
        if self._count:
            self._path.replace(self._older(1))
        else:
            self._path.unlink()
        fresh = _open(self._path)
        # The descriptor stays: the streams and this object move to the new file together.
        streams = [s for s in STREAMS if os.path.sameopenfile(s, self._descriptor)]
        for descriptor in (*streams, self._descriptor):
            os.dup2(fresh, descriptor, inheritable=descriptor in streams)
        os.close(fresh)

    def _older(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
