"""``rookery ctl``: operate a node that runs. One file for each noun, or for a few small ones."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from rookery.cli.parsers import add_command

MODULES = (
    "broker", "clients", "topics", "subscriptions", "exclusive", "publish", "retainer", "delayed",
    "topic_metrics", "slow_subs", "cluster", "rebalance", "alarms", "listeners", "certificates", "users", "acl",
    "lists", "ban", "conf", "quota", "admins", "api_keys", "data", "plugins", "log", "trace",
    "rules", "connectors", "links",
)  # fmt: skip
SEVERAL = {
    "broker": ("status", "broker", "stats", "metrics", "vm"),
    "clients": ("clients", "sessions"),
    "topics": ("topics", "routes"),
    "rebalance": ("rebalance", "eviction"),
    "connectors": ("connectors", "actions", "sources"),
    "lists": ("rewrite", "auto_subscribe", "authn", "authz", "audit", "license"),
}
"""Modules with more than the noun that they are called after, or with others."""
ALONE = {"listeners": "list"}
"""What a noun does without a verb, as in EMQX."""


_PLACE = ("--data-dir", "-d", "--config", "-c", "--url", "--api-key", "--ca-file")
"""Options with a value that say which node is meant: they may come before the noun too."""


def complete(words: Sequence[str]) -> list[str]:
    """The words of a command below ``rookery`` as its verbs declare them.

    The verb that may be left out is there, and what came before the noun stands behind it.
    """
    words = _noun_first(words)
    noun, rest = words[1:2], words[2:3]
    is_alone = not rest or (rest[0].startswith("-") and rest[0] not in ("-h", "--help"))
    verb = [ALONE[noun[0]]] if noun and noun[0] in ALONE and is_alone else []
    return [*words[:2], *verb, *words[2:]]


def _noun_first(words: Sequence[str]) -> list[str]:
    """``ctl --data-dir DIR status`` as ``ctl status --data-dir DIR``."""
    begin = 1
    while begin < len(words):
        option, equals, _ = words[begin].partition("=")
        if option in _PLACE:
            begin += 1 if equals else 2
        elif option == "--json" and not equals:
            begin += 1
        else:
            break
    if begin > len(words):
        # The last option lacks its value: told as it was written.
        return list(words)
    before, rest = words[1:begin], words[begin:]
    if not rest:
        return list(words[:1])
    # What follows -- is no option any more.
    end = rest.index("--") if "--" in rest else len(rest)
    return [*words[:1], *rest[:end], *before, *rest[end:]]


def declare(commands: Any, only: str | None = None) -> None:
    """Add the command, with all nouns or with those of the module that declares ``only``."""
    root = add_command(commands, "ctl", "help.ctl", None)
    root.set_defaults(parser=root)
    nouns = root.add_subparsers(metavar="NOUN")
    wanted = [module for module in MODULES if only in SEVERAL.get(module, (module,))]
    for module in wanted or MODULES:
        import_module(f"rookery.cli.ctl.{module}").declare(nouns)
