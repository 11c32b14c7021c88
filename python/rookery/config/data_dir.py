"""A data directory: one running process of a role at a time, and one node name for ever.

Whoever holds the lock on ``run/node.lock`` is the running node (``run/control.lock``: control plane,
``run/edge.lock``: edge service), and the file says its process id.
The system releases the lock with the process, however that ends: a file that is there without a
lock on it means nothing.
"""

from __future__ import annotations

import errno
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
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


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
            # The file stays: removing it could take away the lock of a node that just started. So does
            # what is in it: the next start writes over it, which a full disk lets it do.
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
        line = f"{os.getpid()}\n".encode()
        try:
            os.pwrite(self._lock, line, 0)
            os.ftruncate(self._lock, len(line))
        except OSError as error:
            raise _not_written(self.path / RUN_DIR / self._lock_name, error) from None

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
            raise _not_written(file, error) from None

    def _bound_name(self) -> str:
        file = self.path / NAME_FILE
        try:
            return file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            raise StartError(
                f"{file}: damaged, it is not UTF-8: write the name of the node into it, or remove it "
                "to give this data directory the name that the node starts with",
                message_zh=f"{file}：文件已损坏，不是 UTF-8 文本：请将节点名称写入该文件，"
                "或删除该文件，使数据目录采用节点启动时的名称",
            ) from None

    def _check_name(self) -> None:
        bound = self._bound_name() if self._node_name else ""
        if bound and bound != self._node_name:
            raise NodeNameMismatchError(
                f"data directory {self.path} belongs to node {bound}, not {self._node_name}: "
                f"start with --set node.name={bound}, use another --data-dir, "
                f"or remove {self.path / NAME_FILE} to rename the node for good"
            )


def _not_written(file: Path, error: OSError) -> StartError:
    reason = error.strerror or str(error)
    if error.errno in _NO_ROOM:
        return StartError(
            f"{file} cannot be written: {reason}: make some room on that disk and start again",
            message_zh=f"{file} 无法写入：{reason}：请先释放该磁盘的空间，再重新启动",
        )
    return StartError(
        f"{file} cannot be written: {reason}", message_zh=f"{file} 无法写入：{reason}"
    )
