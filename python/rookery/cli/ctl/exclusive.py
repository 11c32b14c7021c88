"""``rookery ctl exclusive``: topics that one client alone may subscribe to, and who has them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rookery.cli.ctl.asking import add_noun, add_verb, all_pages, api, done, node_of, pages, stream
from rookery.cli.messages import say
from rookery.errors import NotFoundError

if TYPE_CHECKING:
    from rookery.client.http_client import NodeClient

PREFIX = "$exclusive/"
COLUMNS = ("topic", "clientid")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "exclusive")
    add_verb(verbs, "exclusive", "list", _list, examples="  rookery ctl exclusive list")
    examples = "  rookery ctl exclusive delete plant/7/set"
    deleting = add_verb(verbs, "exclusive", "delete", _delete, examples=examples)
    deleting.add_argument("topic", metavar="TOPIC", help=say("option.exclusive.topic"))


def _list(arguments: argparse.Namespace) -> int:
    return stream(arguments, _exclusive(node_of(arguments)), COLUMNS)


def _exclusive(node: NodeClient) -> Iterator[list[dict[str, Any]]]:
    for rows in pages(node, api("subscriptions")):
        yield [
            {**row, "topic": row["topic"].removeprefix(PREFIX)}
            for row in rows
            if row["topic"].startswith(PREFIX)
        ]


def _delete(arguments: argparse.Namespace) -> int:
    """End the subscription of whoever has it: another client may have it then."""
    node, topic = node_of(arguments), arguments.topic.removeprefix(PREFIX)
    held = all_pages(node, api("subscriptions"), topic=PREFIX + topic)
    if not held:
        raise NotFoundError(say("ctl.exclusive.none", topic=topic))
    for row in held:
        node.post(api("clients", row["clientid"], "unsubscribe"), {"topic": PREFIX + topic})
    names = ", ".join(row["clientid"] for row in held)
    value = {"topic": topic, "clientid": held[0]["clientid"]}
    return done(arguments, value, say("ctl.exclusive.deleted", topic=topic, name=names))
