"""``rookery ctl links``: links to other clusters."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_verb, api, done, node_of, show
from rookery.cli.ctl.entries import Entries, Runs, add_file, declare_entries
from rookery.cli.ctl.entry_files import read_entry
from rookery.cli.ctl.showing import show_members
from rookery.cli.messages import language, say

CREATE_EXAMPLES = """\
  rookery ctl links create --name emqx-eu-west --server mqtt.eu-west.example.com:8883 --tls \\
      --topic 'global/#' --topic 'fwd/#'
  rookery ctl links create --file eu-west.conf"""
COLUMNS = ("name", "status", "enabled", "server", "topics", "routes", "stored", "reason")


LINKS = Entries(
    "links",
    # The longer path: it reaches a link by whatever name.
    ("cluster", "links", "link"),
    "name",
    "CLUSTER",
    "option.link",
    "emqx-eu-west",
)


def declare(nouns: Any) -> None:
    """Add the noun."""
    runs = Runs(_list, _show, _create, _update, _enable, _delete)
    verbs, create = declare_entries(
        nouns, LINKS, runs, create_examples=CREATE_EXAMPLES, file="eu-west.conf"
    )
    create.add_argument("--name", metavar="CLUSTER", help=say("option.link"))
    create.add_argument("--server", metavar="HOST:PORT", help=say("option.link.server"))
    create.add_argument("--topic", metavar="FILTER", action="append", dest="topics",
                        help=say("option.link.topic"))  # fmt: skip
    create.add_argument("--username", metavar="NAME", help=say("option.link.username"))
    create.add_argument("--tls", action="store_true", help=say("option.link.tls"))
    examples = "  rookery ctl links test --file eu-west.conf"
    add_file(add_verb(verbs, "links", "test", _test, examples=examples))


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
                "stored": _stored(row),
                "reason": _why(row),
            }
            for row in rows
        ]
    return show(arguments, rows, COLUMNS)


def _routes(row: Mapping[str, Any]) -> int:
    return max((item["routes"] for item in row["node_status"]), default=0)


def _stored(row: Mapping[str, Any]) -> str:
    """Messages on disk of all nodes, and how much of what each node may have they take at most."""
    nodes = row["node_status"]
    count = sum(item["stored"] for item in nodes)
    if not count:
        return "0"
    octets = max(item["stored_bytes"] for item in nodes)
    most = row["extensions"]["store"]["max_bytes"]
    return f"{count} ({output.size(octets)} / {most})"


def _why(row: Mapping[str, Any]) -> str:
    """What keeps it from working and what to do, or what is unsafe about it, in the user's language."""
    end = "_zh" if language() == "zh" else ""
    between = "。" if end else ". "
    told = [row[f"{key}{end}"] for key in ("status_reason", "hint", "warning")]
    return between.join(filter(None, told))


def _show(arguments: argparse.Namespace) -> int:
    return show_members(arguments, node_of(arguments).get(LINKS.path(arguments)))


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
    answer = node_of(arguments).put(LINKS.path(arguments), body)
    return _done(arguments, answer, "updated", arguments.name)


def _enable(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    body = node.get(LINKS.path(arguments)) | {"enable": arguments.verb == "enable"}
    answer = node.put(LINKS.path(arguments), body)
    return _done(arguments, answer, f"{arguments.verb}d", arguments.name)


def _delete(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(LINKS.path(arguments))
    return done(arguments, {"name": arguments.name}, say("ctl.link.deleted", name=arguments.name))


def _done(
    arguments: argparse.Namespace, row: Mapping[str, Any], what: str, name: str, **words: str
) -> int:
    code = done(arguments, row, say(f"ctl.link.{what}", name=name, **words))
    if not arguments.json and (why := _why(row)):
        output.line(why)
    return code
