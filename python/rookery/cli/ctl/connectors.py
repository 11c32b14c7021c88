"""``rookery ctl connectors``, ``actions`` and ``sources``: ways to other services, and their use."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, api, done, node_of, show
from rookery.cli.ctl.entry_files import read_entry
from rookery.cli.ctl.showing import show_members
from rookery.cli.messages import language, say

KINDS = {"connectors": "connector", "actions": "action", "sources": "source"}
_DONE = {"start": "started", "stop": "stopped", "restart": "restarted"}
_IDS = {"connectors": "http:plant_service", "actions": "http:tell_plant", "sources": "mqtt:plant_2"}
_COLUMNS = {
    "connectors": ("id", "status", "enable", "actions", "sources", "reason"),
    "actions": ("id", "status", "enable", "connector", "rules", "reason"),
    "sources": ("id", "status", "enable", "connector", "rules", "reason"),
}


def declare(nouns: Any) -> None:
    """Add the nouns."""
    for kind in KINDS:
        _declare(nouns, kind)


def _declare(nouns: Any, kind: str) -> None:
    verbs = add_noun(nouns, kind)
    listing = add_verb(verbs, kind, "list", _list, examples=f"  rookery ctl {kind} list")
    listing.set_defaults(kind=kind)
    add_verb(verbs, kind, "types", _types, examples=f"  rookery ctl {kind} types").set_defaults(
        kind=kind
    )
    _named(verbs, kind, "show", _show)
    for verb, run in (("create", _create), ("test", _probe)):
        examples = f"  rookery ctl {kind} {verb} --file {KINDS[kind]}.conf"
        parser = add_verb(verbs, kind, verb, run, examples=examples)
        _add_file(parser)
        parser.set_defaults(kind=kind)
    _add_file(_named(verbs, kind, "update", _update, f" --file {KINDS[kind]}.conf"))
    for verb in ("enable", "disable"):
        _named(verbs, kind, verb, _enable).set_defaults(verb=verb)
    for verb in ("start", "stop", "restart"):
        _named(verbs, kind, verb, _operate).set_defaults(verb=verb)
    delete = _named(verbs, kind, "delete", _delete)
    if kind != "connectors":
        delete.add_argument("--with-uses", action="store_true", help=say("option.entry.with-uses"))
        _named(verbs, kind, "metrics", _metrics)
        _named(verbs, kind, "reset", _reset)


def _named(verbs: Any, kind: str, verb: str, run: Any, more: str = "") -> argparse.ArgumentParser:
    examples = f"  rookery ctl {kind} {verb} {_IDS[kind]}{more}"
    parser = add_verb(verbs, kind, verb, run, examples=examples)
    parser.add_argument("id", metavar="TYPE:NAME", help=say(f"option.{KINDS[kind]}"))
    parser.set_defaults(kind=kind)
    return parser


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", "-f", metavar="FILE", type=Path, required=True,
                        help=say("option.entry-file"))  # fmt: skip


def _list(arguments: argparse.Namespace) -> int:
    rows = node_of(arguments).get(api(arguments.kind))
    if not arguments.json:
        rows = [
            {
                **row,
                "id": f"{row['type']}:{row['name']}",
                "status": _status(row),
                "reason": _reason(row),
            }
            for row in rows
        ]
    return show(arguments, rows, _COLUMNS[arguments.kind])


def _reason(row: Mapping[str, Any]) -> str:
    """Why it does not work, in the user's language."""
    told = row.get("status_reason_zh") if language() == "zh" else ""
    return str(told or row["status_reason"])


def _status(row: Mapping[str, Any]) -> str:
    return say(f"state.{row['status']}")


def _types(arguments: argparse.Namespace) -> int:
    part = KINDS[arguments.kind]
    rows = [row for row in node_of(arguments).get(api("connector_types")) if row[part] is not None]
    return show(arguments, rows, ("type", "title", "missing"))


def _show(arguments: argparse.Namespace) -> int:
    return show_members(arguments, node_of(arguments).get(api(arguments.kind, arguments.id)))


def _create(arguments: argparse.Namespace) -> int:
    made = node_of(arguments).post(api(arguments.kind), read_entry(arguments.file))
    arguments.id = f"{made['type']}:{made['name']}"
    reason = _reason(made)
    what = "created-why" if reason else "created"
    return _done(arguments, made, what, status=_status(made), reason=reason)


def _probe(arguments: argparse.Namespace) -> int:
    node_of(arguments).post(api(f"{arguments.kind}_probe"), read_entry(arguments.file))
    arguments.id = str(arguments.file)
    return _done(arguments, {"file": str(arguments.file)}, "tested")


def _update(arguments: argparse.Namespace) -> int:
    body = read_entry(arguments.file)
    path = api(arguments.kind, arguments.id)
    answer = node_of(arguments).put(path, body)
    return _done(arguments, answer, "updated")


def _enable(arguments: argparse.Namespace) -> int:
    value = "true" if arguments.verb == "enable" else "false"
    node_of(arguments).put(api(arguments.kind, arguments.id, "enable", value))
    return _done(arguments, {"id": arguments.id}, f"{arguments.verb}d")


def _operate(arguments: argparse.Namespace) -> int:
    node_of(arguments).post(api(arguments.kind, arguments.id, arguments.verb))
    return _done(arguments, {"id": arguments.id}, _DONE[arguments.verb])


def _delete(arguments: argparse.Namespace) -> int:
    more = "true" if getattr(arguments, "with_uses", False) else None
    node_of(arguments).delete(api(arguments.kind, arguments.id, also_delete_dep_actions=more))
    return _done(arguments, {"id": arguments.id}, "deleted")


def _metrics(arguments: argparse.Namespace) -> int:
    path = api(arguments.kind, arguments.id, "metrics")
    return show_members(arguments, node_of(arguments).get(path)["metrics"])


def _reset(arguments: argparse.Namespace) -> int:
    node_of(arguments).put(api(arguments.kind, arguments.id, "metrics", "reset"))
    return _done(arguments, {"id": arguments.id}, "reset")


def _done(arguments: argparse.Namespace, value: Any, what: str, **words: str) -> int:
    return done(arguments, value, say(f"ctl.entry.{what}", id=arguments.id, **words))
