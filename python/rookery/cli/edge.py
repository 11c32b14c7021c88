"""``rookery edge``: the life of an edge service."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from rookery.cli import background, output, systemd
from rookery.cli.messages import language, say
from rookery.cli.parsers import add_command, add_json, add_place, add_sources
from rookery.cli.role_process import RoleProcess, add_stop_timeout, page_url, report
from rookery.errors import TimedOutError, UnavailableError

if TYPE_CHECKING:
    from rookery.config.edge import EdgeConfig
    from rookery.edge.serving import Running
    from rookery.observability.stream_log import StreamLog

START_EXAMPLES = """\
  rookery edge start
  rookery edge start --data-dir ./edge --set edge.bind=127.0.0.1:8085
  rookery edge start --config /etc/rookery/edge.conf --detach"""
STOP_EXAMPLES = """\
  rookery edge stop
  rookery edge stop --data-dir ./edge --timeout 5"""
STATUS_EXAMPLES = """\
  rookery edge status
  rookery edge status --data-dir ./edge --json"""
RESET_EXAMPLES = """\
  rookery edge reset-password
  rookery edge reset-password ada --data-dir ./edge < password.txt"""
LOG_BYTES_MAX = 10_000_000
LOG_FILES = 2


def declare(commands: Any) -> None:
    """Add the command."""
    root = add_command(commands, "edge", "help.edge", None)
    root.set_defaults(parser=root)
    verbs = root.add_subparsers(metavar="COMMAND")

    start = add_command(verbs, "start", "help.edge.start", _start, examples=START_EXAMPLES)
    add_sources(start)
    start.add_argument("--detach", action="store_true", help=say("option.detach"))
    # For whoever starts it and wants it to end along: it stops when its standard input does.
    start.add_argument("--attached", action="store_true", help=argparse.SUPPRESS)

    stop = add_command(verbs, "stop", "help.edge.stop", _stop, examples=STOP_EXAMPLES)
    add_place(stop)
    add_stop_timeout(stop)

    status = add_command(verbs, "status", "help.edge.status", _status, examples=STATUS_EXAMPLES)
    add_place(status)
    add_json(status)

    reset = add_command(
        verbs, "reset-password", "help.edge.reset-password", _reset, examples=RESET_EXAMPLES
    )
    add_sources(reset)
    reset.add_argument(
        "name", metavar="USER", nargs="?", default="admin", help=say("option.edge.user")
    )


# -- start --------------------------------------------------------------------------------


def _load(arguments: argparse.Namespace) -> EdgeConfig:
    from rookery.config.edge import load_edge  # noqa: PLC0415

    config = load_edge(arguments.config, arguments.data_dir, arguments.set)
    for problem in config.warnings:
        output.complain(say("config.warning", text=problem.text(language())))
    return config


def _start(arguments: argparse.Namespace) -> int:
    from rookery.app import run_edge  # noqa: PLC0415

    config = _load(arguments)
    if arguments.detach:
        return _start_detached(config)

    def announce(running: Running) -> None:
        systemd.notify("READY=1")
        output.line("\n".join(_lines_of(config, running)))

    try:
        return run_edge(config, ready=announce, attached=arguments.attached)
    finally:
        systemd.notify("STOPPING=1")


def _lines_of(config: EdgeConfig, running: Running) -> list[str]:
    """What is printed when it is ready."""
    lines = [
        say("edge.ready", pid=os.getpid(), data_dir=config.data_dir),
        say("edge.pages", url=page_url(running.address)),
    ]
    if running.is_initial:
        lines += [say("edge.initial"), say("edge.elsewhere")]
    return lines


def _start_detached(config: EdgeConfig) -> int:
    console = background.LogFile(
        config.data_dir / background.CONSOLE_FILE, LOG_BYTES_MAX, LOG_FILES
    )

    def run_there(ready: Any, _log: StreamLog) -> int:
        from rookery.app import run_edge  # noqa: PLC0415

        def announce(running: Running) -> None:
            ready(_lines_of(config, running))

        return run_edge(config, ready=announce, detached=True)

    pid, lines = background.start(run_there, console)
    if pid is None:
        for text in lines or [say("edge.died", file=console.path)]:
            output.complain(text)
        return output.FAILED
    log = config.data_dir / "log" / "edge.log"
    output.line("\n".join([*lines, say("edge.log", file=log)]))
    return output.OK


# -- the others ---------------------------------------------------------------------------


def _stop(arguments: argparse.Namespace) -> int:
    return _process(arguments).stop(arguments.timeout)


def _status(arguments: argparse.Namespace) -> int:
    process = _process(arguments)
    data_dir, pid = process.data_dir, process.pid()
    if pid is None:
        text = say("edge.not_running", data_dir=data_dir)
        return report(arguments, {"status": "stopped"}, output.NOT_RUNNING, text)
    try:
        found = process.client().get("/edge")
    except (UnavailableError, TimedOutError):
        silent = {"status": "not answering", "pid": pid}
        text = say("edge.silent", data_dir=data_dir, pid=pid)
        return report(arguments, silent, output.NOT_ANSWERING, text)
    text = say(
        "edge.running",
        pid=pid,
        version=found["version"],
        uptime=output.duration(int(found["uptimeMs"]) // 1000),
        address=page_url(found["address"]),
        running=found["nodesRunning"],
        nodes=found["nodes"],
    )
    if not found["passwordChosen"]:
        text = f"{text}\n{say('edge.initial')}"
    return report(arguments, {**found, "pid": pid}, output.OK, text)


def _reset(arguments: argparse.Namespace) -> int:
    from rookery.app import reset_edge_password  # noqa: PLC0415
    from rookery.cli.ctl.passwords import new_password  # noqa: PLC0415

    config = _load(arguments)
    process = RoleProcess("edge", config.data_dir)
    password = new_password()
    if process.pid() is None:
        reset_edge_password(config, arguments.name, password)
    else:
        process.client().post("/password", {"name": arguments.name, "password": password})
    output.line(say("edge.reset", name=arguments.name))
    return output.OK


def _process(arguments: argparse.Namespace) -> RoleProcess:
    """By the data directory alone: stopping must not depend on a good configuration."""
    from rookery.config.edge import edge_data_dir  # noqa: PLC0415

    return RoleProcess("edge", edge_data_dir(arguments.data_dir, arguments.config))
