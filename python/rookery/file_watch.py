"""Tells when a file may have changed, by the kernel's notices; nothing is polled.

The folder is watched, not the file: editors and configuration managers replace files, and some
replace a link on the way to them. What changed is for the caller to find out.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

_log = logging.getLogger("rookery.files")

SETTLE_S = 0.1
"""Notices of one replacement come in a bunch; one look so long after the first sees all of it."""
FOLDERS_MAX = 64
_READ_BYTES = 65_536

_IN_CLOSE_WRITE = 0x8
_IN_MOVED_FROM = 0x40
_IN_MOVED_TO = 0x80
_IN_CREATE = 0x100
_IN_DELETE = 0x200
_CHANGES = _IN_CLOSE_WRITE | _IN_MOVED_FROM | _IN_MOVED_TO | _IN_CREATE | _IN_DELETE
_IN_CLOEXEC = 0o2000000
_IN_NONBLOCK = 0o4000


class FileWatch:
    """Calls ``changed`` on the running loop after anything happened in a file's folder."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._fd = -1
        self._settling: asyncio.TimerHandle | None = None

    def watch(self, files: Iterable[Path]) -> None:
        """Watch the folders of these files instead of those before.

        A folder that cannot be watched is logged; its files are read again on command only.
        """
        self.close()
        folders: set[Path] = set()
        for file in files:
            folders.update((file.parent, file.resolve().parent))
        if not folders:
            return
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(_IN_CLOEXEC | _IN_NONBLOCK)
        if self._fd < 0:
            _log.warning("files are not watched: %s", os.strerror(ctypes.get_errno()))
            return
        for folder in sorted(folders)[:FOLDERS_MAX]:
            if libc.inotify_add_watch(self._fd, os.fsencode(folder), _CHANGES) < 0:
                reason = os.strerror(ctypes.get_errno())
                _log.warning("%s is not watched: %s", folder, reason)
        asyncio.get_running_loop().add_reader(self._fd, self._on_readable)

    def close(self) -> None:
        """Watch nothing more. May be called twice."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _on_readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._fd, _READ_BYTES):
                pass
        if self._settling is None:
            loop = asyncio.get_running_loop()
            self._settling = loop.call_later(SETTLE_S, self._settled)

    def _settled(self) -> None:
        self._settling = None
        self._changed()
