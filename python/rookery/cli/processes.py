"""Which process is the node of a data directory, and which one holds a port.

A process is ours when it has the locked file of the data directory open and locked; its id alone
proves nothing, since ids are used again. Signals go through a process descriptor, so that they
reach the process that was looked at and no other.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

LOCK_FILE = Path("run") / "node.lock"
CONTROL_LOCK_FILE = Path("run") / "control.lock"
EDGE_LOCK_FILE = Path("run") / "edge.lock"
_PROC = Path("/proc")
_LISTENING = "0A"
_UNIX_LISTENS = 0x10000
_COMMAND_MAX = 80


class NodeProcess:
    """The running node of a data directory. Close it after use."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self._descriptor = descriptor

    @classmethod
    def find(cls, data_dir: Path, lock_file: Path = LOCK_FILE) -> NodeProcess | None:
        """The node that runs there, if one does.

        Raises:
            ForeignProcessError: the lock is held, but not by the process that the file names.
        """
        path = data_dir / lock_file
        try:
            lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if _is_free(lock):
                return None
            text = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
            pid = int(text) if text.isdecimal() else 0
            descriptor = _descriptor_of(pid)
            if descriptor is None or not _has_open(pid, os.fstat(lock)):
                if descriptor is not None:
                    os.close(descriptor)
                # It may just have ended.
                if _is_free(lock):
                    return None
                raise ForeignProcessError(pid)
            return cls(pid, descriptor)
        finally:
            os.close(lock)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to exactly this process."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def has_ended(self, timeout_s: float) -> bool:
        """Wait until it has ended, at most so long."""
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        return bool(poller.poll(max(0, round(timeout_s * 1000))))

    @property
    def is_suspended(self) -> bool:
        """Whether it was stopped by SIGSTOP or a debugger."""
        return _state_of(self.pid) in ("T", "t")

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class ForeignProcessError(Exception):
    """The process that the lock file names does not hold it."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self.pid = pid


def _is_free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(lock, fcntl.LOCK_UN)
    return True


def _descriptor_of(pid: int) -> int | None:
    if pid <= 0:
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _has_open(pid: int, file: os.stat_result) -> bool:
    try:
        descriptors = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        # Another user's process: the system would refuse our signals as well.
        return False
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            found = descriptor.stat()
            if (found.st_dev, found.st_ino) == (file.st_dev, file.st_ino):
                return True
    return False


def _state_of(pid: int) -> str:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return ""
    # The name stands in brackets and may hold anything, brackets too.
    fields = stat.rpartition(")")[2].split()
    return fields[0] if fields else ""


def running_pid(data_dir: Path, lock_file: Path = LOCK_FILE) -> int | None:
    """The process of the node that runs there, another user's as well."""
    try:
        process = NodeProcess.find(data_dir, lock_file)
    except ForeignProcessError as error:
        return error.pid
    if process is None:
        return None
    process.close()
    return process.pid


def held_sockets(pid: int) -> list[str] | None:
    """Where a process listens, as ``host:port`` or a path; None when it cannot be looked into."""
    try:
        descriptors = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return None
    mine = set()
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            mine.add(str(descriptor.readlink()))
    net = _PROC / str(pid) / "net"
    found: list[str] = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for row in _rows(net / table):
            if row[3] == _LISTENING and f"socket:[{row[9]}]" in mine:
                found.append(_address(row[1], family))
    for row in _rows(net / "unix"):
        # Number, references, protocol, flags, type, state, inode, path.
        if len(row) > 7 and int(row[3], 16) & _UNIX_LISTENS and f"socket:[{row[6]}]" in mine:
            found.append(" ".join(row[7:]))
    # Each worker has a socket of its own for the same address.
    return list(dict.fromkeys(found))


def _rows(table: Path) -> Iterator[list[str]]:
    try:
        lines = table.read_text(errors="replace").splitlines()[1:]
    except OSError:
        return
    yield from (line.split() for line in lines)


def _address(text: str, family: socket.AddressFamily) -> str:
    """The kernel writes each 32 bits of an address as a number of this machine."""
    host, _, port = text.partition(":")
    words = bytes.fromhex(host)
    packed = b"".join(
        int.from_bytes(words[at : at + 4], "big").to_bytes(4, sys.byteorder)
        for at in range(0, len(words), 4)
    )
    name = socket.inet_ntop(family, packed)
    return f"{f'[{name}]' if family is socket.AF_INET6 else name}:{int(port, 16)}"


def port_holder(port: int) -> tuple[str, int] | None:
    """Command and number of the process that listens on ``port``, if it can be seen."""
    inodes = set(_listening_inodes(port))
    if not inodes:
        return None
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            for descriptor in (entry / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(descriptor.readlink()) in inodes:
                        return _command_of(entry), int(entry.name)
    return None


def is_listened_on(port: int) -> bool:
    """Whether anybody does, also who cannot be seen."""
    return any(True for _ in _listening_inodes(port))


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            rows = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                yield f"socket:[{fields[9]}]"


def _command_of(entry: Path) -> str:
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        words = []
    text = b" ".join(word for word in words if word).decode(errors="replace")
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text[:_COMMAND_MAX] or "?"
