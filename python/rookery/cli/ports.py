"""``rookery ports``: every port in use, by what, and what it is for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.messages import say
from rookery.cli.parsers import add_command, add_json, add_sources, load_config
from rookery.errors import TimedOutError, UnavailableError

if TYPE_CHECKING:
    from rookery.config import Config

EXAMPLES = """\
  rookery ports
  rookery ports --data-dir ./data --json"""


def declare(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "ports", "help.ports", _ports, examples=EXAMPLES)
    add_sources(parser)
    add_json(parser)


def _ports(arguments: argparse.Namespace) -> int:
    from rookery.cli.processes import running_pid  # noqa: PLC0415
    from rookery.client.management import ManagementClient  # noqa: PLC0415

    config = load_config(arguments)
    edge = edge_rows(config.data_dir)
    if edge is not None:
        _show(arguments, edge, running=True)
        return output.OK
    beside = edge_rows(config.data_dir / "edge") or []
    try:
        rows = ManagementClient(config.data_dir).get("/ports")
    except (UnavailableError, TimedOutError):
        pid = running_pid(config.data_dir)
        if pid is not None:
            return _silent(arguments, config, pid)
        rows = _planned(config)
        is_running = False
    else:
        is_running = True
    if not is_running and not arguments.json:
        output.line(say("ports.planned"))
    _show(arguments, [*rows, *beside], running=is_running)
    return output.OK


def edge_rows(data_dir: Path) -> list[dict[str, str]] | None:
    """Ports of the edge service that runs with that data directory, if one does and answers."""
    from rookery.cli.role_process import RoleProcess  # noqa: PLC0415

    process = RoleProcess("edge", data_dir)
    if process.pid() is None:
        return None
    try:
        rows: list[dict[str, str]] = process.client().get("/ports")
    except (UnavailableError, TimedOutError):
        return None
    for row in rows:
        kind = row["listener"].partition(":")[0]
        row["purpose"] = say(f"ports.edge.{kind}")
    return rows


def _silent(arguments: argparse.Namespace, config: Config, pid: int) -> int:
    """What the process of a node holds that runs and does not answer."""
    from rookery.cli.processes import held_sockets  # noqa: PLC0415

    output.complain(say("node.silent", data_dir=config.data_dir, pid=pid))
    addresses = held_sockets(pid)
    if addresses is None:
        output.complain(say("ports.hidden", pid=pid))
    names = {_port(row["address"]): row for row in _planned(config)}
    rows = []
    for address in addresses or ():
        known = names.get(_port(address), {"listener": "-", "purpose": "-"})
        rows.append({**known, "address": address})
    if rows and not arguments.json:
        output.line(say("ports.held", pid=pid))
    if rows or arguments.json:
        _show(arguments, rows, running=True, answering=False, pid=pid)
    return output.NOT_ANSWERING


def _port(address: str) -> str:
    """What tells listeners apart whose hosts are written in more than one way."""
    return address if "/" in address else address.rpartition(":")[2]


def _show(arguments: argparse.Namespace, rows: list[dict[str, str]], **words: object) -> None:
    if arguments.json:
        output.show_json({**words, "ports": rows})
        return
    head = (say("ports.what"), say("ports.address"), say("ports.purpose"))
    output.show_table([head, *((r["listener"], r["address"], r["purpose"]) for r in rows)])


def _planned(config: Config) -> list[dict[str, str]]:
    rows = [
        {
            "listener": listener.id,
            "address": listener.bind,
            "purpose": say(f"ports.{listener.kind}"),
        }
        for listener in config.to_native().listeners
    ]
    management = config.management
    for name, purpose, http in (
        ("http:dashboard", "ports.http", management.http),
        ("https:dashboard", "ports.https", management.https),
        ("http:management", "ports.v3", management.http_v3),
    ):
        if http is not None:
            address = f"{http.host}:{http.port}"
            rows.append({"listener": name, "address": address, "purpose": say(purpose)})
    socket_path = str(config.data_dir / "run" / "node.sock")
    unix = {"listener": "unix:management", "address": socket_path, "purpose": say("ports.unix")}
    return [*rows, unix]
