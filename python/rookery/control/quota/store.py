"""The table of quotas, and what is asked of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, ForeignKey, String, and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.clusters.store import ClusterRow
from rookery.control.quota.rules import HELD, Hold
from rookery.storage.base import ID_LENGTH, Base

TEXT_LENGTH_MAX = 1024


class QuotaRow(Base):
    """What limit a cluster has by control's will. None of a cluster: nobody has decided yet.

    It holds for the agent that the cluster has: one with another number of ``vacancies`` than the
    cluster's was for an agent that was let go.
    """

    __tablename__ = "quotas"

    cluster_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE"), primary_key=True
    )
    vacancies: Mapped[int]
    limit: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(16))
    command_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    code: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(String(TEXT_LENGTH_MAX))
    asserted_at: Mapped[int]
    changed_at: Mapped[int]
    changed_by: Mapped[str] = mapped_column(String(254))


HOLDS_NOW = and_(QuotaRow.cluster_id == ClusterRow.id, QuotaRow.vacancies == ClusterRow.vacancies)
"""A row that is of the agent which the cluster has."""


async def quota_of(session: AsyncSession, row: ClusterRow) -> QuotaRow | None:
    """What is decided for a cluster."""
    found = await session.get(QuotaRow, row.id)
    return found if found is not None and found.vacancies == row.vacancies else None


async def used(session: AsyncSession, *, but: str = "") -> int:
    """What is given out, to all clusters but that one."""
    found = await session.scalar(
        select(func.sum(QuotaRow.limit))
        .join(ClusterRow, HOLDS_NOW)
        .where(QuotaRow.cluster_id != but)
    )
    return int(found or 0)


async def largest(session: AsyncSession) -> int:
    """The largest limit that a cluster has."""
    found = await session.scalar(select(func.max(QuotaRow.limit)).join(ClusterRow, HOLDS_NOW))
    return int(found or 0)


async def to_look_at(
    session: AsyncSession, cluster_ids: Collection[str]
) -> Sequence[tuple[ClusterRow, QuotaRow | None]]:
    """Of these clusters those whose last report may mean something for their limit."""
    found = await session.execute(_TO_LOOK_AT, {"ids": list(cluster_ids)})
    return [(cluster, quota) for cluster, quota in found]


def _of_consequence() -> ColumnElement[bool]:
    is_held = QuotaRow.state.in_([str(hold) for hold in sorted(HELD)])
    is_otherwise = or_(
        ClusterRow.limit_setting.is_(None),
        ClusterRow.limit_setting != QuotaRow.limit,
        QuotaRow.state != str(Hold.IN_FORCE),
        ClusterRow.is_limit_settable.is_(False),
    )
    is_permitted = and_(
        QuotaRow.state == str(Hold.NOT_PERMITTED), ClusterRow.is_limit_settable.is_(True)
    )
    # As long as nobody knows whether its limit can be set there is nothing to decide.
    is_undecided = and_(QuotaRow.cluster_id.is_(None), ClusterRow.is_limit_settable.is_not(None))
    return or_(is_undecided, and_(is_held, is_otherwise), is_permitted)


# Asked after each batch of reports, and made once.
_TO_LOOK_AT = (
    select(ClusterRow, QuotaRow)
    .outerjoin(QuotaRow, HOLDS_NOW)
    .where(
        ClusterRow.id.in_(bindparam("ids", expanding=True)),
        ClusterRow.adopted_at.is_not(None),
        ClusterRow.is_deleting.is_(False),
        _of_consequence(),
    )
)
