"""The table of what happened to clusters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base

KIND_LENGTH_MAX = 32
SUBJECT_LENGTH_MAX = 256
KEPT_MS = 90 * 86_400_000
KEPT_MAX = 1_000
"""Of one cluster."""
CLUSTERS_AT_ONCE = 200


class EventRow(Base):
    """Something that happened.

    Attributes:
        kind: What, a word of :class:`rookery.control.history.events.Kind`.
        subject: To what of the cluster: a condition, a node; empty: to itself.
        details: What its text mentions.
    """

    __tablename__ = "cluster_events"
    __table_args__ = (Index("ix_cluster_events_cluster_id_at", "cluster_id", "at"),)

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    cluster_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE")
    )
    at: Mapped[int]
    kind: Mapped[str] = mapped_column(String(KIND_LENGTH_MAX))
    subject: Mapped[str] = mapped_column(String(SUBJECT_LENGTH_MAX))
    details: Mapped[dict[str, Any]]


async def drop_old(session: AsyncSession, before_ms: int) -> None:
    """Forget what is too old."""
    await session.execute(delete(EventRow).where(EventRow.at < before_ms))


async def drop_surplus(session: AsyncSession) -> None:
    """Of clusters of which there is too much, the newest stay."""
    full = await session.scalars(
        select(EventRow.cluster_id)
        .group_by(EventRow.cluster_id)
        .having(func.count() > KEPT_MAX)
        .limit(CLUSTERS_AT_ONCE)
    )
    for cluster_id in full.all():
        oldest_kept = await session.scalar(
            select(EventRow.at)
            .where(EventRow.cluster_id == cluster_id)
            .order_by(EventRow.at.desc())
            .offset(KEPT_MAX - 1)
            .limit(1)
        )
        await session.execute(
            delete(EventRow).where(EventRow.cluster_id == cluster_id, EventRow.at < oldest_kept)
        )
