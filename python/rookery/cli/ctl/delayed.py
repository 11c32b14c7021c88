"""``rookery ctl delayed``: messages that are published later."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import (
    add_noun,
    add_verb,
    api,
    done,
    node_of,
    pages,
    show_kept,
    show_members,
    stream,
)
from rookery.cli.ctl.clients import add_limit
from rookery.cli.messages import say

COLUMNS = ("msgid", "topic", "qos", "from_clientid", "expected_at")
DEL_EXAMPLES = """\
  rookery ctl delayed del plant/1/reminder
  rookery ctl delayed del --id 0006497B0AF1C3E80000000000000001"""


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "delayed")
    add_verb(verbs, "delayed", "info", _info, examples="  rookery ctl delayed info")
    add_limit(
        add_verb(verbs, "delayed", "list", _list, examples="  rookery ctl delayed list --limit 20")
    )
    showing = add_verb(
        verbs, "delayed", "show", _show,
        examples="  rookery ctl delayed show 0006497B0AF1C3E80000000000000001",
    )  # fmt: skip
    showing.add_argument("id", metavar="MSGID", help=say("option.delayed.id"))
    deleting = add_verb(verbs, "delayed", "del", _delete, examples=DEL_EXAMPLES)
    which = deleting.add_mutually_exclusive_group(required=True)
    which.add_argument("topic", metavar="TOPIC", nargs="?", help=say("option.delayed.topic"))
    which.add_argument("--id", metavar="MSGID", help=say("option.delayed.id"))


def _info(arguments: argparse.Namespace) -> int:
    return show_kept(arguments, "delayed", "delayed")


def _list(arguments: argparse.Namespace) -> int:
    path = api("mqtt", "delayed", "messages")
    return stream(arguments, pages(node_of(arguments), path, arguments.limit), COLUMNS)


def _path(node: Any, message_id: str) -> str:
    return api("mqtt", "delayed", "messages", node.get(api("cluster"))["self"], message_id)


def _show(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    return show_members(arguments, node.get(_path(node, arguments.id)))


def _delete(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    if arguments.id is not None:
        node.delete(_path(node, arguments.id))
    else:
        node.delete(api("mqtt", "delayed", "messages", arguments.topic))
    name = arguments.id or arguments.topic
    return done(arguments, {}, say("ctl.delayed.deleted", name=name))
