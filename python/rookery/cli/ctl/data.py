"""``rookery ctl data``: everything that was set up on the node in one file, and back again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, api, done, is_local, node_of, show
from rookery.cli.messages import say
from rookery.errors import BadRequestError

EXPORT_EXAMPLES = """\
  rookery ctl data export
  rookery ctl data export --without-retained --json"""
IMPORT_EXAMPLES = """\
  rookery ctl data import rookery-export-2026-11-23-19-13-19.043.tar.gz
  rookery ctl data import /media/backup/rookery-export-2026-11-23-19-13-19.043.tar.gz"""
FILES = "/api/v5/data/files"
COLUMNS = ("filename", "created_at", "size")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "data")
    giving = add_verb(verbs, "data", "export", _export, examples=EXPORT_EXAMPLES)
    giving.add_argument(
        "--without-retained", action="store_true", help=say("option.data.without-retained")
    )
    taking = add_verb(verbs, "data", "import", _import, examples=IMPORT_EXAMPLES)
    taking.add_argument("file", metavar="FILE", help=say("option.data.file"))
    add_verb(verbs, "data", "list", _list, examples="  rookery ctl data list")
    delete = add_verb(
        verbs, "data", "delete", _delete, examples="  rookery ctl data delete old.tar.gz"
    )
    delete.add_argument("file", metavar="FILE", help=say("option.data.name"))


def _export(arguments: argparse.Namespace) -> int:
    from rookery.config.load import data_dir_of  # noqa: PLC0415

    made = node_of(arguments).post(
        api("data", "export", retained="false" if arguments.without_retained else None)
    )
    made["path"] = made["filename"]
    if is_local(arguments):
        folder = data_dir_of(arguments.data_dir, arguments.config) / "backup"
        made["path"] = str(folder / made["filename"])
    return done(arguments, made, say("ctl.data.exported", path=made["path"]))


def _import(arguments: argparse.Namespace) -> int:
    """A file of this machine is taken to the node first, unless the node has it already."""
    node = node_of(arguments)
    path = Path(arguments.file)
    name = path.name
    known = {row["filename"] for row in node.get(f"{FILES}?limit=10000")["data"]}
    if path.is_file():
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BadRequestError(f"{path}: {error.strerror or error}") from None
        node.upload(FILES, "filename", name, content)
    elif arguments.file not in known:
        raise BadRequestError(say("ctl.data.nofile", file=arguments.file))
    node.post("/api/v5/data/import", {"filename": name})
    return done(arguments, {"filename": name}, say("ctl.data.imported", file=name))


def _list(arguments: argparse.Namespace) -> int:
    return show(arguments, node_of(arguments).get(f"{FILES}?limit=10000")["data"], COLUMNS)


def _delete(arguments: argparse.Namespace) -> int:
    from rookery.client.management import path_of  # noqa: PLC0415

    node_of(arguments).delete(FILES + path_of(arguments.file))
    return done(arguments, {}, say("ctl.data.deleted", file=arguments.file))
