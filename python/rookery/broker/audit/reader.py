"""Finds entries of the audit log again, the latest first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from rookery.broker.audit.log import AuditLog

BLOCK_BYTES = 1 << 16


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


def at_ms(entry: dict[str, Any]) -> int:
    """When that was."""
    try:
        return round(datetime.fromisoformat(entry["at"]).timestamp() * 1000)
    except (KeyError, TypeError, ValueError):
        return 0


def _entries(log: AuditLog) -> Iterator[dict[str, Any]]:
    for file in log.files():
        for line in _lines_backwards(file):
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut off by a crash
            if isinstance(entry, dict):
                yield entry


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
