"""``rookery ctl``: operate a node that runs. One file for each noun, or for a few small ones."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rookery.cli.parsers import add_command

MODULES = (
    "broker", "clients", "topics", "subscriptions", "publish", "retainer", "delayed",
    "topic_metrics", "slow_subs", "cluster", "alarms", "listeners", "certificates", "users", "acl",
    "lists", "ban", "conf", "quota", "admins", "api_keys", "data", "plugins", "log", "trace",
)  # fmt: skip


def declare(commands: Any) -> None:
    """Add the command."""
    root = add_command(commands, "ctl", "help.ctl", None)
    root.set_defaults(parser=root)
    nouns = root.add_subparsers(metavar="NOUN")
    for module in MODULES:
        import_module(f"rookery.cli.ctl.{module}").declare(nouns)
