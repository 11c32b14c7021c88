"""Tables of clusters, and what is asked of them one at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.tenancy.belongings import Belongings
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


CLUSTERS = Belongings(ClusterRow, ClusterLabelRow, "cluster_id")
cluster_of = CLUSTERS.one
is_name_taken = CLUSTERS.is_name_taken
count_clusters = CLUSTERS.count
has_clusters = CLUSTERS.are_there
labels_of = CLUSTERS.labels_of
put_labels = CLUSTERS.put_labels
