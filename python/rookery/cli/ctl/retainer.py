"""``rookery ctl retainer``: retained messages."""

from __future__ import annotations

import argparse
import base64
import sys
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import (
    add_noun,
    add_verb,
    api,
    done,
    node_of,
    pages,
    show_kept,
    stream,
)
from rookery.cli.ctl.clients import add_limit
from rookery.cli.messages import say
from rookery.errors import BadRequestError

TOPICS_EXAMPLES = """\
  rookery ctl retainer topics
  rookery ctl retainer topics 'plant/#' --limit 20"""
SHOW_EXAMPLES = """\
  rookery ctl retainer show plant/1/state
  rookery ctl retainer show plant/1/state --json"""
CLEAN_EXAMPLES = """\
  rookery ctl retainer clean plant/1/state
  rookery ctl retainer clean 'plant/#'
  rookery ctl retainer clean --all"""
COLUMNS = ("topic", "qos", "from_clientid", "publish_at")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "retainer")
    add_verb(verbs, "retainer", "info", _info, examples="  rookery ctl retainer info")
    topics = add_verb(verbs, "retainer", "topics", _topics, examples=TOPICS_EXAMPLES)
    topics.add_argument("topic", metavar="FILTER", nargs="?", help=say("option.filter"))
    add_limit(topics)
    showing = add_verb(verbs, "retainer", "show", _show, examples=SHOW_EXAMPLES)
    showing.add_argument("topic", metavar="TOPIC", help=say("option.topic.pub"))
    clean = add_verb(verbs, "retainer", "clean", _clean, examples=CLEAN_EXAMPLES)
    clean.add_argument("topic", metavar="FILTER", nargs="?", help=say("option.filter"))
    clean.add_argument("--all", action="store_true", help=say("option.retainer.all"))


def _info(arguments: argparse.Namespace) -> int:
    return show_kept(arguments, "retainer", "retained")


def _topics(arguments: argparse.Namespace) -> int:
    path = api("mqtt", "retainer", "messages")
    found = pages(node_of(arguments), path, arguments.limit, topic=arguments.topic)
    return stream(arguments, found, COLUMNS)


def _show(arguments: argparse.Namespace) -> int:
    """The payload as it is: it may go into a file."""
    answer = node_of(arguments).get(api("mqtt", "retainer", "message", arguments.topic))
    if arguments.json:
        output.show_json(answer)
        return output.OK
    payload = base64.b64decode(answer["payload"])
    sys.stdout.flush()
    sys.stdout.buffer.write(payload + b"\n" if sys.stdout.isatty() else payload)
    return output.OK


def _clean(arguments: argparse.Namespace) -> int:
    if arguments.all == (arguments.topic is not None):
        raise BadRequestError(say("ctl.retainer.which"))
    if arguments.all:
        node_of(arguments).delete(api("mqtt", "retainer", "messages"))
        return done(arguments, {}, say("ctl.retainer.all"))
    node_of(arguments).delete(api("mqtt", "retainer", "message", arguments.topic))
    text = say("ctl.retainer.deleted", filter=arguments.topic)
    return done(arguments, {"topic": arguments.topic}, text)
