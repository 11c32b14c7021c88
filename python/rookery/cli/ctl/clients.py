"""``rookery ctl clients`` and ``sessions``: who is there, who is away, and what is done to them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from rookery.cli.ctl.asking import (
    add_noun,
    add_verb,
    api,
    done,
    node_of,
    show,
    show_members,
    stream,
)
from rookery.cli.ctl.showing import STREAMED_ROWS
from rookery.cli.messages import say
from rookery.cli.parsers import KEEP_ALIVE, Whole

LIST_EXAMPLES = """\
  rookery ctl clients list
  rookery ctl clients list --like sensor --state disconnected
  rookery ctl clients list --json | jq -r '.[].clientid'"""
SESSIONS_EXAMPLES = """\
  rookery ctl sessions list
  rookery ctl sessions list --state disconnected --limit 20"""
SUBSCRIBE_EXAMPLES = "  rookery ctl clients subscribe sensor-1 'plant/+/set' --qos 1"
KICK_EXAMPLES = """\
  rookery ctl clients kick sensor-1
  rookery ctl clients kick sensor-1 sensor-2"""
STATES = ("connected", "disconnected")
# Column of a table: what it is called in the answer.
CLIENT_COLUMNS = (
    "clientid", "username", "connected", "ip_address", "listener", "proto_ver", "keepalive",
    "subscriptions_cnt", "connected_at",
)  # fmt: skip
SESSION_COLUMNS = (
    "clientid", "connected", "clean_start", "expiry_interval", "subscriptions_cnt",
    "inflight_cnt", "awaiting_rel_cnt", "mqueue_len", "mqueue_dropped", "created_at",
)  # fmt: skip
MESSAGE_COLUMNS = ("msgid", "topic", "qos", "from_clientid", "publish_at")
SUBSCRIPTION_COLUMNS = ("topic", "qos", "nl", "rap", "rh")
ROWS = Whole(1, 100_000_000)
END = "end_of_data"


def declare(nouns: Any) -> None:
    """Add both nouns."""
    verbs = add_noun(nouns, "clients")
    listing = add_verb(verbs, "clients", "list", _list, examples=LIST_EXAMPLES)
    _add_filters(listing)
    _add_one(verbs, "clients", "show", _show)
    kick = add_verb(verbs, "clients", "kick", _kick, examples=KICK_EXAMPLES)
    kick.add_argument("clientids", metavar="ID", nargs="+", help=say("option.client-id"))
    _add_one(verbs, "clients", "subscriptions", _subscriptions)
    subscribe = add_verb(verbs, "clients", "subscribe", subscribe_for, examples=SUBSCRIBE_EXAMPLES)
    add_subscription(subscribe)
    subscribe.add_argument("--qos", type=int, choices=(0, 1, 2), default=0, help=say("option.qos"))
    unsubscribe = add_verb(
        verbs, "clients", "unsubscribe", unsubscribe_for,
        examples="  rookery ctl clients unsubscribe sensor-1 'plant/+/set'",
    )  # fmt: skip
    add_subscription(unsubscribe)
    _add_one(verbs, "clients", "mqueue", _mqueue)
    _add_one(verbs, "clients", "inflight", _inflight)
    keepalive = _add_one(verbs, "clients", "keepalive", _keepalive, " 120")
    keepalive.add_argument(
        "seconds", metavar="SECONDS", type=KEEP_ALIVE, help=say("option.keepalive")
    )
    _declare_sessions(nouns)


def _declare_sessions(nouns: Any) -> None:
    verbs = add_noun(nouns, "sessions")
    listing = add_verb(verbs, "sessions", "list", _list_sessions, examples=SESSIONS_EXAMPLES)
    _add_filters(listing)
    _add_one(verbs, "sessions", "show", _show)
    clean = add_verb(
        verbs, "sessions", "clean-persistent", _kick,
        examples="  rookery ctl sessions clean-persistent sensor-1",
    )  # fmt: skip
    clean.add_argument("clientids", metavar="ID", nargs="+", help=say("option.client-id"))


def _add_one(verbs: Any, noun: str, verb: str, run: Any, more: str = "") -> argparse.ArgumentParser:
    examples = f"  rookery ctl {noun} {verb} sensor-1{more}"
    parser = add_verb(verbs, noun, verb, run, examples=examples)
    parser.add_argument("clientid", metavar="ID", help=say("option.client-id"))
    return parser


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--like", metavar="TEXT", help=say("option.clients.like"))
    parser.add_argument("--username", metavar="NAME", help=say("option.clients.username"))
    parser.add_argument("--ip", metavar="ADDRESS", help=say("option.clients.ip"))
    parser.add_argument("--state", choices=STATES, help=say("option.clients.state"))
    add_limit(parser)


def add_limit(parser: argparse.ArgumentParser) -> None:
    """``--limit``: how many rows of a list that may be long."""
    parser.add_argument("--limit", metavar="N", type=ROWS, help=say("option.limit"))


def add_subscription(parser: argparse.ArgumentParser) -> None:
    """A client and a topic filter."""
    parser.add_argument("clientid", metavar="ID", help=say("option.client-id"))
    parser.add_argument("topic", metavar="FILTER", help=say("option.filter"))


def _found(arguments: argparse.Namespace, columns: tuple[str, ...]) -> Iterator[list[Any]]:
    """Pages by cursor: clients that come and go meanwhile neither hide others nor repeat them."""
    node, left, cursor = node_of(arguments), arguments.limit, None
    while True:
        path = api(
            "clients_v2",
            limit=STREAMED_ROWS if left is None else min(left, STREAMED_ROWS),
            cursor=cursor,
            like_clientid=arguments.like,
            username=arguments.username,
            ip_address=arguments.ip,
            conn_state=arguments.state,
            fields="all" if arguments.json else ",".join(columns),
        )
        answer = node.get(path)
        yield answer["data"]
        left = None if left is None else left - len(answer["data"])
        cursor = answer["meta"].get("cursor")
        if cursor is None or left == 0:
            return


def _list(arguments: argparse.Namespace) -> int:
    return stream(arguments, _found(arguments, CLIENT_COLUMNS), CLIENT_COLUMNS)


def _list_sessions(arguments: argparse.Namespace) -> int:
    return stream(arguments, _found(arguments, SESSION_COLUMNS), SESSION_COLUMNS)


def _show(arguments: argparse.Namespace) -> int:
    return show_members(arguments, node_of(arguments).get(api("clients", arguments.clientid)))


def _kick(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    for client_id in arguments.clientids:
        node.delete(api("clients", client_id))
    names = ", ".join(arguments.clientids)
    return done(
        arguments, {"clientids": arguments.clientids}, say("ctl.clients.kicked", names=names)
    )


def _subscriptions(arguments: argparse.Namespace) -> int:
    rows = node_of(arguments).get(api("clients", arguments.clientid, "subscriptions"))
    return show(arguments, rows, SUBSCRIPTION_COLUMNS)


def subscribe_for(arguments: argparse.Namespace) -> int:
    """Subscribe as if the client had done it."""
    body = {"topic": arguments.topic, "qos": arguments.qos}
    answer = node_of(arguments).post(api("clients", arguments.clientid, "subscribe"), body)
    text = say("ctl.clients.subscribed", name=arguments.clientid, filter=arguments.topic)
    return done(arguments, answer, text)


def unsubscribe_for(arguments: argparse.Namespace) -> int:
    """Unsubscribe as if the client had done it."""
    body = {"topic": arguments.topic}
    node_of(arguments).post(api("clients", arguments.clientid, "unsubscribe"), body)
    text = say("ctl.clients.unsubscribed", name=arguments.clientid, filter=arguments.topic)
    return done(arguments, {"clientid": arguments.clientid, **body}, text)


def _messages(arguments: argparse.Namespace, which: str) -> Iterator[list[Any]]:
    node, position = node_of(arguments), None
    while True:
        path = api(
            "clients", arguments.clientid, which,
            payload="none", limit=STREAMED_ROWS, position=position,
        )  # fmt: skip
        answer = node.get(path)
        yield answer["data"]
        position = answer["meta"]["position"]
        if position == END or not answer["data"]:
            return


def _mqueue(arguments: argparse.Namespace) -> int:
    return stream(arguments, _messages(arguments, "mqueue_messages"), MESSAGE_COLUMNS)


def _inflight(arguments: argparse.Namespace) -> int:
    return stream(arguments, _messages(arguments, "inflight_messages"), MESSAGE_COLUMNS)


def _keepalive(arguments: argparse.Namespace) -> int:
    body = {"interval": arguments.seconds}
    answer = node_of(arguments).put(api("clients", arguments.clientid, "keepalive"), body)
    words = {"name": arguments.clientid, "seconds": arguments.seconds}
    return done(arguments, answer, say("ctl.clients.keepalive", **words))
