"""The one process of an agent's folder: its lock, its start in the background, its end."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rookery.agent.failures import AgentError
from rookery.agent.texts import say

_READY = b"ready\n"
_REPORT_BYTES_MAX = 64 * 1024
STOP_TIMEOUT_S = 20.0
_TRIES = 50


@contextlib.contextmanager
def held(lock_file: Path) -> Iterator[None]:
    """Be the process of this folder.

    Raises:
        AgentError: another is.
    """
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, lock_file)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, lock_file: Path) -> None:
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = running(lock_file)
        else:
            return
        if pid is not None:
            raise AgentError(say("run.already", pid=pid))
        # Somebody only looked whether one runs.
        time.sleep(0.02)
    raise AgentError(say("run.already", pid=0))


def running(lock_file: Path) -> int | None:
    """The number of the process that runs there; None when none does."""
    try:
        descriptor = os.open(lock_file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            return int(text) if text.isdecimal() and len(text) < 10 else None
        return None
    finally:
        os.close(descriptor)


def stop(lock_file: Path, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """Ask it to end, then make it; False when none ran.

    Raises:
        AgentError: it may not be ended by this user.
    """
    pid = running(lock_file)
    if pid is None:
        return False
    for number, wait_s in ((signal.SIGTERM, timeout_s), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        except PermissionError as error:
            raise AgentError(say("stop.refused", pid=pid)) from error
        if _is_free_within(lock_file, wait_s):
            return True
    raise AgentError(say("stop.failed", pid=pid))


def _is_free_within(lock_file: Path, timeout_s: float) -> bool:
    """Wait until nobody holds the lock; flock has no deadline of its own."""
    deadline = time.monotonic() + timeout_s
    while running(lock_file) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def tell(lock_file: Path, number: signal.Signals) -> bool:
    """Send a signal to it; False when none runs or it is not ours."""
    pid = running(lock_file)
    if pid is None:
        return False
    try:
        os.kill(pid, number)
    except OSError as error:
        if error.errno in (errno.ESRCH, errno.EPERM):
            return False
        raise
    return True


def start_detached(run: Callable[[Callable[[], None]], int], log_file: Path) -> str:
    """Run ``run(ready)`` in a process of its own session; what went wrong, empty when it runs."""
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _second_fork(run, log_file, writer)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        # Ends when it is ready or gone: it alone holds the other end.
        report = pipe.read(_REPORT_BYTES_MAX)
    if report == _READY:
        return ""
    return report.decode("utf-8", "replace").strip() or say("start.died", file=log_file)


def _second_fork(run: Callable[[Callable[[], None]], int], log_file: Path, writer: int) -> None:
    code = 1
    try:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        code = _run_and_tell(run, writer)
    finally:
        # Nothing may run on into the code of the parent.
        os._exit(code)


def _run_and_tell(run: Callable[[Callable[[], None]], int], writer: int) -> int:
    def ready() -> None:
        nonlocal writer
        if writer >= 0:
            os.write(writer, _READY)
            os.close(writer)
            writer = -1

    try:
        return run(ready)
    except AgentError as error:
        if writer >= 0:
            os.write(writer, str(error).encode())
        return 1
