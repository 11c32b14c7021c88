"""Finds the row of a key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rookery.config.importing.model import Row


class Match(NamedTuple):
    """A row and what its ``$names`` stand for."""

    row: Row
    names: Mapping[str, str]

    def path(self) -> tuple[str, ...]:
        """Where in the new file, names filled in."""
        return tuple(
            self.names[part] if part.startswith("$") else part for part in self.row.new.split(".")
        )


class Matcher:
    """Rows in their order: the first that fits decides."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_first: dict[str, list[tuple[Row, list[str]]]] = {}
        for row in rows:
            parts = row.old.split(".")
            self._by_first.setdefault(parts[0], []).append((row, parts))

    def find(self, key: str) -> Match | None:
        parts = key.split(".")
        for row, pattern in self._by_first.get(parts[0], ()):
            names = _fits(pattern, parts)
            if names is not None:
                return Match(row, names)
        return None


def _fits(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    is_open = pattern[-1] == "*"
    fixed = pattern[:-1] if is_open else pattern
    if len(parts) < len(fixed) or (len(parts) > len(fixed) and not is_open):
        return None
    names: dict[str, str] = {}
    for wanted, part in zip(fixed, parts, strict=False):
        if wanted.startswith("$"):
            names[wanted] = part
        elif wanted != part:
            return None
    return names
