"""``rookery agent``: the agent beside a cluster, as in the one-file program ``rookery-agent``."""

from __future__ import annotations

from typing import Any

from rookery.cli.parsers import add_command


def declare(commands: Any) -> None:
    """Add the command."""
    from rookery.app import declare_agent  # noqa: PLC0415

    root = add_command(commands, "agent", "help.agent", None)
    root.set_defaults(parser=root)
    declare_agent(root.add_subparsers(metavar="COMMAND"))
