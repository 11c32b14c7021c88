"""Counts over a project's clusters, and the lists of what is not well in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.caller import Access
from rookery.control.clusters.state import report_age_max_ms
from rookery.control.clusters.store import ClusterRow
from rookery.control.monitoring.store import IntegrationRow
from rookery.storage.database import Database

KINDS = ("rule", "connector", "action", "source")
NAMED_MAX = 100
"""So many clusters are named one by one, of those that are not counted."""


@dataclass(slots=True)
class Overview:
    """Counts of a project.

    Attributes:
        clusters: How many it has,
        counted: and of how many the figures are known and fresh.
        connections: Sessions, connected or not.
        live_connections: Clients that are connected.
        counts: Of each kind how many have which status.
        not_counted: Clusters whose figures are old or unknown: id, name, state.
        not_read: Kinds that could not be read: cluster's id and name, kind, reason.
        left_out: Objects not well beyond what reports name one by one.
    """

    clusters: int = 0
    counted: int = 0
    connections: int = 0
    live_connections: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    not_counted: list[tuple[str, str, str]] = field(default_factory=list)
    not_read: list[tuple[str, str, str, str]] = field(default_factory=list)
    left_out: int = 0

    def add(self, cluster: Any, now_ms: int) -> None:
        """Count one cluster in; ``cluster`` has the columns of :data:`COLUMNS`."""
        self.clusters += 1
        if not is_fresh(cluster, now_ms):
            if len(self.not_counted) < NAMED_MAX:
                self.not_counted.append((cluster.id, cluster.name, cluster.state))
            return
        self.counted += 1
        self.live_connections += cluster.connections or 0
        self.connections += cluster.connections_total or cluster.connections or 0
        told: Mapping[str, Any] = cluster.integrations
        self.left_out += told.get("leftOut", 0)
        for kind, by_status in told.get("counts", {}).items():
            into = self.counts.setdefault(kind, {})
            for status, number in by_status.items():
                into[status] = into.get(status, 0) + number
        for kind, reason in told.get("errors", {}).items():
            if len(self.not_read) < NAMED_MAX:
                self.not_read.append((cluster.id, cluster.name, kind, reason))


COLUMNS = (
    ClusterRow.id,
    ClusterRow.name,
    ClusterRow.state,
    ClusterRow.connections,
    ClusterRow.connections_total,
    ClusterRow.integrations,
    ClusterRow.errors,
    ClusterRow.reported_at,
    ClusterRow.report_interval_ms,
)


def is_fresh(cluster: Any, now_ms: int) -> bool:
    """Whether what is known of a cluster holds at the moment."""
    if cluster.reported_at is None or "cluster_fetch_error" in cluster.errors:
        return False
    return bool(now_ms - cluster.reported_at < report_age_max_ms(cluster.report_interval_ms))


@dataclass(frozen=True, slots=True)
class Troubled:
    """An object that is not well, with its cluster."""

    row: IntegrationRow
    cluster_name: str
    is_stale: bool


@dataclass(frozen=True, slots=True)
class WantedTroubled:
    """Which of them.

    Attributes:
        kinds: Of these kinds; empty: of all.
        clusters: Of these clusters; empty: of all of the project.
        search: What name, id, reason or the cluster's name holds.
        sort: ``cluster``, ``name``, ``status`` or ``since``.
        is_descending: Whether the largest comes first.
        offset: Rows to leave out.
        size: Rows at most.
    """

    kinds: Sequence[str] = ()
    clusters: Sequence[str] = ()
    search: str = ""
    sort: str = "cluster"
    is_descending: bool = False
    offset: int = 0
    size: int = 30


_SORTS = {
    "cluster": ClusterRow.name,
    "name": IntegrationRow.object_id,
    "status": IntegrationRow.status,
    "since": IntegrationRow.since,
}


class Overviews:
    """Answers what runs in a project."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of_project(self, access: Access, clusters: Sequence[str] = ()) -> Overview:
        """Counts of all its clusters, or of these."""
        conditions: list[ColumnElement[bool]] = [ClusterRow.project_id == access.project]
        if clusters:
            conditions.append(ClusterRow.id.in_(clusters))
        async with self._database.read() as session:
            now_ms = await self._now(session)
            found = await session.execute(
                select(*COLUMNS).where(*conditions).order_by(ClusterRow.name)
            )
            overview = Overview()
            for cluster in found:
                overview.add(cluster, now_ms)
        return overview

    async def troubled(
        self, access: Access, wanted: WantedTroubled
    ) -> tuple[Sequence[Troubled], int]:
        """A page of what is not well, and how much there is."""
        query = (
            select(IntegrationRow, ClusterRow)
            .join(ClusterRow, ClusterRow.id == IntegrationRow.cluster_id)
            .where(*_conditions(access, wanted))
        )
        column = _SORTS[wanted.sort]
        order = column.desc() if wanted.is_descending else column.asc()
        async with self._database.read() as session:
            now_ms = await self._now(session)
            total = await session.scalar(select(func.count()).select_from(query.subquery()))
            rows = await session.execute(
                query.order_by(
                    order, ClusterRow.name, IntegrationRow.kind, IntegrationRow.object_id
                )
                .offset(wanted.offset)
                .limit(wanted.size)
            )
            found = [
                Troubled(row, cluster.name, not is_fresh(cluster, now_ms)) for row, cluster in rows
            ]
        return found, total or 0

    async def _now(self, session: AsyncSession) -> int:
        return await self._database.now_ms(session, self._clock.now_ms())


def _conditions(access: Access, wanted: WantedTroubled) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [ClusterRow.project_id == access.project]
    if wanted.kinds:
        found.append(IntegrationRow.kind.in_(wanted.kinds))
    if wanted.clusters:
        found.append(IntegrationRow.cluster_id.in_(wanted.clusters))
    if wanted.search:
        columns = (
            IntegrationRow.object_id,
            IntegrationRow.name,
            IntegrationRow.reason,
            ClusterRow.name,
        )
        found.append(or_(*(item.icontains(wanted.search, autoescape=True) for item in columns)))
    return found
