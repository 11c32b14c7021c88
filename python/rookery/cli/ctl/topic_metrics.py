"""``rookery ctl topic_metrics``: counters of single topics."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, api, done, node_of, show, show_members
from rookery.cli.messages import say

COLUMNS = ("topic", "in", "in_rate", "out", "out_rate", "dropped")
RESET_EXAMPLES = """\
  rookery ctl topic_metrics reset plant/7
  rookery ctl topic_metrics reset"""
_SHOWN = {
    "in": "message.in.count",
    "in_rate": "message.in.rate",
    "out": "message.out.count",
    "out_rate": "message.out.rate",
    "dropped": "message.dropped.count",
}


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "topic_metrics")
    add_verb(verbs, "topic_metrics", "list", _list, examples="  rookery ctl topic_metrics list")
    for verb, run in (("show", _show), ("add", _add), ("del", _delete)):
        examples = f"  rookery ctl topic_metrics {verb} plant/7"
        parser = add_verb(verbs, "topic_metrics", verb, run, examples=examples)
        parser.add_argument("topic", metavar="TOPIC", help=say("option.topic.pub"))
    reset = add_verb(verbs, "topic_metrics", "reset", _reset, examples=RESET_EXAMPLES)
    reset.add_argument("topic", metavar="TOPIC", nargs="?", help=say("option.topic_metrics.reset"))


def _list(arguments: argparse.Namespace) -> int:
    rows = node_of(arguments).get(api("mqtt", "topic_metrics"))
    if not arguments.json:
        for row in rows:
            row.update({name: row["metrics"].get(key) for name, key in _SHOWN.items()})
    return show(arguments, rows, COLUMNS)


def _show(arguments: argparse.Namespace) -> int:
    row = node_of(arguments).get(api("mqtt", "topic_metrics", arguments.topic))
    if not arguments.json:
        row |= row.pop("metrics")
    return show_members(arguments, row)


def _add(arguments: argparse.Namespace) -> int:
    body = {"topic": arguments.topic}
    node_of(arguments).post(api("mqtt", "topic_metrics"), body)
    return done(arguments, body, say("ctl.topic_metrics.added", topic=arguments.topic))


def _delete(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(api("mqtt", "topic_metrics", arguments.topic))
    text = say("ctl.topic_metrics.deleted", topic=arguments.topic)
    return done(arguments, {"topic": arguments.topic}, text)


def _reset(arguments: argparse.Namespace) -> int:
    body = {"action": "reset"}
    if arguments.topic is not None:
        body["topic"] = arguments.topic
    node_of(arguments).put(api("mqtt", "topic_metrics"), body)
    return done(arguments, body, say("ctl.topic_metrics.reset"))
