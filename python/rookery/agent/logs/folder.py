"""The log files of one folder: those that are there, and those that went before they were read."""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import stat
from pathlib import Path

from rookery.agent.logs.state import FilePosition
from rookery.agent.logs.tail import TailedFile, open_file
from rookery.clock import Clock

log = logging.getLogger(__name__)

# `emqx.log`, `emqx.log.1`; not what EMQX keeps beside them (`.idx`, `.siz`) nor what was compressed.
NAME = re.compile(r"[^.].*\.log(\.\d{1,9})?")
NAME_CHARS_MAX = 256
FILES_MAX = 64
FIRST_BYTES_MAX = 4 << 20
"""Of files that were there before anything was ever collected, so much of their ends is sent."""
GONE_S = 10.0
"""A file that is being renamed may be missing from one list of the folder, but not for so long."""
HELD_BYTES_MAX = 512 << 20
"""Unread octets of files that are deleted: their space is free only when they are given up."""


class LogFolder:
    """Follows files by device and inode. Not for several threads at once."""

    def __init__(self, folder: Path, known: list[FilePosition] | None, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._is_first = known is None
        self._known = {item.identity: item for item in known or ()}
        self._since_s = clock.monotonic_s()
        self.files: dict[tuple[int, int], TailedFile] = {}
        # Those that are replaced or deleted, and not sent yet.
        self.leaving: list[TailedFile] = []
        self.error = ""
        self.dropped_bytes = 0
        self.is_changed = False

    def look(self) -> None:
        """See what is there. Never fails: ``error`` says what did."""
        try:
            found = self._found()
        except OSError as error:
            self.error = f"{_code(error)}: {self._folder}: {error.strerror or error}"
            return
        self.error = "" if found else f"ANSWER: {self._folder}: no log files (*.log) there"
        for identity in [one for one in self.files if one not in found]:
            self._leave(identity)
        for identity, path in found.items():
            try:
                self._follow(identity, path)
            except FileNotFoundError:
                # It was renamed in between: the next look finds it.
                continue
            except OSError as error:
                self.error = f"{_code(error)}: {path}: {error.strerror or error}"
        if self._known and self._clock.monotonic_s() - self._since_s >= GONE_S:
            for position in self._known.values():
                # They went while nobody looked.
                self._lose(max(0, position.size - position.offset), position.name)
            self._known = {}
            self.is_changed = True
        self._is_first = False
        self._bound_held()

    def positions(self) -> list[FilePosition]:
        """What is to be remembered."""
        kept = [*self._known.values()]
        return kept + [item.position for item in (*self.files.values(), *self.leaving)]

    def every(self) -> list[TailedFile]:
        """Those that leave first: the older their records are, the sooner they are sent."""
        return [*self.leaving, *self.files.values()]

    def forget_done(self) -> None:
        """Let go of files that are gone and confirmed."""
        now_s = self._clock.monotonic_s()
        for item in [one for one in self.leaving if one.is_done and now_s - one.gone_s >= GONE_S]:
            self.leaving.remove(item)
            item.close()
            self.is_changed = True

    def close(self) -> None:
        for item in self.every():
            item.close()
        self.files, self.leaving = {}, []

    # -- inside ----------------------------------------------------------------------------

    def _found(self) -> dict[tuple[int, int], Path]:
        found: list[tuple[float, tuple[int, int], Path]] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if len(entry.name) > NAME_CHARS_MAX or NAME.fullmatch(entry.name) is None:
                    continue
                try:
                    about = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(about.st_mode):
                    identity = (about.st_dev, about.st_ino)
                    found.append((about.st_mtime, identity, Path(entry.path)))
        found.sort(key=lambda item: (item[0], item[2].name))
        # The newest are those that matter.
        return {identity: path for _, identity, path in found[-FILES_MAX:]}

    def _follow(self, identity: tuple[int, int], path: Path) -> None:
        held = self.files.get(identity) or self._back(identity)
        if held is not None:
            if held.is_same():
                held.position.name = path.name
                return
            # Written anew from its beginning; what was there is nowhere any more.
            self._lose(held.unread, path.name)
            held.freeze()
            self._leave(identity)
        descriptor = open_file(path)
        try:
            made = self._made(descriptor, path)
        except BaseException:
            os.close(descriptor)
            raise
        if made.position.identity != identity:
            # Another file has the name by now: the next look finds it.
            made.close()
            return
        self.files[identity] = made

    def _made(self, descriptor: int, path: Path) -> TailedFile:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "not a file")
        remembered = self._known.pop((about.st_dev, about.st_ino), None)
        if remembered is not None:
            kept = TailedFile(remembered, descriptor)
            if kept.is_same():
                remembered.name = path.name
                return kept
            self._lose(max(0, remembered.size - remembered.offset), remembered.name)
        position = FilePosition(
            secrets.token_hex(8),
            about.st_dev,
            about.st_ino,
            path.name,
            # For records before the first that says when it was.
            time_ms=min(int(about.st_mtime * 1000), self._clock.now_ms()),
        )
        if self._is_first:
            position.offset = _beginning(descriptor, about.st_size)
        self.is_changed = True
        made = TailedFile(position, descriptor)
        made.is_same()
        return made

    def _leave(self, identity: tuple[int, int]) -> None:
        item = self.files.pop(identity)
        item.is_gone, item.gone_s = True, self._clock.monotonic_s()
        self.leaving.append(item)

    def _back(self, identity: tuple[int, int]) -> TailedFile | None:
        """A file that was missing is there again: it was renamed just then."""
        for item in self.leaving:
            if item.position.identity == identity and not item.is_frozen:
                self.leaving.remove(item)
                item.is_gone = False
                self.files[identity] = item
                return item
        return None

    def _bound_held(self) -> None:
        held = sum(item.unread for item in self.leaving)
        while self.leaving and (held > HELD_BYTES_MAX or len(self.leaving) > FILES_MAX):
            item = self.leaving.pop(0)
            held -= item.unread
            self._lose(item.unread, item.position.name)
            item.close()
            self.is_changed = True

    def _lose(self, count: int, name: str) -> None:
        if count:
            self.dropped_bytes += count
            log.warning("%s: %d bytes were gone before they could be sent", name, count)


def _beginning(descriptor: int, size: int) -> int:
    """Where the first line begins of what is sent of a file that is older than the collection."""
    start = size - FIRST_BYTES_MAX
    if start <= 0:
        return 0
    end = os.pread(descriptor, 64 * 1024, start).find(b"\n")
    return start + end + 1


def _code(error: OSError) -> str:
    return "REFUSED" if error.errno in (errno.EACCES, errno.EPERM) else "UNREACHABLE"
