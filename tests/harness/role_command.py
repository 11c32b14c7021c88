"""Starts the commands of ``rookery`` that keep running: nodes, control planes, edge services.

Hundreds of them are started, and most of what that takes is imports. The first of each role in a run is
the command as a user has it; the others are forks of a process that has imported what the role is made of,
and run the same command from its arguments on (:mod:`harness.warm_process`). With ``ROOKERY_TEST_COLD=1``
it is the command itself each time.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from harness.client import DEADLINE_S

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("warm_process.py")
_COLD = frozenset({"ROOKERY_TEST_CLI", "ROOKERY_TEST_COLD"})
"""With one of these in the environment nothing is forked."""


def _loader(environ: Mapping[str, str]) -> dict[str, str]:
    """What says what a program is made of: a fork has that already."""
    names = ("PYTHONPATH", "PYTHONHOME", "LD_PRELOAD", "LD_LIBRARY_PATH")
    return {name: environ[name] for name in names if name in environ}


_LOADER = _loader(os.environ)


class Process(Protocol):
    """What is used of ``subprocess.Popen``; both streams of output come from ``stdout``."""

    @property
    def pid(self) -> int: ...

    @property
    def stdout(self) -> IO[str] | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def kill(self) -> None: ...


def command() -> Path:
    """The command under test."""
    return Path(os.environ.get("ROOKERY_TEST_CLI") or ROOT / ".venv" / "bin" / "rookery")


def start(
    words: Sequence[str],
    environ: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    reads: int = subprocess.DEVNULL,
) -> Process:
    """Start ``rookery`` with these words, the first of which is the role.

    ``prefix`` stands before them; ``reads`` is the descriptor of its input.
    """
    given = dict(os.environ if environ is None else environ)
    role = words[0]
    if prefix or role not in _started or not _COLD.isdisjoint(given) or _loader(given) != _LOADER:
        _started.add(role)
        return popen([*prefix, str(command()), *words], given, reads)
    return _warm.start(words, given, reads)


def run(words: Sequence[str], typed: str = "") -> tuple[int, str]:
    """Let ``rookery`` do something that ends: its exit code, and everything that it said."""
    with tempfile.TemporaryFile() as text:
        text.write(typed.encode())
        text.seek(0)
        process = start(words, reads=text.fileno())
    assert process.stdout is not None
    with process.stdout as lines:
        said = lines.read()
    return process.wait(DEADLINE_S), said


def was_started(role: str) -> bool:
    """Whether one of them was, as a user has it."""
    return role in _started


def popen(
    words: Sequence[str],
    environ: Mapping[str, str] | None = None,
    reads: int = subprocess.DEVNULL,
) -> Process:
    """Start any command in the same way."""
    return subprocess.Popen(
        words,
        stdin=reads,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
        env=environ,
    )


_started: set[str] = set()


class Fork:
    """A process that was forked by another one than this."""

    def __init__(self, pid: int, descriptor: int, end: int, output: int) -> None:
        self.pid = pid
        self.stdout: IO[str] | None = os.fdopen(output, "r", buffering=1)
        self.returncode: int | None = None
        self._descriptor = descriptor
        self._end = end
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; negative for a signal."""
        if self.returncode is None:
            poll = select.poll()
            poll.register(self._end, select.POLLIN)
            if not poll.poll(None if timeout is None else round(timeout * 1000)):
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            with self._lock:
                if self.returncode is None:
                    self.returncode = self._read_end()
        return self.returncode

    def _read_end(self) -> int:
        told = os.read(self._end, 32)
        os.close(self._end)
        os.close(self._descriptor)
        # Without a word the process that forks has ended, and its forks with it.
        return int(json.loads(told)) if told else -signal.SIGKILL

    def send_signal(self, sig: int) -> None:
        with self._lock:
            if self.returncode is None:
                # It may have ended without anybody having looked.
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._descriptor, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Warm:
    """The process that forks, from the first time that it is needed."""

    def __init__(self) -> None:
        self._orders: socket.socket | None = None
        self._lock = threading.Lock()

    def start(
        self, words: Sequence[str], environ: Mapping[str, str], reads: int = subprocess.DEVNULL
    ) -> Fork:
        order = {"words": list(words), "environ": dict(environ), "folder": str(Path.cwd())}
        output, writer = os.pipe()
        end, told = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        with self._lock:
            orders = self._opened()
            given = [nothing if reads == subprocess.DEVNULL else reads, writer, writer, told]
            socket.send_fds(orders, [json.dumps(order).encode()], given)
            for descriptor in (nothing, writer, told):
                os.close(descriptor)
            answer, found, _, _ = socket.recv_fds(orders, 64, 1)
        if not found:
            raise RuntimeError(f"{PROGRAM} ended")
        return Fork(int(json.loads(answer)), found[0], end, output)

    def _opened(self) -> socket.socket:
        if self._orders is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                process = subprocess.Popen(
                    # As for the command, nothing beside the file is found by its name.
                    [sys.executable, "-P", str(PROGRAM), str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    # What is typed to end the tests is no signal to what they run.
                    start_new_session=True,
                )
            atexit.register(_end, ours, process)
            self._orders = ours
        return self._orders


def _end(orders: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Nobody asks any more."""
    orders.close()
    process.wait()


_warm = _Warm()
