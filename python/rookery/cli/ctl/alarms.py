"""``rookery ctl alarms``: what somebody should look at."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, api, done, node_of, pages, stream
from rookery.cli.ctl.clients import add_limit
from rookery.cli.messages import say

LIST_EXAMPLES = """\
  rookery ctl alarms list
  rookery ctl alarms list --history --limit 20"""
COLUMNS = ("name", "message", "activate_at")
PAST_COLUMNS = (*COLUMNS, "deactivate_at")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "alarms")
    listing = add_verb(verbs, "alarms", "list", _list, examples=LIST_EXAMPLES)
    listing.add_argument("--history", action="store_true", help=say("option.alarms.history"))
    add_limit(listing)
    deactivate = add_verb(
        verbs, "alarms", "deactivate", _deactivate,
        examples="  rookery ctl alarms deactivate high_cpu_usage",
    )  # fmt: skip
    deactivate.add_argument("name", metavar="NAME", help=say("option.alarms.name"))
    add_verb(verbs, "alarms", "clear", _clear, examples="  rookery ctl alarms clear")


def _list(arguments: argparse.Namespace) -> int:
    state = "false" if arguments.history else "true"
    found = pages(node_of(arguments), api("alarms"), arguments.limit, activated=state)
    return stream(arguments, found, PAST_COLUMNS if arguments.history else COLUMNS)


def _deactivate(arguments: argparse.Namespace) -> int:
    body = {"name": arguments.name}
    node_of(arguments).post(api("alarms", "force_deactivate"), body)
    return done(arguments, body, say("ctl.alarms.deactivated", name=arguments.name))


def _clear(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(api("alarms"))
    return done(arguments, {}, say("ctl.alarms.cleared"))
