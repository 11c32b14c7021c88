"""Puts the tags of a workbook into a driver: all of them or, where something is wrong, none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rookery.edge.model import Group, Snapshot, Tag
from rookery.edge.transfer.workbook import DEFAULT_INTERVAL_MS, RowsRead

if TYPE_CHECKING:
    from collections.abc import Mapping


def with_rows(now: Snapshot, driver: str, rows: RowsRead) -> Snapshot:
    """The configuration with those tags: groups are made, tags of the same name replaced, nothing goes away."""
    groups = {group.name: group for group in now.groups.get(driver, ())}
    for name, tags in rows.groups.items():
        there = groups.get(name)
        interval_ms = rows.intervals.get(
            name, there.interval_ms if there is not None else DEFAULT_INTERVAL_MS
        )
        kept: Mapping[str, Tag] = there.tags if there is not None else {}
        groups[name] = Group(name=name, interval_ms=interval_ms, tags={**kept, **tags})
    return replace(now, groups={**now.groups, driver: tuple(groups.values())})
