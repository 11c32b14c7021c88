"""``rookery ctl log``: look closer at a part of the node for a while."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, all_pages, api, done, node_of, show
from rookery.cli.messages import say

LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency", "all")
SET_EXAMPLES = """\
  rookery ctl log set-level debug
  rookery ctl log set-level rookery.access debug"""
MODULE = "rookery"
COLUMNS = ("module", "level")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "log")
    setting = add_verb(verbs, "log", "set-level", _set, examples=SET_EXAMPLES)
    setting.add_argument("module", metavar="MODULE", nargs="?", help=say("option.log.module"))
    setting.add_argument("level", choices=LEVELS, help=say("option.log.level"))
    resetting = add_verb(
        verbs, "log", "reset-level", _reset, examples="  rookery ctl log reset-level rookery.access"
    )
    resetting.add_argument("module", metavar="MODULE", nargs="?", help=say("option.log.module"))
    add_verb(verbs, "log", "levels", _levels, examples="  rookery ctl log levels --json")


def _path(arguments: argparse.Namespace) -> str:
    from rookery.client.management import path_of  # noqa: PLC0415

    return "/api/v5/log" + path_of("levels", arguments.module or MODULE)


def _set(arguments: argparse.Namespace) -> int:
    answer = node_of(arguments).put(_path(arguments), {"level": arguments.level})
    text = say("ctl.log.set", module=arguments.module or MODULE, level=arguments.level)
    return done(arguments, answer, text)


def _reset(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(_path(arguments))
    return done(arguments, {}, say("ctl.log.reset", module=arguments.module or MODULE))


def _levels(arguments: argparse.Namespace) -> int:
    return show(arguments, all_pages(node_of(arguments), api("log", "levels")), COLUMNS)
