"""A data directory: one running process of a role at a time, and one node name for ever.

Whoever holds the lock on ``run/node.lock`` is the running node (``run/control.lock``: control plane,
``run/edge.lock``: edge service), and the file says its process id.
The system releases the lock with the process, however that ends: a file that is there without a
lock on it means nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from rookery.config.safe_dir import refuse_unsafe
from rookery.errors import DataDirInUseError, NodeNameMismatchError, StartError

RUN_DIR = "run"
LOCK_NAME = "node.lock"
CONTROL_LOCK_NAME = "control.lock"
EDGE_LOCK_NAME = "edge.lock"
_ROLES = {CONTROL_LOCK_NAME: "control plane", EDGE_LOCK_NAME: "edge service"}
NAME_FILE = "node.name"
_PID_BYTES_MAX = 32


class DataDir:
    """The lock on a data directory, from :meth:`open` to :meth:`close`."""

    def __init__(self, path: Path, node_name: str = "", lock_name: str = LOCK_NAME) -> None:
        """Without ``node_name`` the directory is bound to none."""
        self.path = path
        self._node_name = node_name
        self._lock_name = lock_name
        self._lock: int | None = None

    def open(self) -> None:
        """Make the directory if it is missing, take it, and compare the node name it is bound to.

        Raises:
            DataDirInUseError: a running node has it.
            NodeNameMismatchError: it belongs to a node of another name.
            StartError: it cannot be made or written, or others than its owner decide what is in it.
        """
        try:
            self.path.mkdir(mode=0o750, parents=True, exist_ok=True)
            run = self.path / RUN_DIR
            refuse_unsafe(self.path)
            run.mkdir(mode=0o700, exist_ok=True)
            refuse_unsafe(run, may_be_link=False)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._lock = os.open(run / self._lock_name, flags, 0o600)
            self._take()
            self._check_name()
        except OSError as error:
            self.close()
            reason = error.strerror or str(error)
            raise StartError(f"data directory {self.path}: {reason}") from None
        except StartError:
            self.close()
            raise

    def close(self) -> None:
        """Let another node have it. May be called twice."""
        if self._lock is not None:
            lock, self._lock = self._lock, None
            # The file stays: removing it could take away the lock of a node that just started.
            with contextlib.suppress(OSError):
                os.ftruncate(lock, 0)
            os.close(lock)

    @property
    def _role(self) -> str:
        return _ROLES.get(self._lock_name, "node")

    def _take(self) -> None:
        assert self._lock is not None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(self._lock, _PID_BYTES_MAX, 0).decode("ascii", "replace").strip()
            pid = int(text) if text.isdecimal() else None
            lock, self._lock = self._lock, None
            os.close(lock)
            who = f"process {pid}" if pid is not None else "another process"
            raise DataDirInUseError(
                f"data directory {self.path} is in use by the {self._role} of {who}", pid=pid
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def bind_name(self) -> None:
        """Bind the node name to the directory, once the node runs: a failed start binds nothing.

        Raises:
            StartError: it cannot be written.
        """
        file = self.path / NAME_FILE
        if self._bound_name():
            return
        try:
            # Written whole or not at all: half a name would be somebody else's.
            fresh = file.with_suffix(".new")
            fresh.write_text(f"{self._node_name}\n", encoding="utf-8")
            fresh.replace(file)
        except OSError as error:
            reason = error.strerror or str(error)
            raise StartError(f"data directory {self.path}: {reason}") from None

    def _bound_name(self) -> str:
        try:
            return (self.path / NAME_FILE).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def _check_name(self) -> None:
        bound = self._bound_name() if self._node_name else ""
        if bound and bound != self._node_name:
            raise NodeNameMismatchError(
                f"data directory {self.path} belongs to node {bound}, not {self._node_name}: "
                f"start with --set node.name={bound}, use another --data-dir, "
                f"or remove {self.path / NAME_FILE} to rename the node for good"
            )
