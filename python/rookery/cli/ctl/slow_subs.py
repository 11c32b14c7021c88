"""``rookery ctl slow_subs``: subscriptions whose messages take long."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, api, done, node_of, pages, stream
from rookery.cli.ctl.asking import show_members as show_settings
from rookery.cli.messages import say

COLUMNS = ("clientid", "topic", "timespan", "last_update_time")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "slow_subs")
    add_verb(verbs, "slow_subs", "list", _list, examples="  rookery ctl slow_subs list")
    add_verb(verbs, "slow_subs", "clear", _clear, examples="  rookery ctl slow_subs clear")
    add_verb(verbs, "slow_subs", "info", _info, examples="  rookery ctl slow_subs info")


def _list(arguments: argparse.Namespace) -> int:
    return stream(arguments, pages(node_of(arguments), api("slow_subscriptions")), COLUMNS)


def _clear(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(api("slow_subscriptions"))
    return done(arguments, {}, say("ctl.slow_subs.cleared"))


def _info(arguments: argparse.Namespace) -> int:
    settings = node_of(arguments).get(api("slow_subscriptions", "settings"))
    return show_settings(arguments, settings)
