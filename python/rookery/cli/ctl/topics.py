"""``rookery ctl topics`` (``routes`` in EMQX 3): the topic filters that somebody subscribed to."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, api, node_of, pages, show, stream
from rookery.cli.ctl.clients import add_limit
from rookery.cli.messages import say

COLUMNS = ("topic", "node")


def declare(nouns: Any) -> None:
    """Add the noun under both of its names."""
    for noun in ("topics", "routes"):
        verbs = add_noun(nouns, noun)
        examples = f"  rookery ctl {noun} list\n  rookery ctl {noun} list --limit 20 --json"
        add_limit(add_verb(verbs, noun, "list", _list, examples=examples))
        examples = f"  rookery ctl {noun} show 'plant/#'"
        showing = add_verb(verbs, noun, "show", _show, examples=examples)
        showing.add_argument("topic", metavar="FILTER", help=say("option.filter"))


def _list(arguments: argparse.Namespace) -> int:
    return stream(arguments, pages(node_of(arguments), api("topics"), arguments.limit), COLUMNS)


def _show(arguments: argparse.Namespace) -> int:
    return show(arguments, node_of(arguments).get(api("topics", arguments.topic)), COLUMNS)
