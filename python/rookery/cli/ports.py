"""``rookery ports``: every port in use, by what, and what it is for."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli import output
from rookery.cli.messages import say
from rookery.cli.parsers import add_command, add_json, add_sources, load_config
from rookery.errors import TimedOutError, UnavailableError

EXAMPLES = """\
  rookery ports
  rookery ports --data-dir ./data --json"""


def declare(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "ports", "help.ports", _ports, examples=EXAMPLES)
    add_sources(parser)
    add_json(parser)


def _ports(arguments: argparse.Namespace) -> int:
    from rookery.client.management import ManagementClient  # noqa: PLC0415

    config = load_config(arguments)
    try:
        rows = ManagementClient(config.data_dir).get("/ports")
        is_running = True
    except (UnavailableError, TimedOutError):
        rows = _planned(config)
        is_running = False
    if arguments.json:
        output.show_json({"running": is_running, "ports": rows})
        return output.OK
    if not is_running:
        output.line(say("ports.planned"))
    head = (say("ports.what"), say("ports.address"), say("ports.purpose"))
    output.show_table([head, *((r["listener"], r["address"], r["purpose"]) for r in rows)])
    return output.OK


def _planned(config: Any) -> list[dict[str, str]]:
    rows = [
        {
            "listener": listener.id,
            "address": listener.bind,
            "purpose": say(f"ports.{listener.kind}"),
        }
        for listener in config.to_native().listeners
    ]
    http = config.management.http
    if http is not None:
        address = f"{http.host}:{http.port}"
        rows.append(
            {"listener": "http:dashboard", "address": address, "purpose": say("ports.http")}
        )
    socket_path = str(config.data_dir / "run" / "node.sock")
    unix = {"listener": "unix:management", "address": socket_path, "purpose": say("ports.unix")}
    return [*rows, unix]
