"""One worker process of a plugin: started, heard, and ended.

A process is given two sockets. What hooks are asked and told goes between the native side and the
process; this object has the other one, on the event loop, for few words (see
:mod:`rookery.plugins.channel`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rookery.broker.plugins.models import PublishFigures
from rookery.broker.plugins.trust import Trust
from rookery.errors import BadRequestError
from rookery.plugins.channel import LINE_BYTES_MAX, ControlChannel

ASKS_MAX = 64
"""Open questions about messages that the node itself was given."""
LOG_LINE_BYTES_MAX = 8192
LOG_LINES_PER_SECOND = 100
TRACEBACK_LINES_MAX = 200
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_LEVELS = {
    "DEBUG": logging.DEBUG,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}
_TRACEBACK = "Traceback (most recent call last):"

Told = Callable[[dict[str, Any]], None]


class WorkerError(BadRequestError):
    """A worker process does not do what it should; the message says what."""

    code = "PLUGIN_FAILED"


class _Ask(NamedTuple):
    """A question of the node that is open."""

    wanted: int
    found: dict[int, Sequence[Any]]
    done: asyncio.Future[None]


class WorkerProcess:
    """A process from its start to its end. :meth:`start` has to succeed before the rest."""

    def __init__(self, log: logging.Logger, told: Told) -> None:
        """``told`` gets what the process says of itself, such as ``publish``."""
        self._log = log
        self._told = told
        self._process: asyncio.subprocess.Process
        self._channel: ControlChannel
        self._tasks: list[asyncio.Task[None]] = []
        self.figures = PublishFigures()
        self.trust = Trust()
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._pongs = 0
        self._settings = 0
        self._asks: dict[int, _Ask] = {}
        self._asked = 0
        self.hookpoints: tuple[str, ...] = ()
        self.counters: Mapping[str, int] = {}

    @property
    def pid(self) -> int:
        return self._process.pid

    async def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        data_fd: int,
        order: Mapping[str, Any],
        timeout_s: float,
    ) -> None:
        """Start it and wait until it can be asked. ``data_fd`` is closed here.

        Raises:
            WorkerError: it ended, failed or took too long; it is gone then.
        """
        ours, theirs = socket.socketpair()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                str(data_fd),
                str(theirs.fileno()),
                env=dict(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=LOG_LINE_BYTES_MAX,
                pass_fds=(data_fd, theirs.fileno()),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise WorkerError(f"cannot start {command[0]}: {error.strerror}") from None
        finally:
            theirs.close()
            os.close(data_fd)
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=LINE_BYTES_MAX)
        self._channel = ControlChannel(reader, writer)
        self._tasks = [
            asyncio.ensure_future(self._follow_log()),
            asyncio.ensure_future(self._hear()),
        ]
        self._channel.say("start", **order)
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._answers.get()
        except TimeoutError:
            await self.kill()
            raise WorkerError(f"it was not ready within {timeout_s:g} s") from None
        if answer["op"] != "ready":
            await self.wait()
            code = self._process.returncode or 0
            raise WorkerError(str(answer.get("error") or _ending(code)))
        self.hookpoints = tuple(answer["hookpoints"])

    async def wait(self) -> int:
        """Wait until it is gone; its exit code."""
        code = await self._process.wait()
        self._channel.close()
        if self._tasks:
            # Its last words say most; a process that it left behind may keep its output open.
            await asyncio.wait(self._tasks[:1], timeout=1.0)
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return code

    async def kill(self) -> None:
        """End it at once, with all processes it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self.wait()

    async def stop(self, timeout_s: float) -> None:
        """Let it answer what it was asked and close what it opened, then end."""
        self._channel.say("stop")
        try:
            async with asyncio.timeout(timeout_s):
                await self._process.wait()
        except TimeoutError:
            self._log.warning("it did not stop within %g s and is ended", timeout_s)
        await self.kill()

    async def take_settings(self, settings: Mapping[str, Any], timeout_s: float) -> None:
        """Give it new settings.

        Raises:
            WorkerError: the plugin refuses them, or does not answer.
        """
        # An answer that came too late for settings before these is none to these.
        self._settings += 1
        self._channel.say("settings", settings=dict(settings), number=self._settings)
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._answers.get()
                while answer["op"] != "gone" and answer.get("number") != self._settings:
                    answer = await self._answers.get()
        except TimeoutError:
            raise WorkerError(f"it did not take its settings within {timeout_s:g} s") from None
        if error := answer.get("error"):
            raise WorkerError(str(error))

    async def ask_publish(
        self, messages: Sequence[Mapping[str, Any]], found: dict[int, Sequence[Any]]
    ) -> None:
        """Return when its ``message.publish`` hook has answered about each. What it says to one, a
        word and what belongs to it, is put into ``found`` at its place as it comes, and stays there
        when the caller waits no longer or the process ends.

        Raises:
            WorkerError: it is asked too much already, or is gone.
        """
        if len(self._asks) >= ASKS_MAX:
            raise WorkerError("too many questions of the node are open")
        self._asked += 1
        number = self._asked
        ask = _Ask(len(messages), found, asyncio.get_running_loop().create_future())
        self._asks[number] = ask
        self.trust.asked(number)
        try:
            self._channel.say("ask_publish", number=number, messages=list(messages))
            await ask.done
        finally:
            del self._asks[number]

    async def watch(self, *, interval_s: float, timeout_s: float, memory_max: int) -> str:
        """Return when something is wrong with it: what, in one line. It may still run then."""
        ending = asyncio.ensure_future(self._process.wait())
        loop = asyncio.get_running_loop()
        heard_at, heard = loop.time(), self._pongs
        try:
            while True:
                self._channel.say("ping")
                done, _ = await asyncio.wait({ending}, timeout=interval_s)
                if done:
                    return _ending(ending.result())
                if self._pongs != heard:
                    heard_at, heard = loop.time(), self._pongs
                if loop.time() - heard_at > timeout_s:
                    return f"it has not answered for {timeout_s:g} s: a hook does not return"
                used = _memory_of(self._process.pid)
                if used > memory_max:
                    return f"it uses {used >> 20} MiB of memory, more than {memory_max >> 20} MiB"
        finally:
            ending.cancel()

    async def _hear(self) -> None:
        while (said := await self._channel.hear()) is not None:
            match said.get("op"):
                case "pong":
                    self._pongs += 1
                    self.counters = said.get("counters", {})
                case "verdicts":
                    self._take_verdicts(said)
                case "ready" | "failed" | "settings_taken":
                    self._answers.put_nowait(said)
                case _:
                    self._told(said)
        self._answers.put_nowait({"op": "gone", "error": ""})
        for ask in self._asks.values():
            if not ask.done.done():
                ask.done.set_exception(WorkerError("it is gone"))

    def _take_verdicts(self, said: Mapping[str, Any]) -> None:
        number, now_s = said.get("number", 0), asyncio.get_running_loop().time()
        ask = self._asks.get(number)
        if ask is None:  # nobody waits for it any more
            self.trust.answered_late(number, now_s)
            return
        self.trust.answered(now_s)
        verdicts = said.get("verdicts")
        for verdict in verdicts if isinstance(verdicts, list) else ():
            match verdict:
                case [int(index), str(word), value] if 0 <= index < ask.wanted:
                    ask.found[index] = (word, value)
        if len(ask.found) >= ask.wanted and not ask.done.done():
            ask.done.set_result(None)

    async def _follow_log(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        second, lines = 0, 0
        records = LogRecords()
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than a line may be; what was read of it is dropped
                continue
            whole = records.take(line.decode(errors="replace").rstrip()) if line else records.rest()
            if whole is not None:
                now = int(asyncio.get_running_loop().time())
                second, lines = (second, lines + 1) if now == second else (now, 1)
                if lines == LOG_LINES_PER_SECOND:
                    said = "more lines in one second than %d; the rest is left out"
                    self._log.warning(said, lines)
                elif lines < LOG_LINES_PER_SECOND:
                    self._log.log(whole.level, "%s", whole.text)
            if not line:
                return


class LogRecord(NamedTuple):
    """What a process wrote, as it is logged."""

    level: int
    text: str


class LogRecords:
    """Makes records of lines: one of each, and one of a whole traceback.

    The level is that which a line begins with, and of a traceback that of an error.
    """

    def __init__(self) -> None:
        self._traceback: list[str] = []
        self._left_out = 0

    def take(self, text: str) -> LogRecord | None:
        """The record that a line completes."""
        if not self._traceback and text != _TRACEBACK:
            return LogRecord(_LEVELS.get(text.partition(" ")[0], logging.INFO), text)
        is_last = bool(text) and text != _TRACEBACK and not text.startswith(" ")
        if is_last or len(self._traceback) < TRACEBACK_LINES_MAX:
            self._traceback.append(text)
        else:
            self._left_out += 1
        # The line that says what it was ends it; those before are indented.
        return self.rest() if is_last else None

    def rest(self) -> LogRecord | None:
        """A traceback that nothing ended."""
        lines, self._traceback = self._traceback, []
        left_out, self._left_out = self._left_out, 0
        if not lines:
            return None
        if left_out:
            lines.insert(-1, f"  ... {left_out} more lines")
        return LogRecord(logging.ERROR, "\n".join(lines))


def _ending(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with exit code {code}"


def _memory_of(pid: int) -> int:
    """Resident bytes of a process; 0 when it is gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * _PAGE_BYTES
