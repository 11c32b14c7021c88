"""``rookery ctl conf``: what holds on the node, and changing it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, all_pages, api, done, node_of, show
from rookery.cli.messages import say
from rookery.errors import BadRequestError, NotFoundError

SHOW_EXAMPLES = """\
  rookery ctl conf show
  rookery ctl conf show listeners.ssl --json"""
RELOAD_EXAMPLES = "  rookery ctl conf reload"
LOAD_EXAMPLES = """\
  rookery ctl conf load changes.hocon
  echo 'mqtt.max_inflight = 64' | rookery ctl conf load -
  rookery ctl conf load authz.hocon --replace"""
RESET_EXAMPLES = "  rookery ctl conf reset mqtt.max_inflight"


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "conf")
    showing = add_verb(verbs, "conf", "show", _show, examples=SHOW_EXAMPLES)
    showing.add_argument("path", metavar="KEY", nargs="?", default="", help=say("option.conf.path"))
    add_verb(verbs, "conf", "show_keys", _keys, examples="  rookery ctl conf show_keys")
    add_verb(verbs, "conf", "reload", _reload, examples=RELOAD_EXAMPLES)
    load = add_verb(verbs, "conf", "load", _load, examples=LOAD_EXAMPLES)
    load.add_argument("file", metavar="FILE", type=Path, help=say("option.conf.file"))
    mode = load.add_mutually_exclusive_group()
    mode.add_argument("--merge", dest="mode", action="store_const", const="merge",
                      default="merge", help=say("option.conf.merge"))  # fmt: skip
    mode.add_argument("--replace", dest="mode", action="store_const", const="replace",
                      help=say("option.conf.replace"))  # fmt: skip
    reset = add_verb(verbs, "conf", "reset", _reset, examples=RESET_EXAMPLES)
    reset.add_argument("key", metavar="KEY", help=say("option.conf.key"))


def _show(arguments: argparse.Namespace) -> int:
    rows = all_pages(node_of(arguments), api("configs_origins"))
    wanted = [
        row
        for row in rows
        if not arguments.path
        or row["path"] == arguments.path
        or row["path"].startswith(f"{arguments.path}.")
    ]
    if not wanted:
        raise NotFoundError(say("ctl.conf.unknown", path=arguments.path))
    if arguments.json:
        output.show_json(wanted)
        return output.OK
    for row in wanted:
        text = f"{row['path']} = {json.dumps(row['value'], ensure_ascii=False)}"
        output.line(f"{text:<70} # {row['origin']}")
    return output.OK


def _reload(arguments: argparse.Namespace) -> int:
    answer = node_of(arguments).post("/api/v5/configs_reload")
    if arguments.json:
        output.show_json(answer)
        return output.OK
    if not answer["changed"] and not answer["needs_restart"]:
        output.line(say("ctl.conf.same"))
    for path in answer["changed"]:
        output.line(say("ctl.conf.changed", path=path))
    for path in answer["needs_restart"]:
        output.complain(say("ctl.conf.restart", path=path))
    return output.OK


def _keys(arguments: argparse.Namespace) -> int:
    rows = all_pages(node_of(arguments), api("configs_origins"))
    keys = sorted({row["path"].partition(".")[0] for row in rows})
    if arguments.json:
        return done(arguments, keys, "")
    return show(arguments, [{"key": key} for key in keys], ("key",))


def _load(arguments: argparse.Namespace) -> int:
    from rookery.client.management import Content  # noqa: PLC0415

    file = arguments.file
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BadRequestError(f"{file}: {error.strerror or error}") from None
    path = api("configs", mode=arguments.mode)
    node_of(arguments).put(path, Content(content, "text/plain"))
    return done(arguments, {"file": str(file)}, say("ctl.conf.loaded", file=file))


def _reset(arguments: argparse.Namespace) -> int:
    root, _, path = arguments.key.partition(".")
    node_of(arguments).post(api("configs_reset", root, conf_path=path or None))
    return done(arguments, {"key": arguments.key}, say("ctl.conf.reset", path=arguments.key))
