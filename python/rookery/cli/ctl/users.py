"""``rookery ctl users``: the users of the built-in database."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, all_pages, done, node_of, show
from rookery.cli.ctl.passwords import new_password
from rookery.cli.messages import say
from rookery.errors import BadRequestError

ADD_EXAMPLES = """\
  rookery ctl users add alice
  ROOKERY_PASSWORD=… rookery ctl users add alice --superuser
  rookery ctl users add sensor-1 --device
  rookery ctl users add alice --scram"""
CHANGE_EXAMPLES = """\
  rookery ctl users passwd alice
  rookery ctl users passwd sensor-1 --device"""
LIST_EXAMPLES = """\
  rookery ctl users list
  rookery ctl users list --like sensor"""
IMPORT_EXAMPLES = """\
  rookery ctl users import users.csv
  rookery ctl users import hashes.json --hashed"""
EXPORT_EXAMPLES = """\
  rookery ctl users export > users.json
  rookery ctl users export --format csv"""
PROVIDER = "password_based:built_in_database"
SCRAM = "scram:built_in_database"
COLUMNS = ("user_id", "is_superuser")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "users")
    add = add_verb(verbs, "users", "add", _add, examples=ADD_EXAMPLES)
    add.add_argument("user", metavar="NAME", help=say("option.user"))
    add.add_argument("--superuser", action="store_true", help=say("option.superuser"))
    add.add_argument("--device", action="store_true", help=say("option.device"))
    passwd = add_verb(verbs, "users", "passwd", _passwd, examples=CHANGE_EXAMPLES)
    passwd.add_argument("user", metavar="NAME", help=say("option.user"))
    passwd.add_argument("--device", action="store_true", help=say("option.device"))
    delete = add_verb(
        verbs, "users", "delete", _delete, examples="  rookery ctl users delete alice"
    )
    delete.add_argument("user", metavar="NAME", help=say("option.user"))
    listing = add_verb(verbs, "users", "list", _list, examples=LIST_EXAMPLES)
    listing.add_argument("--like", metavar="TEXT", default="", help=say("option.like"))
    _add_scram(add, passwd, delete, listing)
    taking = add_verb(verbs, "users", "import", _import, examples=IMPORT_EXAMPLES)
    taking.add_argument("file", metavar="FILE", type=Path, help=say("option.users.file"))
    taking.add_argument("--hashed", action="store_true", help=say("option.hashed"))
    giving = add_verb(verbs, "users", "export", _export, examples=EXPORT_EXAMPLES)
    giving.add_argument(
        "--format", choices=("json", "csv"), default="json", help=say("option.format")
    )


def _path(arguments: argparse.Namespace, *more: str) -> str:
    from rookery.client.management import path_of  # noqa: PLC0415

    is_scram = getattr(arguments, "scram", False)
    return path_of("api", "v5", "authentication", SCRAM if is_scram else PROVIDER, *more)


def _add_scram(*parsers: argparse.ArgumentParser) -> None:
    for parser in parsers:
        parser.add_argument("--scram", action="store_true", help=say("option.scram"))


def _add(arguments: argparse.Namespace) -> int:
    body: dict[str, Any] = {"user_id": arguments.user, "is_superuser": arguments.superuser}
    if not arguments.device:
        body["password"] = new_password()
    answer = node_of(arguments).post(_path(arguments, "users"), body)
    text = say("ctl.users.added", user=arguments.user)
    return _tell_secret(arguments, answer, text)


def _passwd(arguments: argparse.Namespace) -> int:
    body = {"generate": True} if arguments.device else {"password": new_password()}
    answer = node_of(arguments).put(_path(arguments, "users", arguments.user), body)
    return _tell_secret(arguments, answer, say("ctl.users.changed", user=arguments.user))


def _tell_secret(arguments: argparse.Namespace, answer: Any, text: str) -> int:
    code = done(arguments, answer, text)
    secret = answer.get("password")
    if secret is not None and not arguments.json:
        output.line(say("ctl.users.secret", secret=secret))
    return code


def _delete(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(_path(arguments, "users", arguments.user))
    return done(arguments, {}, say("ctl.users.deleted", user=arguments.user))


def _list(arguments: argparse.Namespace) -> int:
    path = _path(arguments, "users")
    return show(
        arguments, all_pages(node_of(arguments), path, like_user_id=arguments.like), COLUMNS
    )


def _import(arguments: argparse.Namespace) -> int:
    from rookery.client.management import Content  # noqa: PLC0415

    try:
        content = arguments.file.read_bytes()
    except OSError as error:
        raise BadRequestError(f"{arguments.file}: {error.strerror or error}") from None
    kind = "hash" if arguments.hashed else "plain"
    form = "application/json" if arguments.file.suffix == ".json" else "text/csv"
    path = f"{_path(arguments, 'import_users')}?type={kind}&report=true"
    answer = node_of(arguments).post(path, Content(content, form))
    return done(arguments, answer, say("ctl.users.imported", **answer))


def _export(arguments: argparse.Namespace) -> int:
    text = node_of(arguments).get(f"{_path(arguments, 'export_users')}?format={arguments.format}")
    sys.stdout.write(text if isinstance(text, str) else "")
    return output.OK
