"""``rookery ctl subscriptions``: who subscribed to what."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, api, node_of, pages, show, stream
from rookery.cli.ctl.clients import add_limit, add_subscription, subscribe_for, unsubscribe_for
from rookery.cli.messages import say

COLUMNS = ("clientid", "topic", "qos", "nl", "rap", "rh", "durable")
LIST_EXAMPLES = """\
  rookery ctl subscriptions list
  rookery ctl subscriptions list --topic 'plant/#'
  rookery ctl subscriptions list --match plant/1/temperature
  rookery ctl subscriptions list --group readers"""
ADD_EXAMPLES = "  rookery ctl subscriptions add sensor-1 'plant/+/set' 1"
DEL_EXAMPLES = "  rookery ctl subscriptions del sensor-1 'plant/+/set'"


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "subscriptions")
    listing = add_verb(verbs, "subscriptions", "list", _list, examples=LIST_EXAMPLES)
    listing.add_argument("--topic", metavar="FILTER", help=say("option.subscriptions.topic"))
    listing.add_argument("--match", metavar="TOPIC", help=say("option.subscriptions.match"))
    listing.add_argument("--group", metavar="NAME", help=say("option.subscriptions.group"))
    add_limit(listing)
    showing = add_verb(
        verbs, "subscriptions", "show", _show, examples="  rookery ctl subscriptions show sensor-1"
    )
    showing.add_argument("clientid", metavar="ID", help=say("option.client-id"))
    adding = add_verb(verbs, "subscriptions", "add", subscribe_for, examples=ADD_EXAMPLES)
    add_subscription(adding)
    adding.add_argument(
        "qos", metavar="QOS", type=int, choices=(0, 1, 2), nargs="?", default=0,
        help=say("option.qos"),
    )  # fmt: skip
    deleting = add_verb(verbs, "subscriptions", "del", unsubscribe_for, examples=DEL_EXAMPLES)
    add_subscription(deleting)


def _list(arguments: argparse.Namespace) -> int:
    found = pages(
        node_of(arguments),
        api("subscriptions"),
        arguments.limit,
        topic=arguments.topic,
        match_topic=arguments.match,
        share_group=arguments.group,
    )
    return stream(arguments, found, COLUMNS)


def _show(arguments: argparse.Namespace) -> int:
    rows = node_of(arguments).get(api("clients", arguments.clientid, "subscriptions"))
    return show(arguments, rows, COLUMNS)
