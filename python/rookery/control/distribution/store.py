"""Tables of templates and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base

NAME_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 1000
DELIVERIES_KEPT = 200
"""Of a project; older ones that are over are forgotten."""


class DeliveryState(StrEnum):
    """Of a delivery."""

    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


OPEN = (DeliveryState.RUNNING, DeliveryState.STOPPING)


class TargetState(StrEnum):
    """Of one edge service in a delivery."""

    WAITING = "waiting"
    """Its wave has not begun."""
    RUNNING = "running"
    """Its wave has; it may be away."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    """It could not be reached until its wave was over."""
    SKIPPED = "skipped"


UNDONE = (TargetState.WAITING, TargetState.RUNNING)
BAD = (TargetState.FAILED, TargetState.EXPIRED)


class TemplateRow(Base):
    """A template of a project."""

    __tablename__ = "edge_templates"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    org_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    project_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE")
    )
    name: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    description: Mapped[str] = mapped_column(String(TEXT_LENGTH_MAX))
    newest: Mapped[int]
    created_at: Mapped[int]
    changed_at: Mapped[int]


class VersionRow(Base):
    """One version of a template; never changed.

    ``sealed`` has the content and the parameters as they were given: both may hold passwords of devices.
    ``parameters`` is what may be shown of them.
    """

    __tablename__ = "edge_template_versions"

    template_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("edge_templates.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    parameters: Mapped[list[Any]]
    note: Mapped[str] = mapped_column(String(TEXT_LENGTH_MAX))
    created_at: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(254))


class DeliveryRow(Base):
    """A version of a template on its way to edge services, or on its way back."""

    __tablename__ = "edge_deliveries"
    __table_args__ = (Index("ix_edge_deliveries_project_id", "project_id"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    project_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE")
    )
    template_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("edge_templates.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    rollback_of: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    state: Mapped[str] = mapped_column(String(16), index=True)
    wave_size: Mapped[int]
    failures_max: Mapped[int | None]
    """So many failures in a wave end it; none: it goes on whatever happens."""
    deadline_s: Mapped[int]
    """Of each wave: how long an edge service that is away is waited for."""
    wave: Mapped[int]
    """The one that began last; 0: none has."""
    wave_at: Mapped[int | None]
    created_at: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(254))
    ended_at: Mapped[int | None]
    claimed_by: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    claimed_until: Mapped[int]
    """The process that is at it; after that another takes it up."""


class TargetRow(Base):
    """One edge service of a delivery. The values of its parameters are sealed."""

    __tablename__ = "edge_delivery_targets"

    delivery_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("edge_deliveries.id", ondelete="CASCADE"), primary_key=True
    )
    service_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    service_name: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    wave: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(String(TEXT_LENGTH_MAX))
    message_zh: Mapped[str] = mapped_column(String(TEXT_LENGTH_MAX))
    sealed: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[int | None]


class DesiredRow(Base):
    """What an edge service is to have of a template: what it reports is held against it."""

    __tablename__ = "edge_desired"

    template_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("edge_templates.id", ondelete="CASCADE"), primary_key=True
    )
    service_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("edge_services.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int]
    delivery_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    delivered_at: Mapped[int]


async def targets_of(session: AsyncSession, delivery_id: str) -> Sequence[TargetRow]:
    """Wave by wave."""
    query = select(TargetRow).where(TargetRow.delivery_id == delivery_id)
    return (await session.scalars(query.order_by(TargetRow.wave, TargetRow.service_name))).all()


async def counts_of(
    session: AsyncSession, delivery_ids: Sequence[str]
) -> dict[str, dict[str, int]]:
    """How many targets of each are in which state."""
    found: dict[str, dict[str, int]] = {}
    rows = await session.execute(
        select(TargetRow.delivery_id, TargetRow.state, func.count())
        .where(TargetRow.delivery_id.in_(delivery_ids))
        .group_by(TargetRow.delivery_id, TargetRow.state)
    )
    for delivery_id, state, count in rows:
        found.setdefault(delivery_id, {})[state] = count
    return found


async def open_of(session: AsyncSession, project_id: str) -> Sequence[DeliveryRow]:
    """Those of a project that are under way."""
    query = select(DeliveryRow).where(
        DeliveryRow.project_id == project_id, DeliveryRow.state.in_(OPEN)
    )
    return (await session.scalars(query)).all()


async def forget_old(session: AsyncSession, project_id: str) -> None:
    """Keep the newest deliveries of a project."""
    kept = (
        select(DeliveryRow.id)
        .where(DeliveryRow.project_id == project_id)
        .order_by(DeliveryRow.created_at.desc(), DeliveryRow.id)
        .limit(DELIVERIES_KEPT)
    )
    ids = (await session.scalars(kept)).all()
    await session.execute(
        delete(DeliveryRow).where(
            DeliveryRow.project_id == project_id,
            DeliveryRow.id.not_in(ids),
            DeliveryRow.state.not_in(OPEN),
        )
    )
