"""``rookery ctl plugins``: what runs beside the node, and how it is doing."""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, done, node_of, show, show_members
from rookery.cli.messages import say
from rookery.errors import BadRequestError

if TYPE_CHECKING:
    from rookery.client.management import Content

COLUMNS = ("name", "status", "enable", "hookpoints", "restarts", "error")
CONFIG_EXAMPLES = """\
  rookery ctl plugins config payload_transform-1.0.0
  rookery ctl plugins config payload_transform-1.0.0 --value '{"field": "at"}'
  rookery ctl plugins config presence_webhook-1.0.0 --value - < settings.json
  rookery ctl plugins config payload_transform-1.0.0 --run '{"workers": 2}'"""
MOVE_EXAMPLES = "  rookery ctl plugins move audit_sqlite-1.0.0 before:payload_transform-1.0.0"
WORKER_COLUMNS = (
    "worker", "is_attached", "asked", "answered", "late", "failed", "told", "dropped", "open",
)  # fmt: skip
_NOT_DESCRIBED = frozenset({"readme", "rel_apps", "running_status", "metadata_vsn"})
ACTIONS = ("start", "stop", "restart", "enable", "disable")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "plugins")
    add_verb(verbs, "plugins", "list", _list, examples="  rookery ctl plugins list")
    for verb, run in (("describe", _describe), ("uninstall", _uninstall)):
        _named(verbs, verb, run)
    for verb, run in (("allow", _allow), ("disallow", _disallow)):
        _named(verbs, verb, run)
    for verb in ACTIONS:
        _named(verbs, verb, _act).set_defaults(verb=verb)
    examples = "  rookery ctl plugins install payload_transform-1.0.0.tar.gz"
    installing = add_verb(verbs, "plugins", "install", _install, examples=examples)
    installing.add_argument("file", metavar="FILE", type=Path, help=say("option.plugin-file"))
    configuring = _named(verbs, "config", _config, CONFIG_EXAMPLES)
    configuring.add_argument("--value", metavar="JSON", help=say("option.plugin-settings"))
    configuring.add_argument("--run", metavar="JSON", dest="how", help=say("option.plugin-run"))
    moving = _named(verbs, "move", _move, MOVE_EXAMPLES)
    moving.add_argument("position", metavar="POSITION", help=say("option.plugin-position"))


def _named(verbs: Any, verb: str, run: Any, examples: str = "") -> argparse.ArgumentParser:
    examples = examples or f"  rookery ctl plugins {verb} payload_transform-1.0.0"
    parser = add_verb(verbs, "plugins", verb, run, examples=examples)
    parser.add_argument("name", metavar="NAME-VERSION", help=say("option.plugin"))
    return parser


def plugin_path(*parts: str) -> str:
    """The path of plugins, or of one and what belongs to it, in the REST interface."""
    from rookery.client.management import path_of  # noqa: PLC0415

    return path_of("api", "v5", "plugins", *parts)


def _list(arguments: argparse.Namespace) -> int:
    return show(arguments, node_of(arguments).get(plugin_path()), COLUMNS)


def _describe(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    row = node.get(plugin_path(arguments.name))
    workers = node.get(plugin_path(arguments.name, "workers"))
    if arguments.json:
        output.show_json({**row, "workers": workers})
        return output.OK
    # What says the same as another member, and what is a page of its own, stays with ``--json``.
    shown = {key: value for key, value in row.items() if key not in _NOT_DESCRIBED}
    shown["run"] |= {"memory_max": output.size(shown["run"]["memory_max"])}
    show_members(arguments, shown)
    return show(arguments, workers, WORKER_COLUMNS) if workers else output.OK


def _act(arguments: argparse.Namespace) -> int:
    node_of(arguments).put(plugin_path(arguments.name, arguments.verb))
    return _done(arguments, arguments.verb)


def _allow(arguments: argparse.Namespace) -> int:
    node_of(arguments).post(plugin_path("allowed"), {"name": arguments.name})
    return _done(arguments, "allow")


def _disallow(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(plugin_path("allowed", arguments.name))
    return _done(arguments, "disallow")


def archive_body(archive: bytes) -> Content:
    """The body with which an archive is installed."""
    from rookery.client.management import Content  # noqa: PLC0415

    mark = uuid.uuid4().hex
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="plugin"; filename="plugin.tar.gz"'
        "\r\nContent-Type: application/gzip\r\n\r\n"
    )
    content = head.encode() + archive + f"\r\n--{mark}--\r\n".encode()
    return Content(content, f"multipart/form-data; boundary={mark}")


def _install(arguments: argparse.Namespace) -> int:
    try:
        archive = arguments.file.read_bytes()
    except OSError as error:
        raise BadRequestError(f"{arguments.file}: {error.strerror}") from None
    node_of(arguments).post(plugin_path("install"), archive_body(archive))
    arguments.name = arguments.file.name.removesuffix(".tar.gz")
    return _done(arguments, "install")


def _uninstall(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(plugin_path(arguments.name))
    return _done(arguments, "uninstall")


def _move(arguments: argparse.Namespace) -> int:
    node_of(arguments).post(plugin_path(arguments.name, "move"), {"position": arguments.position})
    return _done(arguments, "move")


def _config(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    if arguments.value is None and arguments.how is None:
        output.show_json(node.get(plugin_path(arguments.name, "config")))
        return output.OK
    if arguments.how is not None:
        node.put(plugin_path(arguments.name, "run"), json_of(arguments.how))
    if arguments.value is not None:
        # Arguments of a command can be read by others on the machine, and settings may hold secrets.
        text = sys.stdin.read() if arguments.value == "-" else arguments.value
        node.put(plugin_path(arguments.name, "config"), json_of(text))
    return _done(arguments, "config")


def json_of(text: str) -> Any:
    """A value of the command line.

    Raises:
        BadRequestError: it is no JSON.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadRequestError(say("ctl.plugin.no-json", error=error)) from None


def _done(arguments: argparse.Namespace, verb: str) -> int:
    return done(arguments, {"name": arguments.name}, say(f"ctl.plugin.{verb}", name=arguments.name))
