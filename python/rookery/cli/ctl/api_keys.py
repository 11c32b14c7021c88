"""``rookery ctl api_keys``: keys with which programs use the REST interface."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, done, node_of, show
from rookery.cli.messages import say

ADD_EXAMPLES = """\
  rookery ctl api_keys add monitoring --role viewer
  rookery ctl api_keys add ingest --role publisher --expires 2027-01-31T08:00:00Z"""
ROLES = ("administrator", "viewer", "publisher")
COLUMNS = ("name", "api_key", "role", "enable", "expired_at", "desc")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "api_keys")
    add = add_verb(verbs, "api_keys", "add", _add, examples=ADD_EXAMPLES)
    add.add_argument("name", metavar="NAME", help=say("option.key.name"))
    add.add_argument("--role", choices=ROLES, default="administrator", help=say("option.key.role"))
    add.add_argument(
        "--expires", metavar="TIME", default="infinity", help=say("option.key.expires")
    )
    add.add_argument(
        "--description", metavar="TEXT", default="", help=say("option.admin.description")
    )
    add_verb(verbs, "api_keys", "list", _list, examples="  rookery ctl api_keys list")
    for verb, run in (
        ("show", _show),
        ("enable", _enable),
        ("disable", _disable),
        ("del", _delete),
    ):
        example = f"  rookery ctl api_keys {verb} monitoring"
        parser = add_verb(verbs, "api_keys", verb, run, examples=example)
        parser.add_argument("name", metavar="NAME", help=say("option.key.name"))


def _path(*more: str) -> str:
    from rookery.client.management import path_of  # noqa: PLC0415

    return path_of("api", "v5", "api_key", *more)


def _add(arguments: argparse.Namespace) -> int:
    body = {
        "name": arguments.name,
        "role": arguments.role,
        "expired_at": arguments.expires,
        "desc": arguments.description,
    }
    made = node_of(arguments).post(_path(), body)
    code = done(arguments, made, say("ctl.api_keys.key", name=made["api_key"]))
    if not arguments.json:
        output.line(say("ctl.api_keys.secret", secret=made["api_secret"]))
    return code


def _list(arguments: argparse.Namespace) -> int:
    return show(arguments, node_of(arguments).get(_path()), COLUMNS)


def _show(arguments: argparse.Namespace) -> int:
    return show(arguments, [node_of(arguments).get(_path(arguments.name))], COLUMNS)


def _enable(arguments: argparse.Namespace) -> int:
    answer = node_of(arguments).put(_path(arguments.name), {"enable": True})
    return done(arguments, answer, say("ctl.api_keys.enabled", name=arguments.name))


def _disable(arguments: argparse.Namespace) -> int:
    answer = node_of(arguments).put(_path(arguments.name), {"enable": False})
    return done(arguments, answer, say("ctl.api_keys.disabled", name=arguments.name))


def _delete(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(_path(arguments.name))
    return done(arguments, {}, say("ctl.api_keys.deleted", name=arguments.name))
