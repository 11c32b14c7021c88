"""What every ``rookery ctl`` command does: declare verbs, ask the node, show rows."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.messages import language, say
from rookery.cli.parsers import Run, add_command, add_json, add_place

if TYPE_CHECKING:
    from rookery.client.management import ManagementClient

# Reading certificates, hashing an imported file and restarting a listener take their time.
TIMEOUT_S = 60.0
PAGE_ROWS = 10_000


def add_noun(nouns: Any, name: str) -> Any:
    """Declare a noun; its verbs go into what is returned."""
    parser = add_command(nouns, name, f"help.ctl.{name}", None)
    parser.set_defaults(parser=parser)
    return parser.add_subparsers(metavar="VERB")


def add_verb(
    verbs: Any, noun: str, name: str, run: Run, *, examples: str
) -> argparse.ArgumentParser:
    """Declare a verb with the options that all have."""
    parser = add_command(verbs, name, f"help.ctl.{noun}.{name}", run, examples=examples)
    add_place(parser)
    add_json(parser)
    return parser


def node_of(arguments: argparse.Namespace) -> ManagementClient:
    """The node that the arguments mean."""
    from rookery.client.management import ManagementClient  # noqa: PLC0415
    from rookery.config.load import data_dir_of  # noqa: PLC0415

    data_dir = data_dir_of(arguments.data_dir, arguments.config)
    return ManagementClient(data_dir, timeout_s=TIMEOUT_S, language=language())


def show(
    arguments: argparse.Namespace, rows: Sequence[dict[str, Any]], columns: Sequence[str]
) -> int:
    """A table with these keys as columns, or all of it as JSON."""
    if arguments.json:
        output.show_json(rows)
        return output.OK
    if not rows:
        output.line(say("ctl.none"))
        return output.OK
    head = tuple(say(f"column.{name}") for name in columns)
    output.show_table([head, *(tuple(_cell(row.get(name)) for name in columns) for row in rows)])
    return output.OK


def all_pages(node: ManagementClient, path: str, **query: str) -> list[dict[str, Any]]:
    """Every row of a list that comes in pages."""
    from urllib.parse import urlencode  # noqa: PLC0415

    rows: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = node.get(f"{path}?{urlencode({**query, 'page': page, 'limit': PAGE_ROWS})}")
        rows += answer["data"]
        if not answer["meta"]["hasnext"]:
            return rows
        page += 1


def done(arguments: argparse.Namespace, value: Any, text: str) -> int:
    """Say that it was done, or what the node answered as JSON."""
    if arguments.json:
        output.show_json(value)
    else:
        output.line(text)
    return output.OK


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return say("ctl.yes" if value else "ctl.no")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value)
