"""How answers are shown: tables for people, JSON for programs, long lists as they come."""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.messages import say

if TYPE_CHECKING:
    from rookery.client.http_client import NodeClient

PAGE_ROWS = 10_000
# What is shown at once; the first rows stand there while the node looks for the next.
STREAMED_ROWS = 1_000

# Members whose moments come as text from one list and as milliseconds from another.
MOMENTS = frozenset({"publish_at", "last_update_time", "created_at", "last_modified_at"})

Row = Mapping[str, Any]


def show(arguments: argparse.Namespace, rows: Sequence[Row], columns: Sequence[str]) -> int:
    """A table with these keys as columns, or all of it as JSON."""
    if arguments.json:
        output.show_json(rows)
        return output.OK
    if not rows:
        output.line(say("ctl.none"))
        return output.OK
    output.show_table([_head(columns), *(_cells(row, columns) for row in rows)])
    return output.OK


def show_members(arguments: argparse.Namespace, value: Mapping[str, Any]) -> int:
    """One thing: a line for each member under the name that it has in the REST interface."""
    if arguments.json:
        output.show_json(value)
        return output.OK
    lines = list(_flat(value))
    width = max((len(name) for name, _ in lines), default=0)
    for name, shown in lines:
        output.line(f"{name:<{width}}  {shown}")
    return output.OK


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Names and texts; what is inside another has its name too, as in the configuration."""
    for name, member in value.items():
        if isinstance(member, Mapping) and member:
            yield from _flat(member, f"{before}{name}.")
        elif isinstance(member, list) and member and isinstance(member[0], Mapping):
            for number, item in enumerate(member, start=1):
                yield from _flat(item, f"{before}{name}.{number}.")
        else:
            yield f"{before}{name}", _member(name, member)


def stream(
    arguments: argparse.Namespace, found: Iterable[Sequence[Row]], columns: Sequence[str]
) -> int:
    """Pages of a list that may be long, each shown when it comes."""
    count, widths = 0, list[int]()
    for rows in found:
        if arguments.json:
            _show_json_rows(rows, is_first=count == 0)
        elif rows:
            # What comes later may be wider: a column grows, it never shrinks.
            head = [_head(columns)] if count == 0 else []
            table = [*head, *(_cells(row, columns) for row in rows)]
            widths = output.show_table(table, widths)
        count += len(rows)
        _tell_progress(count)
    if arguments.json:
        output.line("\n]" if count else "[]")
    elif count == 0:
        output.line(say("ctl.none"))
    return output.OK


def _show_json_rows(rows: Sequence[Row], *, is_first: bool) -> None:
    for row in rows:
        written = json.dumps(row, indent=2, ensure_ascii=False).replace("\n", "\n  ")
        output.text(("[\n  " if is_first else ",\n  ") + written)
        is_first = False


def _tell_progress(count: int) -> None:
    """How far it is, for whoever waits at a terminal while the rows go into a file."""
    if count > STREAMED_ROWS and sys.stderr.isatty() and not sys.stdout.isatty():
        output.complain(say("ctl.progress", count=count))


def pages(
    node: NodeClient, path: str, limit: int | None = None, **query: object
) -> Iterator[list[dict[str, Any]]]:
    """The pages of a list, or of its first ``limit`` rows."""
    rows = STREAMED_ROWS if limit is None else min(limit, STREAMED_ROWS)
    left = limit
    for page in itertools.count(1):
        answer = node.get(_asked(path, {**query, "page": page, "limit": rows}))
        found: list[dict[str, Any]] = answer["data"][:left]
        yield found
        left = None if left is None else left - len(found)
        if left == 0 or not answer["meta"]["hasnext"]:
            return


def _asked(path: str, query: Mapping[str, object]) -> str:
    from urllib.parse import urlencode  # noqa: PLC0415

    asked = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(asked)}"


def all_pages(node: NodeClient, path: str, **query: object) -> list[dict[str, Any]]:
    """Every row of a list that comes in pages."""
    rows: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = node.get(_asked(path, {**query, "page": page, "limit": PAGE_ROWS}))
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


def _head(columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(say(f"column.{name}") for name in columns)


def _cells(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(_member(name, row.get(name)) for name in columns)


def _member(name: str, value: Any) -> str:
    return _moment(value) if name in MOMENTS and isinstance(value, int) else cell(value)


def _moment(ms: int) -> str:
    """Milliseconds since 1970 as the other moments are written."""
    moment = datetime.datetime.fromtimestamp(ms / 1000).astimezone()
    return moment.isoformat(timespec="milliseconds")


def cell(value: Any) -> str:
    """A value on one line."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return say("ctl.yes" if value else "ctl.no")
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else "-"
    if isinstance(value, list):
        return ", ".join(map(cell, value)) or "-"
    # A name may hold a line break or worse: it does not write on somebody's terminal.
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))
