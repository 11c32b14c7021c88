"""``rookery node``: the life of a broker node."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.cli import background, draining, output, systemd
from rookery.cli.messages import say
from rookery.cli.parsers import (
    SECONDS,
    add_command,
    add_json,
    add_place,
    add_sources,
    load_config,
)
from rookery.errors import TimedOutError, UnavailableError

if TYPE_CHECKING:
    from rookery.cli.processes import NodeProcess
    from rookery.client.management import ManagementClient
    from rookery.config import Config
    from rookery.observability.stream_log import StreamLog

START_EXAMPLES = """\
  rookery node start
  rookery node start --config /etc/rookery/rookery.conf --detach
  rookery node start --data-dir ./data --set listeners.tcp.default.bind=127.0.0.1:1884
  ROOKERY_MQTT__MAX_INFLIGHT=64 rookery node start"""
STOP_EXAMPLES = """\
  rookery node stop
  rookery node stop --data-dir ./data --timeout 5
  rookery node stop --drain --conn-evict-rate 100"""
CONFIG_EXAMPLES = """\
  rookery node config --origin
  rookery node config --json --config ./rookery.conf"""
DEFAULT_STOP_TIMEOUT_S = 30.0
# A node that does not answer this fast is told by signal instead.
ASK_TIMEOUT_S = 2.0
KILL_TIMEOUT_S = 10.0


def declare(commands: Any) -> None:
    """Add the command."""
    root = add_command(commands, "node", "help.node", None)
    root.set_defaults(parser=root)
    verbs = root.add_subparsers(metavar="COMMAND")

    start = add_command(verbs, "start", "help.node.start", _start, examples=START_EXAMPLES)
    add_sources(start)
    start.add_argument("--detach", action="store_true", help=say("option.detach"))

    stop = add_command(verbs, "stop", "help.node.stop", _stop, examples=STOP_EXAMPLES)
    add_place(stop)
    stop.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=SECONDS,
        default=DEFAULT_STOP_TIMEOUT_S,
        help=say("option.timeout"),
    )
    draining.add_options(stop)

    status = add_command(verbs, "status", "help.node.status", _status)
    add_place(status)
    add_json(status)

    add_sources(add_command(verbs, "check-config", "help.node.check-config", _check_config))

    config = add_command(verbs, "config", "help.node.config", _config, examples=CONFIG_EXAMPLES)
    add_sources(config)
    config.add_argument("--origin", action="store_true", help=say("option.origin"))
    add_json(config)


def _start(arguments: argparse.Namespace) -> int:
    config = load_config(arguments)
    if arguments.detach:
        return start_detached(config)
    return run(config)


def run(config: Config, ready: Callable[[Sequence[str]], None] | None = None) -> int:
    """Run a node in this process."""
    from rookery.app import run_node  # noqa: PLC0415

    def announce(closed: Sequence[str]) -> None:
        systemd.notify("READY=1")
        if ready is not None:
            ready(closed)

    try:
        return run_node(config, foreground=True, ready=announce)
    finally:
        systemd.notify("STOPPING=1")


def start_detached(config: Config) -> int:
    """Run a node in the background and wait until it is ready."""
    own = config.management.log.file
    log_file = background.log_file_for(config.data_dir, own)

    def run_there(ready: Any, log: StreamLog) -> int:
        from rookery.app import run_node  # noqa: PLC0415

        # A log that was configured says what is in it, and whether connects are worth their cost.
        return run_node(config, foreground=not own.enable, ready=ready, out=log, is_dated=True)

    pid, lines = background.start(run_there, log_file)
    return background.tell_outcome(
        pid, lines, name=config.management.node_name, data_dir=config.data_dir, log=log_file.path
    )


# -- stop ---------------------------------------------------------------------------------


def _stop(arguments: argparse.Namespace) -> int:
    from rookery.cli.processes import ForeignProcessError, NodeProcess  # noqa: PLC0415

    draining.check(arguments)
    data_dir = _data_dir(arguments)
    try:
        process = NodeProcess.find(data_dir)
    except ForeignProcessError as error:
        output.complain(foreign(error.pid, data_dir))
        return output.FAILED
    if process is None:
        output.line(say("node.not_running", data_dir=data_dir))
        return output.OK
    try:
        from rookery.client.management import ManagementClient  # noqa: PLC0415

        if arguments.drain:
            patient = ManagementClient(data_dir, timeout_s=draining.PATIENCE_S)
            draining.drain(patient, arguments)
        client = ManagementClient(data_dir, timeout_s=min(ASK_TIMEOUT_S, arguments.timeout))
        return stop_process(process, client, arguments.timeout)
    finally:
        process.close()


def foreign(pid: int, data_dir: Path) -> str:
    """What to say of a lock that is held, by somebody who is not the process in the file."""
    return say("node.foreign" if pid else "node.foreign_unknown", pid=pid, data_dir=data_dir)


def stop_process(process: NodeProcess, client: ManagementClient, timeout_s: float) -> int:
    """Ask, then SIGTERM, then SIGKILL; the exit code."""
    import signal  # noqa: PLC0415

    deadline = time.monotonic() + timeout_s
    ended = say("node.stopped")
    try:
        if not _ask_to_stop(client):
            output.complain(say("node.terminating", pid=process.pid))
            process.signal(signal.SIGTERM)
            if process.is_suspended:
                process.signal(signal.SIGCONT)
        if not process.has_ended(deadline - time.monotonic()):
            output.complain(say("node.killing", timeout=f"{timeout_s:g}", pid=process.pid))
            process.signal(signal.SIGKILL)
            if not process.has_ended(KILL_TIMEOUT_S):
                raise PermissionError("it is still there")
            ended = say("node.killed", timeout=f"{timeout_s:g}")
    except PermissionError as error:
        output.complain(say("node.not_killed", pid=process.pid, reason=error.strerror or error))
        return output.FAILED
    output.line(ended)
    return output.OK


def _ask_to_stop(client: ManagementClient) -> bool:
    try:
        client.post("/stop")
    except (UnavailableError, TimedOutError):
        return False
    return True


# -- status -------------------------------------------------------------------------------


def _status(arguments: argparse.Namespace) -> int:
    from rookery.cli.processes import ForeignProcessError, NodeProcess  # noqa: PLC0415
    from rookery.client.management import ManagementClient  # noqa: PLC0415

    data_dir = _data_dir(arguments)
    try:
        process = NodeProcess.find(data_dir)
    except ForeignProcessError as error:
        # Another user's node: it can be asked, only not be looked into.
        pid = error.pid
        if not pid:
            held = {"node_status": "stopped", "lock": "held by another program"}
            text = say("node.lock_held", data_dir=data_dir)
            return _report(arguments, held, output.NOT_RUNNING, text)
    else:
        if process is None:
            return _report(
                arguments,
                {"node_status": "stopped"},
                output.NOT_RUNNING,
                say("node.not_running", data_dir=data_dir),
            )
        pid = process.pid
        process.close()
    try:
        node = ManagementClient(data_dir).get("/node")
    except (UnavailableError, TimedOutError):
        silent = {"node_status": "not answering", "pid": pid}
        text = say("node.silent", data_dir=data_dir, pid=pid)
        return _report(arguments, silent, output.NOT_ANSWERING, text)
    key = "node.running" if node["node_status"] == "running" else "node.stopping"
    uptime = output.duration(int(node["uptime"]) // 1000)
    text = say(key, name=node["node"], pid=pid, version=node["version"], uptime=uptime)
    return _report(arguments, {**node, "pid": pid}, output.OK, text)


def _report(arguments: argparse.Namespace, value: Any, code: int, text: str) -> int:
    if arguments.json:
        output.show_json(value)
    else:
        output.line(text)
    return code


# -- configuration ------------------------------------------------------------------------


def _check_config(arguments: argparse.Namespace) -> int:
    from rookery.access.checking import problems as of_access  # noqa: PLC0415 - many never need it
    from rookery.connectors.checking import all_problems as of_connectors  # noqa: PLC0415

    config = load_config(arguments, look=lambda draft: [*of_connectors(draft), *of_access(draft)])
    output.line(say("config.good", file=config.config_file or say("config.no_file")))
    return output.OK


def _config(arguments: argparse.Namespace) -> int:
    config = load_config(arguments)
    rows = [(path, value, str(origin)) for path, value, origin in config.settings()]
    if arguments.json:
        if arguments.origin:
            output.show_json([{"path": p, "value": v, "origin": o} for p, v, o in rows])
        else:
            output.show_json(config.effective())
        return output.OK
    for path, value, origin in rows:
        text = f"{path} = {_written(value)}"
        output.line(f"{text:<70} # {origin}" if arguments.origin else text)
    return output.OK


def _written(value: Any) -> str:
    import json  # noqa: PLC0415

    return json.dumps(value, ensure_ascii=False)


def _data_dir(arguments: argparse.Namespace) -> Path:
    """The data directory alone: stopping must not depend on a good configuration."""
    from rookery.config.load import data_dir_of  # noqa: PLC0415

    return data_dir_of(arguments.data_dir, arguments.config)
