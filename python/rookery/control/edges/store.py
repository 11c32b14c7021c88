"""Tables of edge services and their agents, and what is asked of them one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.clusters.store import (
    DESCRIPTION_LENGTH_MAX,
    LABEL_LENGTH_MAX,
    NAME_LENGTH_MAX,
)
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


async def service_of_agent(session: AsyncSession, agent_id: str) -> EdgeServiceRow | None:
    """What an agent was adopted as."""
    found: EdgeServiceRow | None = await session.scalar(
        select(EdgeServiceRow).where(EdgeServiceRow.agent_id == agent_id)
    )
    return found


async def service_of(
    session: AsyncSession, project_id: str, service_id: str
) -> EdgeServiceRow | None:
    """A service, if it is one of that project."""
    found = await session.get(EdgeServiceRow, service_id)
    return found if found is not None and found.project_id == project_id else None


async def is_name_taken(
    session: AsyncSession, project_id: str, name: str, *, but: str = ""
) -> bool:
    """Whether another service of the project is called so."""
    found = await session.scalar(
        select(EdgeServiceRow.id).where(
            EdgeServiceRow.project_id == project_id,
            EdgeServiceRow.name == name,
            EdgeServiceRow.id != but,
        )
    )
    return found is not None


async def count_services(session: AsyncSession, project_id: str) -> int:
    """How many a project has."""
    query = select(func.count()).select_from(EdgeServiceRow)
    return await session.scalar(query.where(EdgeServiceRow.project_id == project_id)) or 0


async def has_services(session: AsyncSession, project_id: str) -> bool:
    """Whether a project has any."""
    return await count_services(session, project_id) > 0


async def labels_of(session: AsyncSession, service_ids: Sequence[str]) -> dict[str, list[str]]:
    """The labels of each, in order."""
    found: dict[str, list[str]] = {}
    rows = await session.execute(
        select(EdgeServiceLabelRow.service_id, EdgeServiceLabelRow.label)
        .where(EdgeServiceLabelRow.service_id.in_(service_ids))
        .order_by(EdgeServiceLabelRow.label)
    )
    for service_id, label in rows:
        found.setdefault(service_id, []).append(label)
    return found


async def put_labels(session: AsyncSession, service_id: str, labels: Sequence[str]) -> None:
    """Give a service these labels and no others."""
    await session.execute(
        delete(EdgeServiceLabelRow).where(EdgeServiceLabelRow.service_id == service_id)
    )
    session.add_all(EdgeServiceLabelRow(service_id=service_id, label=label) for label in labels)


async def services_with(
    session: AsyncSession, project_id: str, labels: Sequence[str]
) -> Sequence[EdgeServiceRow]:
    """Services of a project that have all of these labels, by name."""
    query = select(EdgeServiceRow).where(EdgeServiceRow.project_id == project_id)
    for label in labels:
        labelled = select(EdgeServiceLabelRow.service_id).where(EdgeServiceLabelRow.label == label)
        query = query.where(EdgeServiceRow.id.in_(labelled))
    return (await session.scalars(query.order_by(EdgeServiceRow.name))).all()
