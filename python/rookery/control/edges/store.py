"""Tables of edge services and their agents, and what is asked of them one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.clusters.store import (
    DESCRIPTION_LENGTH_MAX,
    LABEL_LENGTH_MAX,
    NAME_LENGTH_MAX,
)
from rookery.control.tenancy.belongings import Belongings
from rookery.storage.base import ID_LENGTH, Base

AGENT_ID_LENGTH = 24


class EdgeAgentRow(Base):
    """An edge service that dialed in, whoever it belongs to."""

    __tablename__ = "edge_agents"

    id: Mapped[str] = mapped_column(String(AGENT_ID_LENGTH), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    register_id: Mapped[str] = mapped_column(String(64))
    description: Mapped[str] = mapped_column(String(256))
    host_name: Mapped[str] = mapped_column(String(256))
    version: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), index=True)
    reason: Mapped[str] = mapped_column(String(500))
    """Why it was rejected or removed."""
    desired_version: Mapped[int]
    enrolled_at: Mapped[int]
    removed_at: Mapped[int | None]
    left_at: Mapped[int | None]
    """Since when it is gone of its own accord."""

    presence: Mapped[str] = mapped_column(String(16))
    presence_at: Mapped[int | None]
    relay_process: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    reported_at: Mapped[int | None]

    # What its last report says.
    boot_id: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[int | None]
    restarted_at: Mapped[int | None]
    """When it was first heard after a restart."""
    drivers_total: Mapped[int]
    drivers_running: Mapped[int]
    drivers_abnormal: Mapped[int]
    apps_total: Mapped[int]
    apps_running: Mapped[int]
    apps_abnormal: Mapped[int]
    tags: Mapped[int]
    nodes: Mapped[list[Any]]
    nodes_left_out: Mapped[int]
    figures: Mapped[dict[str, Any]]
    clock_skew_ms: Mapped[int]
    deliveries: Mapped[list[Any] | None]
    """What was delivered to it, in its own words; none: it is of a version that takes none."""


class EdgeServiceRow(Base):
    """An edge service of a project."""

    __tablename__ = "edge_services"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        Index("ix_edge_services_org_id", "org_id"),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    org_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("organizations.id"))
    project_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    description: Mapped[str] = mapped_column(String(DESCRIPTION_LENGTH_MAX))
    mode: Mapped[str] = mapped_column(String(16))
    agent_id: Mapped[str | None] = mapped_column(
        String(AGENT_ID_LENGTH), ForeignKey("edge_agents.id"), unique=True
    )
    created_at: Mapped[int]


class EdgeServiceLabelRow(Base):
    """A word that somebody put on an edge service."""

    __tablename__ = "edge_service_labels"

    service_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("edge_services.id", ondelete="CASCADE"), primary_key=True
    )
    label: Mapped[str] = mapped_column(String(LABEL_LENGTH_MAX), primary_key=True, index=True)


def new_agent(agent_id: str, secret_hash: str, now_ms: int) -> EdgeAgentRow:
    """One of which nothing is known but its name; it waits."""
    return EdgeAgentRow(
        id=agent_id,
        secret_hash=secret_hash,
        register_id="",
        description="",
        host_name="",
        version="",
        address="",
        state="pending",
        reason="",
        desired_version=1,
        enrolled_at=now_ms,
        presence="unknown",
        boot_id="",
        drivers_total=0,
        drivers_running=0,
        drivers_abnormal=0,
        apps_total=0,
        apps_running=0,
        apps_abnormal=0,
        tags=0,
        nodes=[],
        nodes_left_out=0,
        figures={},
        clock_skew_ms=0,
    )


async def service_of_agent(session: AsyncSession, agent_id: str) -> EdgeServiceRow | None:
    """What an agent was adopted as."""
    found: EdgeServiceRow | None = await session.scalar(
        select(EdgeServiceRow).where(EdgeServiceRow.agent_id == agent_id)
    )
    return found


EDGES = Belongings(EdgeServiceRow, EdgeServiceLabelRow, "service_id")
service_of = EDGES.one
is_name_taken = EDGES.is_name_taken
count_services = EDGES.count
has_services = EDGES.are_there
labels_of = EDGES.labels_of
put_labels = EDGES.put_labels


async def services_with(
    session: AsyncSession, project_id: str, labels: Sequence[str]
) -> Sequence[EdgeServiceRow]:
    """Services of a project that have all of these labels, by name."""
    query = select(EdgeServiceRow).where(
        EdgeServiceRow.project_id == project_id, *EDGES.with_labels(labels)
    )
    return (await session.scalars(query.order_by(EdgeServiceRow.name))).all()
