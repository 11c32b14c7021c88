"""The rules, connectors, actions and sources that are in no normal state.

The others are counted with their cluster (``ClusterRow.integrations``): a project may have thousands.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKey, String, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base

ID_LENGTH_MAX = 300
NAME_LENGTH_MAX = 256
REASON_LENGTH_MAX = 300


class IntegrationRow(Base):
    """One of them. Of one cluster there are as many as a report may tell of."""

    __tablename__ = "integrations"

    cluster_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    object_id: Mapped[str] = mapped_column(String(ID_LENGTH_MAX), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    type: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(32))
    # Not of what somebody switched off.
    is_abnormal: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(REASON_LENGTH_MAX))
    # In no normal state since then, and as it is here since then.
    since: Mapped[int]
    seen_at: Mapped[int]


async def integrations_of(
    session: AsyncSession, cluster_ids: Sequence[str]
) -> Sequence[IntegrationRow]:
    """Those of these clusters."""
    found = await session.scalars(
        select(IntegrationRow).where(IntegrationRow.cluster_id.in_(cluster_ids))
    )
    return found.all()


async def forget_integrations(session: AsyncSession, cluster_ids: Sequence[str]) -> None:
    """Nothing is known of them any more."""
    await session.execute(delete(IntegrationRow).where(IntegrationRow.cluster_id.in_(cluster_ids)))
