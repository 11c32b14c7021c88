"""What keeps right passwords known over a restart, in memory of the system and never on a disk.

A node whose clients have passwords of people would have to hash ten thousand of them when it starts
anew, which takes minutes. The file here holds the key of :mod:`verdicts` and the entries made with
it. It lies in a tmpfs, in a folder that only the user of the process can enter: it outlives the
process, however that ended, and is gone when the machine starts anew.

**What it gives away.** An entry is an HMAC over the stored hash, its random salt and the password:
of use only to somebody who has the users of the node, too, and he who can read a file of this user
can read the memory of the node.

The file is a ring of a fixed size: the newest entry takes the place of the oldest.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import secrets
import stat
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

_log = logging.getLogger(__name__)

KEY_BYTES = 32
MAC_BYTES = 32
FOLDER = "rookery"
MOUNTS = Path("/proc/self/mountinfo")
IN_MEMORY = frozenset({b"tmpfs", b"ramfs"})

_MAGIC = b"rkvd\x00\x01\x00\x00"
# Magic, entries of the ring, key.
_HEAD = struct.Struct(f"<8sQ{KEY_BYTES}s")
# Number of the entry from 1, seconds of the system's monotonic clock, the HMAC.
_ENTRY = struct.Struct(f"<Qd{MAC_BYTES}s")


class NotKeptError(Exception):
    """There is no place that may hold the file; says why."""


class KeptVerdicts:
    """The open file. Belongs to one process at a time."""

    def __init__(self, descriptor: int, size: int) -> None:
        """Take over a file that is ours alone; see :func:`open_kept`."""
        self._descriptor = descriptor
        self._size = size
        self._number = 0
        self.key, self.entries = self._read()

    def _read(self) -> tuple[bytes, list[tuple[bytes, float]]]:
        """The key and the entries, oldest first. A file that makes no sense begins anew."""
        data = os.pread(self._descriptor, _HEAD.size + self._size * _ENTRY.size, 0)
        if len(data) >= _HEAD.size:
            magic, size, key = _HEAD.unpack_from(data)
            if magic == _MAGIC and size == self._size:
                body = data[_HEAD.size :]
                whole = body[: len(body) // _ENTRY.size * _ENTRY.size]
                # What was never written, or half, has the number 0 or is found by no password.
                found = sorted(row for row in _ENTRY.iter_unpack(whole) if row[0])
                self._number = found[-1][0] if found else 0
                return key, [(mac, at_s) for _number, at_s, mac in found]
        key = secrets.token_bytes(KEY_BYTES)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, _HEAD.pack(_MAGIC, self._size, key), 0)
        return key, []

    def add(self, mac: bytes, at_s: float) -> None:
        """Keep an entry: a write to memory, which needs no thread.

        Raises:
            OSError: there is no memory for it.
        """
        place = _HEAD.size + self._number % self._size * _ENTRY.size
        self._number += 1
        os.pwrite(self._descriptor, _ENTRY.pack(self._number, at_s, mac), place)

    def close(self) -> None:
        """Let the next process have it."""
        os.close(self._descriptor)


def open_kept(data_dir: Path, size: int, environ: Mapping[str, str] = os.environ) -> KeptVerdicts:
    """Open the file of the node with this data directory, and make it if it is not there.

    Raises:
        NotKeptError: no place may hold it.
    """
    reason = "no directory in memory"
    for base in _bases(environ):
        try:
            return KeptVerdicts(_open_file(base, data_dir), size)
        except NotKeptError as error:
            reason = str(error)
        except OSError as error:
            reason = f"{base}: {error.strerror or error}"
    raise NotKeptError(reason)


def forget(data_dir: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Remove what an earlier run kept."""
    for base in _bases(environ):
        with contextlib.suppress(OSError):
            (base / _name(data_dir)).unlink()


def _bases(environ: Mapping[str, str]) -> Iterator[Path]:
    """Folders of this user that may exist, the best first."""
    # systemd: the first of several; it is the service's own.
    given = environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if given.startswith("/"):
        yield Path(given) / FOLDER
    given = environ.get("XDG_RUNTIME_DIR", "")
    if given.startswith("/"):
        yield Path(given) / FOLDER
    user = os.geteuid()
    if user == 0:
        yield Path("/run") / FOLDER
    yield Path("/dev/shm") / f"{FOLDER}-{user}"  # noqa: S108 - what it may be is looked at below


def _name(data_dir: Path) -> str:
    path = os.fsencode(data_dir.resolve())
    return f"verdicts-{hashlib.sha256(path).hexdigest()[:32]}"


def _open_file(base: Path, data_dir: Path) -> int:
    """The file, locked; through a folder in which nobody else can have put anything."""
    if not _is_in_memory(base.parent.stat().st_dev):
        raise NotKeptError(f"{base} is not in memory")
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    folder = os.open(base, os.O_RDONLY | os.O_DIRECTORY | flags)
    try:
        found = os.fstat(folder)
        _check_owner(base, found)
        if not _is_in_memory(found.st_dev):
            raise NotKeptError(f"{base} is not in memory")
        file = os.open(_name(data_dir), os.O_RDWR | os.O_CREAT | flags, 0o600, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        found = os.fstat(file)
        _check_owner(base, found)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise NotKeptError(f"{base} holds something else under that name")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise NotKeptError(f"{base}: another process has the file") from None
    except BaseException:
        os.close(file)
        raise
    return file


def _check_owner(base: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise NotKeptError(f"{base} can be entered by others")


def _is_in_memory(device: int) -> bool:
    """Whether a file system is in memory, by the kernel's list of what is mounted (proc(5))."""
    number = f"{os.major(device)}:{os.minor(device)}".encode()
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:
        return False
    for line in lines:
        left, _, right = line.partition(b" - ")
        if left.split(b" ")[2:3] == [number]:
            return right.split(b" ")[:1][0] in IN_MEMORY
    return False
