"""The tables of figures, and what is asked of them.

One row is what one cluster, or one edge service, counted in one span of time, packed: a thousand of them write some
seventy rows a second, in the transaction that their reports are written in anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base

Row = tuple[str, int, bytes]
"""Whose, time, packed figures."""


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


class EdgeMetricRow(Base):
    """What an edge service counted; likewise."""

    __tablename__ = "edge_metrics"
    __table_args__ = (
        Index("ix_edge_metrics_tier_at", "tier", "at"),
        {"sqlite_with_rowid": False},
    )

    service_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("edge_services.id", ondelete="CASCADE"), primary_key=True
    )
    tier: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    at: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class MetricMarkRow(Base):
    """Up to when a tier was rolled up from the one before; see :attr:`Shelf.first_mark`."""

    __tablename__ = "metric_marks"

    tier: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    rolled_until: Mapped[int]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where figures of one sort of things are.

    Attributes:
        rows: Their table.
        owner: The column that says whose a row is.
        first_mark: The mark of the finest tier; those of the others follow.
    """

    rows: type[MetricRow | EdgeMetricRow]
    owner: InstrumentedAttribute[str]
    first_mark: int


OF_CLUSTERS = Shelf(MetricRow, MetricRow.cluster_id, 0)
OF_EDGES = Shelf(EdgeMetricRow, EdgeMetricRow.service_id, 10)


async def put(session: AsyncSession, shelf: Shelf, tier: int, rows: Sequence[Row]) -> None:
    """Write rows; one of the same owner and time is replaced."""
    if not rows:
        return
    owner = shelf.owner.key
    values = [
        {owner: owner_id, "tier": tier, "at": at_ms, "data": data} for owner_id, at_ms, data in rows
    ]
    await session.execute(_upsert(session, shelf.rows.__table__, (owner, "tier", "at")), values)


async def rows_between(
    session: AsyncSession,
    shelf: Shelf,
    tier: int,
    from_ms: int,
    to_ms: int,
    owner_id: str | None = None,
    *,
    after: tuple[str, int] | None = None,
    limit: int | None = None,
) -> Sequence[Row]:
    """Rows of one owner, or of all, in the order of owners and times."""
    kept, owner = shelf.rows, shelf.owner
    query = (
        select(owner, kept.at, kept.data)
        .where(kept.tier == tier, kept.at >= from_ms, kept.at < to_ms)
        .order_by(owner, kept.at)
    )
    if owner_id is not None:
        query = query.where(owner == owner_id)
    if after is not None:
        query = query.where(owner > after[0])
    found = await session.execute(query.limit(limit))
    return [(found_id, at_ms, data) for found_id, at_ms, data in found]


async def first_at(session: AsyncSession, shelf: Shelf, tier: int, from_ms: int) -> int | None:
    """When the first row of anybody from then on is."""
    kept = shelf.rows
    found: int | None = await session.scalar(
        select(func.min(kept.at)).where(kept.tier == tier, kept.at >= from_ms)
    )
    return found


async def drop_before(session: AsyncSession, shelf: Shelf, tier: int, before_ms: int) -> None:
    """Forget what is older."""
    kept = shelf.rows
    await session.execute(delete(kept).where(kept.tier == tier, kept.at < before_ms))


async def marks(session: AsyncSession, shelf: Shelf) -> dict[int, int]:
    """Up to when each tier is rolled up."""
    found = await session.execute(select(MetricMarkRow.tier, MetricMarkRow.rolled_until))
    return {row.tier - shelf.first_mark: row.rolled_until for row in found}


async def put_mark(session: AsyncSession, shelf: Shelf, tier: int, rolled_until_ms: int) -> None:
    """A tier is rolled up to then."""
    value = {"tier": shelf.first_mark + tier, "rolled_until": rolled_until_ms}
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
