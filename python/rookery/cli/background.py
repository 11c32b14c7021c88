"""Sends a node to the background and waits until it can be used.

The native core makes threads, and threads do not survive a fork: everything here happens before
the core is loaded.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from rookery.cli import output
from rookery.cli.messages import say
from rookery.errors import RookeryError

LOG_FILE = Path("log") / "rookery.log"
CONSOLE_FILE = Path("log") / "console.log"
LOG_BYTES_MAX = 50 << 20
_REPORT_BYTES_MAX = 1 << 20

Run = Callable[[Callable[[], None]], int]


def start(run: Run, log_file: Path) -> tuple[int | None, list[str]]:
    """Run ``run(ready)`` in a new session, detached from this terminal.

    Returns:
        The process id when it says that it is ready, else none and the lines it left.
    """
    log_file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    _turn_over(log_file)
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


def _turn_over(log_file: Path) -> None:
    if log_file.is_file() and log_file.stat().st_size > LOG_BYTES_MAX:
        log_file.replace(log_file.with_suffix(".log.1"))


def _second_fork(run: Run, log_file: Path, writer: int) -> None:
    """In the first child: leave the session, fork again, be the node in the second."""
    try:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        _detach_streams(log_file)
        code = _run_and_report(run, writer)
    except BaseException:  # noqa: BLE001  # nothing may run on into the parent's code
        import traceback  # noqa: PLC0415

        traceback.print_exc()
        code = output.FAILED
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _detach_streams(log_file: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    log = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(null)
    os.close(log)


def _run_and_report(run: Run, writer: int) -> int:
    def tell(**message: object) -> None:
        nonlocal writer
        if writer >= 0:
            os.write(writer, json.dumps(message).encode() + b"\n")
            os.close(writer)
            writer = -1

    try:
        return run(lambda: tell(pid=os.getpid()))
    except RookeryError as error:
        lines = output.error_lines(error)
        for text in lines:
            output.complain(text)
        tell(lines=lines)
        return output.FAILED


def log_file_for(data_dir: Path, *, has_own_log: bool) -> Path:
    """Where the streams go; a log file that the node turns over itself is left to it."""
    return data_dir / (CONSOLE_FILE if has_own_log else LOG_FILE)


def tell_outcome(pid: int | None, lines: list[str], *, name: str, data_dir: Path, log: Path) -> int:
    """Print what became of the start; the exit code."""
    if pid is None:
        for text in lines or [say("node.died", file=log)]:
            output.complain(text)
        return output.FAILED
    output.line(say("node.ready", name=name, pid=pid, data_dir=data_dir))
    output.line(say("node.log", file=log))
    return output.OK
