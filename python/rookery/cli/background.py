"""Sends a node to the background and waits until it can be used.

The native core makes threads, and threads do not survive a fork: everything here happens before
the core is loaded.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rookery.cli import output
from rookery.cli.messages import say
from rookery.errors import RookeryError
from rookery.observability.stream_log import StreamLog

if TYPE_CHECKING:
    from rookery.config.snapshot import LogHandlerConfig

LOG_FILE = Path("log") / "rookery.log"
CONSOLE_FILE = Path("log") / "console.log"
_REPORT_BYTES_MAX = 1 << 20

Run = Callable[[Callable[[Sequence[str]], None], StreamLog], int]


class LogFile(NamedTuple):
    """Where the streams of the node go."""

    path: Path
    bytes_max: int  # 0 lets it grow
    kept: int  # older files

    def open(self) -> StreamLog:
        """Make it if it is missing.

        Raises:
            StartError: somebody else decides what is in its directory.
            OSError: it cannot be written.
        """
        from rookery.config.safe_dir import refuse_unsafe  # noqa: PLC0415

        folder = self.path.parent
        for directory in (folder.parent, folder):
            directory.mkdir(mode=0o750, parents=True, exist_ok=True)
            refuse_unsafe(directory)
        return StreamLog(self.path, bytes_max=self.bytes_max, count=self.kept)


def start(run: Run, log_file: LogFile) -> tuple[int | None, list[str]]:
    """Run ``run(ready, log)`` in a new session, detached from this terminal.

    Returns:
        The process id when it says that it is ready, and what it left closed; else none and the
        lines it left.

    Raises:
        StartError: somebody else decides what is in the directory of the log.
    """
    try:
        log = log_file.open()
    except OSError as error:
        return None, [say("node.no_log", file=log_file.path, reason=error.strerror or error)]
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _second_fork(run, log, writer)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        # Ends when the node is ready or gone: it alone holds the other end.
        report = pipe.read(_REPORT_BYTES_MAX)
    return _understood(report)


def _understood(report: bytes) -> tuple[int | None, list[str]]:
    pid, lines = None, []
    for row in report.decode(errors="replace").splitlines():
        message = json.loads(row)
        pid = message.get("pid", pid)
        lines.extend(message.get("lines", ()))
    return pid, lines


def _second_fork(run: Run, log: StreamLog, writer: int) -> None:
    """In the first child: leave the session, fork again, be the node in the second."""
    try:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        _detach_streams(log)
        code = _run_and_report(run, log, writer)
    except BaseException:  # noqa: BLE001  # nothing may run on into the parent's code
        import traceback  # noqa: PLC0415

        traceback.print_exc()
        code = output.FAILED
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _detach_streams(log: StreamLog) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    log.take_streams()


def _run_and_report(run: Run, log: StreamLog, writer: int) -> int:
    def tell(**message: object) -> None:
        nonlocal writer
        if writer >= 0:
            os.write(writer, json.dumps(message).encode() + b"\n")
            os.close(writer)
            writer = -1

    try:
        return run(lambda closed: tell(pid=os.getpid(), lines=closed), log)
    except RookeryError as error:
        lines = output.error_lines(error)
        for text in lines:
            output.complain(text)
        tell(lines=lines)
        return output.FAILED


def log_file_for(data_dir: Path, settings: LogHandlerConfig) -> LogFile:
    """Where the streams go; a log file that the node writes itself is left to it."""
    path = data_dir / (CONSOLE_FILE if settings.enable else LOG_FILE)
    return LogFile(path, settings.rotation_bytes, settings.rotation_count)


def tell_outcome(pid: int | None, lines: list[str], *, name: str, data_dir: Path, log: Path) -> int:
    """Print what became of the start; the exit code."""
    if pid is None:
        for text in lines or [say("node.died", file=log)]:
            output.complain(text)
        return output.FAILED
    output.line(say("node.ready", name=name, pid=pid, data_dir=data_dir))
    output.line(say("node.log", file=log))
    for text in lines:
        output.complain(say("node.closed", reason=text))
    return output.OK
