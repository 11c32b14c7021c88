"""``rookery ctl links``: links to other clusters."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, api, done, node_of, show
from rookery.cli.ctl.entry_files import read_entry
from rookery.cli.ctl.showing import show_members
from rookery.cli.messages import language, say

LIST_EXAMPLES = """\
  rookery ctl links list
  rookery ctl links list --json"""
CREATE_EXAMPLES = """\
  rookery ctl links create --name emqx-eu-west --server mqtt.eu-west.example.com:8883 --tls \\
      --topic 'global/#' --topic 'fwd/#'
  rookery ctl links create --file eu-west.conf"""
COLUMNS = ("name", "status", "enabled", "server", "topics", "routes", "reason")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "links")
    add_verb(verbs, "links", "list", _list, examples=LIST_EXAMPLES)
    _named(verbs, "show", _show)
    create = add_verb(verbs, "links", "create", _create, examples=CREATE_EXAMPLES)
    create.add_argument("--file", "-f", metavar="FILE", type=Path, help=say("option.entry-file"))
    create.add_argument("--name", metavar="CLUSTER", help=say("option.link"))
    create.add_argument("--server", metavar="HOST:PORT", help=say("option.link.server"))
    create.add_argument("--topic", metavar="FILTER", action="append", dest="topics",
                        help=say("option.link.topic"))  # fmt: skip
    create.add_argument("--username", metavar="NAME", help=say("option.link.username"))
    create.add_argument("--tls", action="store_true", help=say("option.link.tls"))
    test = add_verb(
        verbs, "links", "test", _test, examples="  rookery ctl links test --file eu-west.conf"
    )
    update = _named(verbs, "update", _update, " --file eu-west.conf")
    for parser in (test, update):
        parser.add_argument("--file", "-f", metavar="FILE", type=Path, required=True,
                            help=say("option.entry-file"))  # fmt: skip
    for verb in ("enable", "disable"):
        _named(verbs, verb, _enable).set_defaults(verb=verb)
    _named(verbs, "delete", _delete)
    _named(verbs, "metrics", _metrics)
    _named(verbs, "reset", _reset)


def _named(verbs: Any, verb: str, run: Any, more: str = "") -> argparse.ArgumentParser:
    examples = f"  rookery ctl links {verb} emqx-eu-west{more}"
    parser = add_verb(verbs, "links", verb, run, examples=examples)
    parser.add_argument("name", metavar="CLUSTER", help=say("option.link"))
    return parser


def _path(name: str, *more: str) -> str:
    """The longer path: it reaches a link by whatever name."""
    return api("cluster", "links", "link", name, *more)


def _list(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    rows = node.get(api("cluster", "links"))
    if not arguments.json:
        rows = [
            {
                **row,
                "status": say(f"state.{row['status']}"),
                "enabled": row["enable"],
                "routes": _routes(row),
                "reason": _why(row),
            }
            for row in rows
        ]
    return show(arguments, rows, COLUMNS)


def _routes(row: Mapping[str, Any]) -> int:
    return max((item["routes"] for item in row["node_status"]), default=0)


def _why(row: Mapping[str, Any]) -> str:
    """What keeps it from working and what to do, or what is unsafe about it, in the user's language."""
    end = "_zh" if language() == "zh" else ""
    between = "。" if end else ". "
    told = [row[f"{key}{end}"] for key in ("status_reason", "hint", "warning")]
    return between.join(filter(None, told))


def _show(arguments: argparse.Namespace) -> int:
    return show_members(arguments, node_of(arguments).get(_path(arguments.name)))


def _create(arguments: argparse.Namespace) -> int:
    body = read_entry(arguments.file) if arguments.file is not None else {}
    given = {
        "name": arguments.name,
        "server": arguments.server,
        "topics": arguments.topics,
        "username": arguments.username,
        "ssl": {**body.get("ssl", {}), "enable": True} if arguments.tls else None,
    }
    body |= {key: value for key, value in given.items() if value}
    # Nothing wanted of the other side is a link all the same: it sends what that one wants.
    body.setdefault("topics", [])
    made = node_of(arguments).post(api("cluster", "links"), body)
    return _done(arguments, made, "created", made["name"], status=say(f"state.{made['status']}"))


def _test(arguments: argparse.Namespace) -> int:
    node_of(arguments).post(api("cluster", "links_probe"), read_entry(arguments.file))
    file = str(arguments.file)
    return done(arguments, {"file": file}, say("ctl.entry.tested", id=file))


def _update(arguments: argparse.Namespace) -> int:
    body = read_entry(arguments.file)
    answer = node_of(arguments).put(_path(arguments.name), body)
    return _done(arguments, answer, "updated", arguments.name)


def _enable(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    body = node.get(_path(arguments.name)) | {"enable": arguments.verb == "enable"}
    answer = node.put(_path(arguments.name), body)
    return _done(arguments, answer, f"{arguments.verb}d", arguments.name)


def _delete(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(_path(arguments.name))
    return done(arguments, {"name": arguments.name}, say("ctl.link.deleted", name=arguments.name))


def _metrics(arguments: argparse.Namespace) -> int:
    found = node_of(arguments).get(_path(arguments.name, "metrics"))
    return show_members(arguments, found["metrics"])


def _reset(arguments: argparse.Namespace) -> int:
    node_of(arguments).put(_path(arguments.name, "metrics", "reset"))
    text = say("ctl.entry.reset", id=arguments.name)
    return done(arguments, {"name": arguments.name}, text)


def _done(
    arguments: argparse.Namespace, row: Mapping[str, Any], what: str, name: str, **words: str
) -> int:
    code = done(arguments, row, say(f"ctl.link.{what}", name=name, **words))
    if not arguments.json and (why := _why(row)):
        output.line(why)
    return code
