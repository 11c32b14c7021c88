"""Finds entries of the audit log again, the latest first or in another order."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from rookery.broker.audit.log import AuditLog

BLOCK_BYTES = 1 << 16

Place: TypeAlias = tuple[bool, int | str]
"""Where an entry stands: one without a value, which is false, before all others."""


class Found(NamedTuple):
    """A part of the entries that were looked for."""

    entries: list[dict[str, Any]]
    is_more: bool


def find(log: AuditLog, wanted: Callable[[dict[str, Any]], bool], start: int, limit: int) -> Found:
    """Entries that are wanted, without the first ``start``. Reads files: not for the event loop."""
    entries: list[dict[str, Any]] = []
    skipped = 0
    for entry in _entries(log):
        if not wanted(entry):
            continue
        if skipped < start:
            skipped += 1
        elif len(entries) < limit:
            entries.append(entry)
        else:
            return Found(entries, is_more=True)
    return Found(entries, is_more=False)


def find_sorted(
    log: AuditLog,
    wanted: Callable[[dict[str, Any]], bool],
    place: Callable[[dict[str, Any]], Place],
    start: int,
    limit: int,
    *,
    is_descending: bool,
) -> Found:
    """The same in the order of their places; those at the same one the latest first.

    Reads all that there is. What stands on no page up to this one is not kept, and what is kept is
    kept as it was written: never more than the files have.
    """
    lines = (
        (place(entry), line) for line in _lines(log) if (entry := _entry(line)) and wanted(entry)
    )
    first = heapq.nlargest if is_descending else heapq.nsmallest
    kept = first(start + limit + 1, lines, key=lambda row: row[0])
    page = [entry for _, line in kept[start : start + limit] if (entry := _entry(line))]
    return Found(page, is_more=len(kept) > start + limit)


def at_ms(entry: dict[str, Any]) -> int:
    """When that was."""
    try:
        return round(datetime.fromisoformat(entry["at"]).timestamp() * 1000)
    except (KeyError, TypeError, ValueError):
        return 0


def _entries(log: AuditLog) -> Iterator[dict[str, Any]]:
    return (entry for line in _lines(log) if (entry := _entry(line)))


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None  # cut off by a crash
    return entry if isinstance(entry, dict) else None


def _lines(log: AuditLog) -> Iterator[bytes]:
    for file in log.files():
        yield from _lines_backwards(file)


def _lines_backwards(path: Path) -> Iterator[bytes]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # it was put aside meanwhile
    with file:
        left, rest = file.seek(0, 2), b""
        while left > 0:
            size = min(BLOCK_BYTES, left)
            left -= size
            file.seek(left)
            rest, *lines = (file.read(size) + rest).split(b"\n")
            yield from (line for line in reversed(lines) if line)
        if rest:
            yield rest
