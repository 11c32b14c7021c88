"""``rookery ctl quota``: how many clients may be connected at once."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, done, node_of
from rookery.cli.messages import say
from rookery.errors import BadRequestError

SET_EXAMPLES = """\
  rookery ctl quota set 10000
  rookery ctl quota set infinity"""


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "quota")
    add_verb(verbs, "quota", "get", _get, examples="  rookery ctl quota get --json")
    setting = add_verb(verbs, "quota", "set", _set, examples=SET_EXAMPLES)
    setting.add_argument("connections", metavar="N", help=say("option.quota"))


def _get(arguments: argparse.Namespace) -> int:
    return _tell(arguments, node_of(arguments).get("/api/v5/license/setting"))


def _set(arguments: argparse.Namespace) -> int:
    text = arguments.connections
    if text != "infinity" and not (text.isascii() and text.isdigit()):
        raise BadRequestError(say("ctl.quota.number", text=text))
    value = text if text == "infinity" else int(text)
    setting = {"dynamic_max_connections": value}
    return _tell(arguments, node_of(arguments).put("/api/v5/license/setting", setting))


def _tell(arguments: argparse.Namespace, setting: dict[str, Any]) -> int:
    answer = {
        "max_connections": setting["dynamic_max_connections"],
        "connections": node_of(arguments).get("/api/v5/license")["connections"],
    }
    return done(arguments, answer, say("ctl.quota", **answer))
