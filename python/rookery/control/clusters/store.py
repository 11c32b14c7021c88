"""Tables of clusters, and what is asked of them one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base

NAME_LENGTH_MAX = 200
ADDRESS_LENGTH_MAX = 512
DESCRIPTION_LENGTH_MAX = 500
LABEL_LENGTH_MAX = 64
LABELS_MAX = 20
VERSION_LENGTH_MAX = 64


class ClusterRow(Base):
    """An entry: a cluster that was adopted, or is to be."""

    __tablename__ = "clusters"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        Index("ix_clusters_org_id", "org_id"),
        Index("ix_clusters_check_at", "check_at"),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    org_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("organizations.id"))
    project_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    address: Mapped[str] = mapped_column(String(ADDRESS_LENGTH_MAX))
    description: Mapped[str] = mapped_column(String(DESCRIPTION_LENGTH_MAX))
    created_at: Mapped[int]

    # How it stands; written by the intake of reports and by who lets time pass.
    state: Mapped[str] = mapped_column(String(16))
    conditions: Mapped[list[Any]]
    check_at: Mapped[int | None]
    is_deleting: Mapped[bool]
    # How often its agent was let go: what was said for the one before holds no more.
    vacancies: Mapped[int] = mapped_column(server_default=text("0"))
    registered_at: Mapped[int | None]
    first_reported_at: Mapped[int | None]
    adopted_at: Mapped[int | None]
    presence: Mapped[str] = mapped_column(String(16))
    presence_at: Mapped[int | None]
    relay_process: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    reported_at: Mapped[int | None]
    report_interval_ms: Mapped[int]
    errors: Mapped[dict[str, Any]]
    clock_skew_ms: Mapped[int]
    round_trip_ms: Mapped[int | None]

    # What the last readable report says about the cluster.
    version: Mapped[str] = mapped_column(String(VERSION_LENGTH_MAX))
    edition: Mapped[str] = mapped_column(String(VERSION_LENGTH_MAX))
    nodes: Mapped[list[Any]]
    nodes_running: Mapped[int]
    nodes_total: Mapped[int]
    connections: Mapped[int | None]
    connections_total: Mapped[int | None]
    connection_limit: Mapped[int | None]
    memory_percent: Mapped[int | None]
    """Of the node whose memory is fullest."""
    load: Mapped[int | None]
    """Of one minute, of the node that has most of it."""
    limit_setting: Mapped[int | None]
    is_limit_settable: Mapped[bool | None]
    started_at: Mapped[int | None]
    rates: Mapped[dict[str, Any]]
    # Rules, connectors, actions, sources: how many of which status; those that are not well are rows.
    integrations: Mapped[dict[str, Any]]
    integrations_digest: Mapped[int]


class ClusterLabelRow(Base):
    """A word that somebody put on a cluster."""

    __tablename__ = "cluster_labels"

    cluster_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE"), primary_key=True
    )
    label: Mapped[str] = mapped_column(String(LABEL_LENGTH_MAX), primary_key=True, index=True)


async def cluster_of(session: AsyncSession, project_id: str, cluster_id: str) -> ClusterRow | None:
    """A cluster, if it is one of that project."""
    found = await session.get(ClusterRow, cluster_id)
    return found if found is not None and found.project_id == project_id else None


async def is_name_taken(
    session: AsyncSession, project_id: str, name: str, *, but: str = ""
) -> bool:
    """Whether another cluster of the project is called so."""
    found = await session.scalar(
        select(ClusterRow.id).where(
            ClusterRow.project_id == project_id, ClusterRow.name == name, ClusterRow.id != but
        )
    )
    return found is not None


async def count_clusters(session: AsyncSession, project_id: str) -> int:
    """How many a project has."""
    return (
        await session.scalar(
            select(func.count()).select_from(ClusterRow).where(ClusterRow.project_id == project_id)
        )
        or 0
    )


async def has_clusters(session: AsyncSession, project_id: str) -> bool:
    """Whether a project has any."""
    return await count_clusters(session, project_id) > 0


async def labels_of(session: AsyncSession, cluster_ids: Sequence[str]) -> dict[str, list[str]]:
    """The labels of each, in order."""
    found: dict[str, list[str]] = {}
    rows = await session.execute(
        select(ClusterLabelRow.cluster_id, ClusterLabelRow.label)
        .where(ClusterLabelRow.cluster_id.in_(cluster_ids))
        .order_by(ClusterLabelRow.label)
    )
    for cluster_id, label in rows:
        found.setdefault(cluster_id, []).append(label)
    return found


async def put_labels(session: AsyncSession, cluster_id: str, labels: Sequence[str]) -> None:
    """Give a cluster these labels and no others."""
    await session.execute(delete(ClusterLabelRow).where(ClusterLabelRow.cluster_id == cluster_id))
    session.add_all(ClusterLabelRow(cluster_id=cluster_id, label=label) for label in labels)
