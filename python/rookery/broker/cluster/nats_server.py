"""Runs a NATS server as a child of the node, and starts it again when it ends.

**Invariants.** The server ends with the node, however the node ends: the kernel kills it when its
parent is gone. Its log goes into the node's. No password of it reaches a log.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from rookery.broker.cluster.nats_config import NatsConfig
from rookery.broker.cluster.texts import refusal
from rookery.config.safe_file import write_private
from rookery.ending import ended
from rookery.errors import StartError

PROGRAM = "nats-server"
VERSION_MIN = (2, 12)
VERSION_WAIT_S = 10.0
STOP_WAIT_S = 5.0
KILL_WAIT_S = 2.0
BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_S = 30.0
"""Whoever ran that long starts again at once."""
LINE_BYTES_MAX = 64 << 10

_log = logging.getLogger("rookery.cluster.nats")

_LINE = re.compile(r"\[\d+\] (?:[\d/]+ [\d:.]+ )?\[(\w{3})\] (.*)")
_LEVELS = {
    "INF": logging.INFO,
    "WRN": logging.WARNING,
    "ERR": logging.ERROR,
    "FTL": logging.CRITICAL,
    "DBG": logging.DEBUG,
    "TRC": logging.DEBUG,
}
_SECRET = re.compile(r"(://[^:@/\s]+:)[^@/\s]+@")
_ROUTE_PROBLEM = re.compile(r"(\S+):\d+ - rid:\d+ - (Route Error .*|.*[Rr]ejecting.*)")
_REFUSED = re.compile(r"Authorization|authentication|[Rr]ejecting")
_LISTENING = re.compile(r"Listening for (client|route) connections on (\S+)")
_EXPECTED = ("Plaintext passwords detected",)

# Becomes the server; before that it asks to be killed when the node is gone.
_LAUNCH = """\
import ctypes, os, signal, sys
signal.pthread_sigmask(signal.SIG_SETMASK, ())
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class Ports(NamedTuple):
    """Where a server listens."""

    client: int
    routes: str


Ready = Callable[[Ports], Awaitable[None]]
Lost = Callable[[], Awaitable[None]]


def find_server(path: str | None) -> Path:
    """The program: as configured, of the package beside this Python, or on PATH.

    Raises:
        StartError: there is none, or it is too old.
    """
    beside = Path(sysconfig.get_path("scripts")) / PROGRAM
    found = path or (str(beside) if beside.is_file() else shutil.which(PROGRAM))
    if found is None:
        raise refusal(StartError, "no-server")
    version = _version(found)
    if version < VERSION_MIN:
        have, need = (".".join(str(part) for part in v) for v in (version, VERSION_MIN))
        raise refusal(StartError, "old-server", path=found, version=have, need=need)
    return Path(found)


def _version(path: str) -> tuple[int, ...]:
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=VERSION_WAIT_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise refusal(StartError, "bad-server", path=path, error=error) from None
    numbers = re.search(r"v(\d+)\.(\d+)\.(\d+)", said)
    if numbers is None:
        raise refusal(StartError, "bad-server", path=path, error=said.strip()[:200])
    return tuple(int(part) for part in numbers.groups())


class NatsServer:
    """One server, kept running from :meth:`open` to :meth:`close`."""

    def __init__(self, program: Path, folder: Path, *, ready: Ready, lost: Lost) -> None:
        self._program = program
        self._folder = folder
        self._file = folder / "nats.conf"
        self._ready = ready
        self._lost = lost
        self._config: NatsConfig | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._restart = asyncio.Event()
        self._applied: NatsConfig | None = None
        self._writing = asyncio.Lock()
        self.ports: Ports | None = None
        self.restarts = 0
        self._problem_found = asyncio.Event()
        self.route_problems: dict[str, str] = {}
        """The last thing that went wrong with the routes of a host."""

    @property
    def pid(self) -> int | None:
        """The server's process."""
        return None if self._process is None else self._process.pid

    def open(self, config: NatsConfig) -> None:
        """Start the server; ``ready`` is called when it takes clients."""
        self._config = config
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def apply(self, config: NatsConfig) -> None:
        """Let the server run with that configuration, without a restart where it can."""
        self._config = config
        if self._process is None:
            # It may be what lets it start.
            self._restart.set()
        elif self.ports is not None:
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Bring a server that takes clients to the configuration that is wanted now."""
        async with self._writing:
            wanted, applied = self._config, self._applied
            if wanted is None or applied is None or wanted == applied or self.ports is None:
                return
            if wanted.needs_restart(applied):
                self._restart.set()
                self._signal(signal.SIGTERM)
                return
            await asyncio.to_thread(write_private, self._file, wanted.text())
            self._applied = wanted
            self._signal(signal.SIGHUP)

    async def refused(self, host: str) -> str:
        """Why that host will have no route with this server, once it says so."""
        self.route_problems.pop(host, None)
        while True:
            if _REFUSED.search(self.route_problems.get(host, "")):
                return self.route_problems[host]
            self._problem_found.clear()
            await self._problem_found.wait()

    async def close(self) -> None:
        """End the server. May be called twice."""
        if self._task is not None:
            task, self._task = self._task, None
            await ended("the NATS server", task, again_s=STOP_WAIT_S + KILL_WAIT_S + 1)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _run(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            self._restart.clear()
            began = loop.time()
            try:
                await self._run_once()
            except OSError as error:
                _log.error("%s cannot be started: %s", self._program, error)
            if self._restart.is_set():
                failures = 0
                continue
            failures = 0 if loop.time() - began > STEADY_S else failures + 1
            wait_s = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
            _log.error("the NATS server ended; it starts again in %s s", wait_s)
            self.restarts += 1
            with contextlib.suppress(TimeoutError):
                # A change of the configuration may be what lets it start.
                await asyncio.wait_for(self._restart.wait(), wait_s)

    async def _run_once(self) -> None:
        assert self._config is not None
        if not self._config.has_store:
            # What belongs to a cluster that is no more would be taken for the next one's.
            await asyncio.to_thread(shutil.rmtree, self._config.store_dir, ignore_errors=True)
        async with self._writing:
            self._applied = self._config
            await asyncio.to_thread(write_private, self._file, self._config.text())
        command = [str(self._program), "-c", str(self._file)]
        launch = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid())]
        self._process = process = await asyncio.create_subprocess_exec(
            *launch,
            *command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            limit=LINE_BYTES_MAX,
            # What is typed at the terminal of the node is for the node.
            start_new_session=True,
            env={key: os.environ[key] for key in ("PATH", "TZ", "LANG") if key in os.environ},
        )
        try:
            assert process.stderr is not None
            await self._follow(process.stderr)
            await process.wait()
        finally:
            try:
                await _end(process)
            finally:
                was_ready, self.ports = self.ports is not None, None
                self._process = None
                if was_ready:
                    await self._lost()

    async def _follow(self, lines: asyncio.StreamReader) -> None:
        heard: dict[str, str] = {}
        while True:
            try:
                raw = await lines.readline()
            except ValueError:  # longer than any line it is known to write
                continue
            if not raw:
                return
            level, text = parsed(raw.decode("utf-8", "replace").rstrip())
            if not text.startswith(_EXPECTED):
                _log.log(level, "%s", text)
            if problem := _ROUTE_PROBLEM.match(text):
                host, what = problem.groups()
                self.route_problems[host.strip("[]")] = what
                self._problem_found.set()
            if listening := _LISTENING.match(text):
                heard[listening.group(1)] = listening.group(2)
                if len(heard) == 2 and self.ports is None:
                    port = int(heard["client"].rpartition(":")[2])
                    self.ports = Ports(port, heard["route"])
                    await self._catch_up()
                    await self._ready(self.ports)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        # Stopped by SIGSTOP it would not hear.
        process.send_signal(signal.SIGCONT)
    # A log that nobody reads would hold it up, and its end is only seen behind all of it.
    reading = asyncio.get_running_loop().create_task(_read_out(process))
    try:
        await asyncio.wait_for(process.wait(), STOP_WAIT_S)
    except TimeoutError:
        _log.warning("the NATS server does not end within %g s, it is killed", STOP_WAIT_S)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await _killed(process)
    finally:
        reading.cancel()


async def _read_out(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    while await process.stderr.read(LINE_BYTES_MAX):
        pass


async def _killed(process: asyncio.subprocess.Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), KILL_WAIT_S)
    except TimeoutError:
        _log.error("the NATS server (process %d) is still there, killed as it is", process.pid)


def parsed(line: str) -> tuple[int, str]:
    """Level and text of a line, without passwords."""
    found = _LINE.fullmatch(line)
    level, text = (found.group(1), found.group(2)) if found else ("INF", line)
    return _LEVELS.get(level, logging.INFO), _SECRET.sub(r"\1***@", text)
