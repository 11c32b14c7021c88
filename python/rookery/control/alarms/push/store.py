"""Tables of pushes: to whom, what waits, what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.alarms.store import MESSAGE_LENGTH_MAX
from rookery.storage.base import ID_LENGTH, Base

NAME_LENGTH_MAX = 50


class Medium(StrEnum):
    """By which way."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class Event(StrEnum):
    """Of what people are told."""

    FIRED = "fired"
    RESOLVED = "resolved"
    STORM = "storm"
    TEST = "test"


class State(StrEnum):
    """What became of a message."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class ChannelRow(Base):
    """A push configuration: who is told by mail, and which webhook is called."""

    __tablename__ = "alarm_channels"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    project_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE")
    )
    name: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    is_enabled: Mapped[bool]
    language: Mapped[str] = mapped_column(String(8))
    pushes_clusters: Mapped[bool]
    labels: Mapped[list[Any]]
    recipients: Mapped[list[Any]]
    webhook_kind: Mapped[str] = mapped_column(String(16))
    webhook_url: Mapped[str] = mapped_column(Text)
    webhook_host: Mapped[str] = mapped_column(String(300))
    webhook_headers: Mapped[str] = mapped_column(Text)
    webhook_header_names: Mapped[list[Any]]
    webhook_secret: Mapped[str] = mapped_column(Text)
    webhook_template: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int]


class LaneRow(Base):
    """One way of one channel: one process at a time sends there, and not too often."""

    __tablename__ = "alarm_lanes"

    channel_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("alarm_channels.id", ondelete="CASCADE"), primary_key=True
    )
    medium: Mapped[str] = mapped_column(String(16), primary_key=True)
    quiet_until: Mapped[int]
    claimed_by: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    claimed_until: Mapped[int]


class DeliveryRow(Base):
    """A message: one that waits, or what became of it."""

    __tablename__ = "alarm_deliveries"
    __table_args__ = (
        Index("ix_alarm_deliveries_state_due_at", "state", "due_at"),
        Index("ix_alarm_deliveries_project_id_created_at", "project_id", "created_at"),
        Index("ix_alarm_deliveries_channel_id", "channel_id"),
        Index("ix_alarm_deliveries_alarm_id", "alarm_id"),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    project_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE")
    )
    channel_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    channel_name: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    medium: Mapped[str] = mapped_column(String(16))
    event: Mapped[str] = mapped_column(String(16))
    alarm_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    order: Mapped[int]
    """Counts up within a lane: what happened first is told first."""
    content: Mapped[dict[str, Any]]
    created_at: Mapped[int]
    due_at: Mapped[int]
    attempts: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    finished_at: Mapped[int | None]
    status: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(MESSAGE_LENGTH_MAX))
    reason_zh: Mapped[str] = mapped_column(String(MESSAGE_LENGTH_MAX))
    duration_ms: Mapped[int | None]
