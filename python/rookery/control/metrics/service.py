"""Figures of clusters, and of edge services, over time: taken from reports, in the transactions that keep those."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.caller import Access
from rookery.control.clusters import store as cluster_store
from rookery.control.clusters.service import NO_SUCH_CLUSTER
from rookery.control.clusters.standing import Change
from rookery.control.edges import store as edge_store
from rookery.control.edges.standing import Told
from rookery.control.edges.texts import NO_SUCH_SERVICE
from rookery.control.errors import MissingError
from rookery.control.metrics.keeping import FigureKeeping, Question
from rookery.control.metrics.series import edge_sample_of, sample_of
from rookery.control.metrics.store import OF_CLUSTERS, OF_EDGES
from rookery.control.metrics.tiers import Line, Plan
from rookery.storage.database import Database


class MetricService:
    """Figures of clusters."""

    def __init__(self, database: Database, clock: Clock, kept_ms: Sequence[int]) -> None:
        self._database = database
        self.keeping = FigureKeeping(database, clock, OF_CLUSTERS, kept_ms)

    async def take(self, session: AsyncSession, changed: Sequence[Change]) -> None:
        """Keep what reports counted."""
        await self.keeping.put(
            session,
            (
                (change.row.id, change.heard.reported_at_ms, sample_of(report))
                for change in changed
                if change.heard is not None
                and (report := change.heard.report) is not None
                and not report.cluster_fetch_error
            ),
        )

    async def ask(
        self, access: Access, cluster_id: str, question: Question
    ) -> tuple[Plan, Sequence[Line]]:
        """Figures of a cluster over time.

        Raises:
            MissingError: there is no such cluster in the project.
            InvalidError: it ends before it begins.
        """
        async with self._database.read() as session:
            row = await cluster_store.cluster_of(session, access.project, cluster_id)
            if row is None:
                raise MissingError(NO_SUCH_CLUSTER)
            return await self.keeping.ask(session, cluster_id, row.report_interval_ms, question)


class EdgeMetricService:
    """Figures of edge services."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        kept_ms: Sequence[int],
        *,
        report_interval_s: float,
    ) -> None:
        self._database = database
        self._interval_ms = round(report_interval_s * 1000)
        self.keeping = FigureKeeping(database, clock, OF_EDGES, kept_ms)

    async def take(self, session: AsyncSession, told: Collection[Told]) -> None:
        """Keep what reports counted."""
        await self.keeping.put(
            session, ((one.service_id, one.at_ms, edge_sample_of(one.report)) for one in told)
        )

    async def ask(
        self, access: Access, service_id: str, question: Question
    ) -> tuple[Plan, Sequence[Line]]:
        """Figures of an edge service over time.

        Raises:
            MissingError: there is no such edge service in the project.
            InvalidError: it ends before it begins.
        """
        async with self._database.read() as session:
            if await edge_store.service_of(session, access.project, service_id) is None:
                raise MissingError(NO_SUCH_SERVICE)
            return await self.keeping.ask(session, service_id, self._interval_ms, question)
