"""Lets go of logs in PostgreSQL: whole days, and within a day what is a project's.

A day is a table. One that all projects have to let go of is dropped; else it is written anew without those
who have too much, because what is deleted in a table leaves it as large as it was. **Bound.** That takes the
room of one day beside what there is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.clusters.store import ClusterRow
from rookery.control.logs.models import Retention
from rookery.control.logs.retaining import Held, too_much
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control.logs")

LOCK = "log parts"
NOBODY = ""
"""Whose the logs of clusters are that are gone."""
_PART = re.compile(r"log_records_(\d{8})")


class Days:
    """The days that there are. Lives on one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._weights: dict[str, Mapping[str, int]] = {}
        """What clusters have of the days that are over: nothing is added to those."""

    async def sweep(self, oldest_day: str, retention: Retention) -> None:
        """Let go of what is too old or too much, of the project that has most first."""
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            sizes = await sizes_of_days(session)
            for day in sorted(sizes):
                if day < oldest_day:
                    await _drop(session, day, sizes.pop(day))
        self._weights = {day: self._weights[day] for day in self._weights.keys() & sizes.keys()}
        bounds = [retention.bytes_max, retention.project_bytes_max]
        if sum(sizes.values()) <= min(bound for bound in bounds if bound is not None):
            return
        projects = await self._projects()
        held = await self._held(sizes, projects)
        gone = too_much(held, oldest_day, retention)
        for day in sorted({piece.day for piece in gone}):
            leaving = {piece.project_id for piece in gone if piece.day == day}
            staying = {piece.project_id for piece in held if piece.day == day} - leaving
            await self._let_go(day, sizes[day], leaving if staying else None, projects)

    async def _projects(self) -> Mapping[str, str]:
        async with self._database.read() as session:
            rows = await session.execute(select(ClusterRow.id, ClusterRow.project_id))
            return {row[0]: row[1] for row in rows}

    async def _held(self, sizes: Mapping[str, int], projects: Mapping[str, str]) -> list[Held]:
        """What each project has of each day: its part of what the day takes."""
        found = []
        for day, size in sizes.items():
            weights = await self._weights_of(day, is_over=day != max(sizes))
            total = sum(weights.values()) or 1
            theirs: dict[str, int] = {}
            for cluster, weight in weights.items():
                project = projects.get(cluster, NOBODY)
                theirs[project] = theirs.get(project, 0) + size * weight // total
            found += [Held(int(day), name, day, octets) for name, octets in theirs.items()]
        return found

    async def _weights_of(self, day: str, *, is_over: bool) -> Mapping[str, int]:
        if day in self._weights:
            return self._weights[day]
        query = text(
            "SELECT cluster_id, sum(pg_column_size(raw) + pg_column_size(msg) + "  # noqa: S608
            f"pg_column_size(terms)) FROM log_records_{day} GROUP BY cluster_id"
        )
        async with self._database.read() as session:
            weights = {row[0]: int(row[1]) for row in await session.execute(query)}
        if is_over:
            self._weights[day] = weights
        return weights

    async def _let_go(
        self, day: str, size: int, leaving: set[str] | None, projects: Mapping[str, str]
    ) -> None:
        """Of a day; ``leaving``: whose logs go, none: everybody's."""
        weights = self._weights.pop(day, {})
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            if day not in await sizes_of_days(session):
                return
            if leaving is None:
                await _drop(session, day, size)
                return
            gone = {one for one in weights if projects.get(one, NOBODY) in leaving}
            await _write_anew(session, day, sorted(gone))
        for project in sorted(leaving):
            _log.info("logs of %s of project %s are gone", day, project or "?")


async def _drop(session: AsyncSession, day: str, size: int) -> None:
    await session.execute(text(f"DROP TABLE log_records_{day}"))
    _log.info("logs of %s are gone: %d bytes", day, size)


async def _write_anew(session: AsyncSession, day: str, gone: list[str]) -> None:
    """Without some clusters. Others read meanwhile; who would write there waits."""
    old, new = f"log_records_{day}", f"log_rewritten_{day}"
    await session.execute(text(f"LOCK TABLE {old} IN SHARE ROW EXCLUSIVE MODE"))
    await session.execute(text(f"CREATE TABLE {new} (LIKE {old} INCLUDING ALL)"))
    await session.execute(
        text(f"INSERT INTO {new} SELECT * FROM {old} WHERE cluster_id <> ALL(:gone)"),  # noqa: S608
        {"gone": gone},
    )
    await session.execute(text(f"DROP TABLE {old}"))
    await session.execute(text(f"ALTER TABLE {new} RENAME TO {old}"))
    await session.execute(
        text(f"ALTER TABLE log_records ATTACH PARTITION {old} FOR VALUES IN ({int(day)})")
    )


async def sizes_of_days(session: AsyncSession) -> dict[str, int]:
    """Octets of each."""
    rows = await session.execute(
        text(
            "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_inherits i "
            "JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = CAST('log_records' AS regclass)"
        )
    )
    found = ((_PART.fullmatch(name), size) for name, size in rows)
    return {match[1]: size for match, size in found if match is not None}
