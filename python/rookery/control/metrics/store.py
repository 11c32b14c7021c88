"""The tables of figures, and what is asked of them.

One row is what one cluster counted in one span of time, packed: a thousand clusters write some
seventy rows a second, in the transaction that their reports are written in anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base

Row = tuple[str, int, bytes]
"""Cluster, time, packed figures."""


class MetricRow(Base):
    """What a cluster counted from ``at`` on, for the time of its tier."""

    __tablename__ = "cluster_metrics"
    __table_args__ = (
        Index("ix_cluster_metrics_tier_at", "tier", "at"),
        {"sqlite_with_rowid": False},
    )

    cluster_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE"), primary_key=True
    )
    tier: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    at: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class MetricMarkRow(Base):
    """Up to when a tier was rolled up from the one before."""

    __tablename__ = "metric_marks"

    tier: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    rolled_until: Mapped[int]


async def put(session: AsyncSession, tier: int, rows: Sequence[Row]) -> None:
    """Write rows; one of the same cluster and time is replaced."""
    if not rows:
        return
    values = [
        {"cluster_id": cluster_id, "tier": tier, "at": at_ms, "data": data}
        for cluster_id, at_ms, data in rows
    ]
    await session.execute(
        _upsert(session, MetricRow.__table__, ("cluster_id", "tier", "at")), values
    )


async def rows_between(
    session: AsyncSession,
    tier: int,
    from_ms: int,
    to_ms: int,
    cluster_id: str | None = None,
    *,
    after: tuple[str, int] | None = None,
    limit: int | None = None,
) -> Sequence[Row]:
    """Rows of one cluster, or of all, in the order of clusters and times."""
    query = (
        select(MetricRow.cluster_id, MetricRow.at, MetricRow.data)
        .where(MetricRow.tier == tier, MetricRow.at >= from_ms, MetricRow.at < to_ms)
        .order_by(MetricRow.cluster_id, MetricRow.at)
    )
    if cluster_id is not None:
        query = query.where(MetricRow.cluster_id == cluster_id)
    if after is not None:
        query = query.where(MetricRow.cluster_id > after[0])
    found = await session.execute(query.limit(limit))
    return [(row.cluster_id, row.at, row.data) for row in found]


async def first_at(session: AsyncSession, tier: int, from_ms: int) -> int | None:
    """When the first row of any cluster from then on is."""
    found: int | None = await session.scalar(
        select(func.min(MetricRow.at)).where(MetricRow.tier == tier, MetricRow.at >= from_ms)
    )
    return found


async def drop_before(session: AsyncSession, tier: int, before_ms: int) -> None:
    """Forget what is older."""
    await session.execute(delete(MetricRow).where(MetricRow.tier == tier, MetricRow.at < before_ms))


async def marks(session: AsyncSession) -> dict[int, int]:
    """Up to when each tier is rolled up."""
    found = await session.execute(select(MetricMarkRow.tier, MetricMarkRow.rolled_until))
    return {row.tier: row.rolled_until for row in found}


async def put_mark(session: AsyncSession, tier: int, rolled_until_ms: int) -> None:
    """A tier is rolled up to then."""
    value = {"tier": tier, "rolled_until": rolled_until_ms}
    await session.execute(_upsert(session, MetricMarkRow.__table__, ("tier",)), [value])


def _upsert(session: AsyncSession, table: Any, key: Sequence[str]) -> Any:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert: Any = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    rest: Mapping[str, Any] = {
        column.name: insert.excluded[column.name]
        for column in table.columns
        if column.name not in key
    }
    return insert.on_conflict_do_update(index_elements=list(key), set_=rest)
