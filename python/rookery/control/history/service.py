"""Writes down what happens to clusters, in the transaction in which it happens."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.caller import Access
from rookery.control.clusters import store as cluster_store
from rookery.control.clusters.service import NO_SUCH_CLUSTER
from rookery.control.clusters.standing import Change
from rookery.control.errors import MissingError
from rookery.control.history import store
from rookery.control.history.events import events_of
from rookery.control.history.notes import add
from rookery.control.history.store import EventRow
from rookery.storage.database import Database


class History:
    """What happened to clusters."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, session: AsyncSession, changed: Sequence[Change]) -> None:
        """Write down what changes mean."""
        for change in changed:
            for event in events_of(change.before, change.row, change.now_ms):
                add(session, change.row.id, change.now_ms, event)

    async def sweep(self) -> None:
        """Forget what is too old or too much."""
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            await store.drop_old(session, now_ms - store.KEPT_MS)
            await store.drop_surplus(session)

    async def page(
        self, access: Access, cluster_id: str, kinds: Sequence[str], offset: int, size: int
    ) -> tuple[Sequence[EventRow], int]:
        """What happened to one cluster, the newest first, and how much that is.

        Raises:
            MissingError: there is no such cluster in the project.
        """
        async with self._database.read() as session:
            if await cluster_store.cluster_of(session, access.project, cluster_id) is None:
                raise MissingError(NO_SUCH_CLUSTER)
            conditions = [EventRow.cluster_id == cluster_id]
            if kinds:
                conditions.append(EventRow.kind.in_(kinds))
            total = await session.scalar(
                select(func.count()).select_from(EventRow).where(*conditions)
            )
            rows = await session.scalars(
                select(EventRow)
                .where(*conditions)
                .order_by(EventRow.at.desc(), EventRow.id.desc())
                .offset(offset)
                .limit(size)
            )
            return rows.all(), total or 0
