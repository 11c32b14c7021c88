"""``rookery ctl``: operate a node that runs. One file for each noun."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rookery.cli.parsers import add_command

NOUNS = (
    "listeners", "certificates", "users", "acl", "ban", "conf", "quota", "admins", "api_keys",
    "data", "plugins", "log", "trace",
)  # fmt: skip


def declare(commands: Any) -> None:
    """Add the command."""
    root = add_command(commands, "ctl", "help.ctl", None)
    root.set_defaults(parser=root)
    nouns = root.add_subparsers(metavar="NOUN")
    for noun in NOUNS:
        import_module(f"rookery.cli.ctl.{noun}").declare(nouns)
