"""Appends lines to a file and renames it when it has become large. Every call may wait for the disk.

A batch is in the file whole or not at all: what could be written of one that failed is cut off
again. The file is locked, so that two writers do not rename it under each other's feet. One that was
made and never written to goes again when it is closed: a probe leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Sequence
from pathlib import Path

MODE = 0o640


class InUseError(OSError):
    """Somebody else writes that file."""


class Writer:
    """One file. Belongs to one thread at a time."""

    def __init__(self, path: Path, *, bytes_max: int, files_max: int) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._files_max = files_max
        self._fd = -1
        self._size = 0
        self._made: list[Path] = []
        """Folders that were made for a file that has nothing yet, which is the first of them."""

    def open(self) -> None:
        """Open the file, or make it, with its folder.

        Raises:
            InUseError: somebody else writes it.
            OSError: it cannot be written.
        """
        self.close()
        missing = [folder for folder in self._path.parents if not folder.exists()]
        self._path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        flags = (
            os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        )
        try:
            fd = os.open(self._path, flags | os.O_EXCL, MODE)
            self._made = [self._path, *missing]
        except FileExistsError:
            fd = os.open(self._path, flags, MODE)
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise OSError("not a plain file")
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUseError from None
        except BaseException:
            os.close(fd)
            raise
        self._fd, self._size = fd, found.st_size

    def close(self) -> None:
        """Give the file up. May be called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                self._take_back(fd)
            finally:
                os.close(fd)

    def _take_back(self, fd: int) -> None:
        made, self._made = self._made, []
        if not made:
            return
        ours = os.fstat(fd)
        # Whatever keeps one of them from going, somebody else uses it by now.
        with contextlib.suppress(OSError):
            if ours.st_size == 0 and os.path.samestat(self._path.lstat(), ours):
                self._path.unlink()
                for folder in made[1:]:
                    folder.rmdir()

    def check(self) -> None:
        """Whether the file is still there, and open it again if not.

        Raises:
            OSError: it cannot be written.
        """
        if self._fd < 0 or self._is_gone():
            self.open()

    def append(self, lines: Sequence[bytes], *, sync: bool) -> None:
        """Write lines, which end with a line break.

        Raises:
            InUseError: the file is full, and one that it would be renamed to is of another writer.
            OSError: not written, none of them.
        """
        self.check()
        count = sum(map(len, lines))
        if self._size and self._size + count > self._bytes_max:
            self._rotate()
        try:
            self._write(b"".join(lines))
            if sync:
                os.fdatasync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += count
        self._made = []

    def _write(self, octets: bytes) -> None:
        left = memoryview(octets)
        while left:
            left = left[os.write(self._fd, left) :]

    def _is_gone(self) -> bool:
        """Whether another file, or none, has the name; such as after a rotation by others."""
        try:
            there = self._path.lstat()
        except FileNotFoundError:
            return True
        ours = os.fstat(self._fd)
        self._size = ours.st_size  # others may cut it
        return not os.path.samestat(there, ours)

    def _rotate(self) -> None:
        """``file.1`` is the youngest of those that were renamed."""
        last = self._files_max - 1
        if last == 0:
            os.ftruncate(self._fd, 0)
            self._size = 0
            return
        for number in range(1, last + 1):
            _see_free(self._numbered(number))
        for number in range(last, 0, -1):
            older = self._numbered(number)
            younger = self._numbered(number - 1) if number > 1 else self._path
            if younger.exists():
                younger.replace(older)
        self.open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _see_free(path: Path) -> None:
    """Raises InUseError: another writer has that file, which a rotation would take from it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InUseError(errno.EBUSY, os.strerror(errno.EBUSY), str(path)) from None
    finally:
        os.close(fd)
