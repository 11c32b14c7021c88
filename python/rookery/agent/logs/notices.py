"""Wakes one thread: when something in a folder changes, or when another thread wants it.

The kernel tells of changes by a signal (``F_NOTIFY``, which the standard library has, as it has no
inotify), and it tells this thread alone, which takes signals only where it waits: no other code is
ever interrupted. Where the kernel or the file system does not tell, a look every second remains.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import threading
from pathlib import Path

# Ignored where nobody waits for it.
_SIGNAL = signal.SIGURG
# Of the kernel; the standard library names neither.
_F_SETOWN_EX = 15
_F_OWNER_TID = 0
LOOK_S = 5.0
"""How often a folder is looked at in spite of notices: file systems of a network send none."""
LOOK_WITHOUT_NOTICES_S = 1.0


class Notices:
    """Used by the thread that made it; :meth:`wake` by any."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._descriptor = -1
        self._watched: tuple[int, int] | None = None
        self._wanted = threading.Event()
        self._is_closed = False
        self._lock = threading.Lock()
        signal.pthread_sigmask(signal.SIG_BLOCK, {_SIGNAL})

    @property
    def look_s(self) -> float:
        """After how long to look without being told."""
        return LOOK_S if self._descriptor >= 0 else LOOK_WITHOUT_NOTICES_S

    def watch(self, folder: Path) -> None:
        """Be told of changes in that folder; nothing to do while it is the same."""
        try:
            found = folder.stat()
            identity = (found.st_dev, found.st_ino)
            if identity == self._watched:
                return
            self._forget()
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            self._forget()
            return
        kinds = fcntl.DN_MODIFY | fcntl.DN_CREATE | fcntl.DN_DELETE | fcntl.DN_RENAME
        try:
            owner = struct.pack("ii", _F_OWNER_TID, threading.get_native_id())
            fcntl.fcntl(descriptor, _F_SETOWN_EX, owner)
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, _SIGNAL)
            fcntl.fcntl(descriptor, fcntl.F_NOTIFY, kinds | fcntl.DN_MULTISHOT)
        except OSError:
            # It is looked at more often then.
            os.close(descriptor)
            return
        self._descriptor = descriptor
        self._watched = identity

    def wake(self) -> None:
        """Make :meth:`wait` return."""
        with self._lock:
            if not self._is_closed:
                self._wanted.set()
                signal.pthread_kill(self._thread, _SIGNAL)

    def wait(self, timeout_s: float) -> bool:
        """Until something happens, or the time is up; whether something did."""
        happened = self._wanted.is_set()
        if not happened:
            happened = signal.sigtimedwait({_SIGNAL}, max(0.0, timeout_s)) is not None
        self._wanted.clear()
        return happened

    def _forget(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._watched = -1, None

    def close(self) -> None:
        """Nobody is woken any more."""
        with self._lock:
            self._is_closed = True
        self._forget()
