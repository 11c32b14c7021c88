"""``rookery control``: the life of a control plane."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from rookery.cli import background, control_data, output, systemd
from rookery.cli.control_data import add_control_sources, load_control_config
from rookery.cli.messages import say
from rookery.cli.parsers import add_command, add_json, add_place
from rookery.cli.role_process import RoleProcess, add_stop_timeout, page_url, report
from rookery.errors import TimedOutError, UnavailableError

if TYPE_CHECKING:
    from rookery.config.control import ControlConfig
    from rookery.control.serving import Running
    from rookery.observability.stream_log import StreamLog

START_EXAMPLES = """\
  rookery control start
  rookery control start --data-dir ./control --set control.bind=127.0.0.1:8082
  rookery control start --database postgresql://rookery:secret@db.example.com/rookery --detach"""
STOP_EXAMPLES = """\
  rookery control stop
  rookery control stop --data-dir ./control --timeout 5"""
LOG_BYTES_MAX = 50_000_000
LOG_FILES = 10


def declare(commands: Any) -> None:
    """Add the command."""
    root = add_command(commands, "control", "help.control", None)
    root.set_defaults(parser=root)
    verbs = root.add_subparsers(metavar="COMMAND")

    start = add_command(verbs, "start", "help.control.start", _start, examples=START_EXAMPLES)
    add_control_sources(start)
    start.add_argument("--detach", action="store_true", help=say("option.detach"))
    # For whoever starts it and wants it to end along: it stops when its standard input does.
    start.add_argument("--attached", action="store_true", help=argparse.SUPPRESS)

    stop = add_command(verbs, "stop", "help.control.stop", _stop, examples=STOP_EXAMPLES)
    add_place(stop)
    add_stop_timeout(stop)

    status = add_command(verbs, "status", "help.control.status", _status)
    add_place(status)
    add_json(status)

    control_data.declare(verbs)


# -- start --------------------------------------------------------------------------------


def _start(arguments: argparse.Namespace) -> int:
    config = load_control_config(arguments)
    if arguments.detach:
        return _start_detached(config)
    return run(config, attached=arguments.attached)


def run(config: ControlConfig, *, attached: bool = False) -> int:
    """Run a control plane in this process; when ``attached``, until standard input ends."""
    from rookery.app import run_control  # noqa: PLC0415

    def announce(running: Running) -> None:
        systemd.notify("READY=1")
        output.line("\n".join(lines_of(config, running)))

    try:
        return run_control(config, ready=announce, attached=attached)
    finally:
        systemd.notify("STOPPING=1")


def lines_of(config: ControlConfig, running: Running) -> list[str]:
    """What is printed when it is ready."""
    lines = [
        say("control.ready", pid=os.getpid(), data_dir=config.data_dir),
        say("control.console", url=page_url(running.address)),
    ]
    if running.setup_code is not None:
        lines.append(say("control.setup", code=running.setup_code))
    return lines


def _start_detached(config: ControlConfig) -> int:
    log_file = background.LogFile(config.data_dir / background.LOG_FILE, LOG_BYTES_MAX, LOG_FILES)

    def run_there(ready: Any, _log: StreamLog) -> int:
        from rookery.app import run_control  # noqa: PLC0415

        return run_control(config, ready=lambda running: ready(lines_of(config, running)))

    pid, lines = background.start(run_there, log_file)
    if pid is None:
        for text in lines or [say("control.died", file=log_file.path)]:
            output.complain(text)
        return output.FAILED
    output.line("\n".join([*lines, say("control.log", file=log_file.path)]))
    return output.OK


# -- stop and status ----------------------------------------------------------------------


def _stop(arguments: argparse.Namespace) -> int:
    return _process(arguments).stop(arguments.timeout)


def _status(arguments: argparse.Namespace) -> int:
    process = _process(arguments)
    data_dir, pid = process.data_dir, process.pid()
    if pid is None:
        text = say("control.not_running", data_dir=data_dir)
        return report(arguments, {"status": "stopped"}, output.NOT_RUNNING, text)
    try:
        found = process.client().get("/control")
    except (UnavailableError, TimedOutError):
        silent = {"status": "not answering", "pid": pid}
        text = say("control.silent", data_dir=data_dir, pid=pid)
        return report(arguments, silent, output.NOT_ANSWERING, text)
    text = say(
        "control.running",
        pid=pid,
        version=found["version"],
        uptime=output.duration(int(found["uptimeMs"]) // 1000),
        address=page_url(found["address"]),
        database=found["database"],
    )
    if not found["setupFinished"]:
        text = f"{text}\n{say('control.unfinished')}"
    return report(arguments, {**found, "pid": pid}, output.OK, text)


def _process(arguments: argparse.Namespace) -> RoleProcess:
    """By the data directory alone: stopping must not depend on a good configuration."""
    from rookery.config.control import control_data_dir  # noqa: PLC0415

    return RoleProcess("control", control_data_dir(arguments.data_dir, arguments.config))
