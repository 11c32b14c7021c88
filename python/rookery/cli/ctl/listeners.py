"""``rookery ctl listeners``: see, start, stop and restart single listeners."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, api, done, node_of, show
from rookery.cli.messages import say

LIST_EXAMPLES = """\
  rookery ctl listeners list
  rookery ctl listeners list --json"""
ENABLE_EXAMPLES = "  rookery ctl listeners enable ws:default false"
COLUMNS = ("id", "bind", "running", "current_connections", "max_connections")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "listeners")
    add_verb(verbs, "listeners", "list", _list, examples=LIST_EXAMPLES)
    for verb in ("start", "stop", "restart"):
        examples = f"  rookery ctl listeners {verb} ssl:default"
        parser = add_verb(verbs, "listeners", verb, _change, examples=examples)
        parser.add_argument("id", metavar="ID", help=say("option.listener"))
        parser.set_defaults(verb=verb)
    enable = add_verb(verbs, "listeners", "enable", _enable, examples=ENABLE_EXAMPLES)
    enable.add_argument("id", metavar="ID", help=say("option.listener"))
    enable.add_argument("value", choices=("true", "false"), help=say("option.listener.enable"))


def _list(arguments: argparse.Namespace) -> int:
    rows = [{**row, **row["status"]} for row in node_of(arguments).get("/api/v5/listeners")]
    return show(arguments, rows, COLUMNS)


def _change(arguments: argparse.Namespace) -> int:
    from rookery.client.management import path_of  # noqa: PLC0415

    path = path_of("api", "v5", "listeners", arguments.id, arguments.verb)
    answer = node_of(arguments).post(path)
    return done(arguments, answer, say(f"ctl.listener.{arguments.verb}", id=arguments.id))


def _enable(arguments: argparse.Namespace) -> int:
    body = {"enable": arguments.value == "true"}
    answer = node_of(arguments).put(api("listeners", arguments.id), body)
    text = say(f"ctl.listener.enable.{arguments.value}", id=arguments.id)
    return done(arguments, answer, text)
