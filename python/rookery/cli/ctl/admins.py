"""``rookery ctl admins``: users of the dashboard."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, done, node_of, show
from rookery.cli.ctl.passwords import new_password
from rookery.cli.messages import say

ADD_EXAMPLES = """\
  rookery ctl admins add alice
  ROOKERY_PASSWORD=… rookery ctl admins add alice --role viewer --description operations"""
CHANGE_EXAMPLES = """\
  rookery ctl admins passwd admin"""
ROLES = ("administrator", "viewer")
COLUMNS = ("username", "role", "description")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "admins")
    add = add_verb(verbs, "admins", "add", _add, examples=ADD_EXAMPLES)
    add.add_argument("user", metavar="NAME", help=say("option.admin"))
    add.add_argument(
        "--role", choices=ROLES, default="administrator", help=say("option.admin.role")
    )
    add.add_argument(
        "--description", metavar="TEXT", default="", help=say("option.admin.description")
    )
    passwd = add_verb(verbs, "admins", "passwd", _passwd, examples=CHANGE_EXAMPLES)
    passwd.add_argument("user", metavar="NAME", help=say("option.admin"))
    delete = add_verb(verbs, "admins", "del", _delete, examples="  rookery ctl admins del alice")
    delete.add_argument("user", metavar="NAME", help=say("option.admin"))
    add_verb(verbs, "admins", "list", _list, examples="  rookery ctl admins list")


def _path(*more: str) -> str:
    from rookery.client.management import path_of  # noqa: PLC0415

    return path_of("api", "v5", "users", *more)


def _add(arguments: argparse.Namespace) -> int:
    body = {
        "username": arguments.user,
        "password": new_password(),
        "role": arguments.role,
        "description": arguments.description,
    }
    answer = node_of(arguments).post(_path(), body)
    return done(arguments, answer, say("ctl.admins.added", user=arguments.user))


def _passwd(arguments: argparse.Namespace) -> int:
    body = {"new_pwd": new_password()}
    node_of(arguments).post(_path(arguments.user, "change_pwd"), body)
    return done(arguments, {}, say("ctl.admins.changed", user=arguments.user))


def _delete(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(_path(arguments.user))
    return done(arguments, {}, say("ctl.admins.deleted", user=arguments.user))


def _list(arguments: argparse.Namespace) -> int:
    return show(arguments, node_of(arguments).get(_path()), COLUMNS)
