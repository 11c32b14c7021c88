"""``rookery ctl conf``: what holds on the node, and reading its configuration again."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, node_of
from rookery.cli.messages import say

SHOW_EXAMPLES = """\
  rookery ctl conf show
  rookery ctl conf show listeners.ssl --json"""
RELOAD_EXAMPLES = "  rookery ctl conf reload"


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "conf")
    show = add_verb(verbs, "conf", "show", _show, examples=SHOW_EXAMPLES)
    show.add_argument("path", metavar="KEY", nargs="?", default="", help=say("option.conf.path"))
    add_verb(verbs, "conf", "reload", _reload, examples=RELOAD_EXAMPLES)


def _show(arguments: argparse.Namespace) -> int:
    rows = node_of(arguments).get("/api/v5/configs_origins")
    wanted = [
        row
        for row in rows
        if not arguments.path
        or row["path"] == arguments.path
        or row["path"].startswith(f"{arguments.path}.")
    ]
    if arguments.json:
        output.show_json(wanted)
        return output.OK
    for row in wanted:
        text = f"{row['path']} = {json.dumps(row['value'], ensure_ascii=False)}"
        output.line(f"{text:<70} # {row['origin']}")
    return output.OK


def _reload(arguments: argparse.Namespace) -> int:
    answer = node_of(arguments).post("/api/v5/configs_reload")
    if arguments.json:
        output.show_json(answer)
        return output.OK
    if not answer["changed"] and not answer["needs_restart"]:
        output.line(say("ctl.conf.same"))
    for path in answer["changed"]:
        output.line(say("ctl.conf.changed", path=path))
    for path in answer["needs_restart"]:
        output.complain(say("ctl.conf.restart", path=path))
    return output.OK
