"""``rookery ctl connectors``, ``actions`` and ``sources``: ways to other services, and their use."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, api, done, node_of, show
from rookery.cli.ctl.entries import Entries, add_file, add_metrics, add_switches
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


def _entries(kind: str) -> Entries:
    return Entries(kind, (kind,), "id", "TYPE:NAME", f"option.{KINDS[kind]}", _IDS[kind])


def _declare(nouns: Any, kind: str) -> None:
    entries = _entries(kind)
    file = f"{KINDS[kind]}.conf"
    verbs = add_noun(nouns, kind)
    for verb, run in (("list", _list), ("types", _types)):
        parser = add_verb(verbs, kind, verb, run, examples=f"  rookery ctl {kind} {verb}")
        parser.set_defaults(entries=entries)
    entries.add(verbs, "show", _show)
    for verb, run in (("create", _create), ("test", _probe)):
        examples = f"  rookery ctl {kind} {verb} --file {file}"
        parser = add_verb(verbs, kind, verb, run, examples=examples)
        add_file(parser)
        parser.set_defaults(entries=entries)
    add_file(entries.add(verbs, "update", _update, f" --file {file}"))
    add_switches(verbs, entries, _enable)
    for verb in ("start", "stop", "restart"):
        entries.add(verbs, verb, _operate).set_defaults(verb=verb)
    delete = entries.add(verbs, "delete", _delete)
    if kind != "connectors":
        delete.add_argument("--with-uses", action="store_true", help=say("option.entry.with-uses"))
        add_metrics(verbs, entries)


def _list(arguments: argparse.Namespace) -> int:
    rows = node_of(arguments).get(api(arguments.entries.noun))
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
    return show(arguments, rows, _COLUMNS[arguments.entries.noun])


def _reason(row: Mapping[str, Any]) -> str:
    """Why it does not work, in the user's language."""
    told = row.get("status_reason_zh") if language() == "zh" else ""
    return str(told or row["status_reason"])


def _status(row: Mapping[str, Any]) -> str:
    return say(f"state.{row['status']}")


def _types(arguments: argparse.Namespace) -> int:
    part = KINDS[arguments.entries.noun]
    rows = [row for row in node_of(arguments).get(api("connector_types")) if row[part] is not None]
    return show(arguments, rows, ("type", "title", "missing"))


def _show(arguments: argparse.Namespace) -> int:
    return show_members(arguments, node_of(arguments).get(arguments.entries.path(arguments)))


def _create(arguments: argparse.Namespace) -> int:
    made = node_of(arguments).post(api(arguments.entries.noun), read_entry(arguments.file))
    arguments.id = f"{made['type']}:{made['name']}"
    reason = _reason(made)
    what = "created-why" if reason else "created"
    return _done(arguments, made, what, status=_status(made), reason=reason)


def _probe(arguments: argparse.Namespace) -> int:
    node_of(arguments).post(api(f"{arguments.entries.noun}_probe"), read_entry(arguments.file))
    arguments.id = str(arguments.file)
    return _done(arguments, {"file": str(arguments.file)}, "tested")


def _update(arguments: argparse.Namespace) -> int:
    body = read_entry(arguments.file)
    path = arguments.entries.path(arguments)
    answer = node_of(arguments).put(path, body)
    return _done(arguments, answer, "updated")


def _enable(arguments: argparse.Namespace) -> int:
    value = "true" if arguments.verb == "enable" else "false"
    node_of(arguments).put(arguments.entries.path(arguments, "enable", value))
    return _done(arguments, {"id": arguments.id}, f"{arguments.verb}d")


def _operate(arguments: argparse.Namespace) -> int:
    node_of(arguments).post(arguments.entries.path(arguments, arguments.verb))
    return _done(arguments, {"id": arguments.id}, _DONE[arguments.verb])


def _delete(arguments: argparse.Namespace) -> int:
    more = "true" if getattr(arguments, "with_uses", False) else None
    node_of(arguments).delete(
        api(arguments.entries.noun, arguments.id, also_delete_dep_actions=more)
    )
    return _done(arguments, {"id": arguments.id}, "deleted")


def _done(arguments: argparse.Namespace, value: Any, what: str, **words: str) -> int:
    return done(arguments, value, say(f"ctl.entry.{what}", id=arguments.id, **words))
