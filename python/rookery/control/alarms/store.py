"""Tables of alarms, and what several services ask of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.alarms.catalogue import DEFAULTS, KINDS, Kind, Rule, Severity
from rookery.control.alarms.windows import Repeat, Window
from rookery.storage.base import ID_LENGTH, Base

KEY_LENGTH_MAX = 128
MESSAGE_LENGTH_MAX = 1000
NAME_LENGTH_MAX = 200


class AlarmSettingsRow(Base):
    """What holds for the alarms of a project; without a row, the defaults."""

    __tablename__ = "alarm_settings"

    project_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    is_enabled: Mapped[bool]
    only_critical: Mapped[bool]
    tells_recovery: Mapped[bool]
    silence_ms: Mapped[int]
    silence_object: Mapped[str] = mapped_column(String(16))
    storm_alarms: Mapped[int]
    storm_ms: Mapped[int]
    storm_at: Mapped[int | None]
    history_days: Mapped[int]
    is_custom_enabled: Mapped[bool]
    custom_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    mail: Mapped[dict[str, Any]]
    mail_password: Mapped[str] = mapped_column(Text)


class AlarmRuleRow(Base):
    """A rule that was changed in a project."""

    __tablename__ = "alarm_rules"

    project_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    is_enabled: Mapped[bool]
    triggers: Mapped[int]
    recoveries: Mapped[int]
    severity: Mapped[str] = mapped_column(String(16))
    threshold: Mapped[int | None]


class AlarmCheckRow(Base):
    """What is remembered of something that is not well, between two looks at it."""

    __tablename__ = "alarm_checks"

    project_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(KEY_LENGTH_MAX), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    cluster_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), index=True)
    edge_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), index=True)
    bad: Mapped[int]
    good: Mapped[int]
    is_active: Mapped[bool]
    at: Mapped[int]


class AlarmRow(Base):
    """An alarm: current as long as ``ends_at`` is empty, history afterwards."""

    __tablename__ = "alarms"
    __table_args__ = (
        Index("ix_alarms_project_id_ends_at", "project_id", "ends_at"),
        Index("ix_alarms_project_id_starts_at", "project_id", "starts_at"),
        Index("ix_alarms_project_id_key", "project_id", "key"),
        Index("ix_alarms_push_due_at", "push_due_at"),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    project_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE")
    )
    key: Mapped[str] = mapped_column(String(KEY_LENGTH_MAX))
    kind: Mapped[str] = mapped_column(String(32))
    severity: Mapped[str] = mapped_column(String(16))
    resource_type: Mapped[str] = mapped_column(String(16))
    resource_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    resource_name: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    tag: Mapped[str] = mapped_column(String(64))
    message: Mapped[str] = mapped_column(String(MESSAGE_LENGTH_MAX))
    message_zh: Mapped[str] = mapped_column(String(MESSAGE_LENGTH_MAX))
    details: Mapped[dict[str, Any]]
    occurrences: Mapped[int]
    starts_at: Mapped[int]
    seen_at: Mapped[int]
    ends_at: Mapped[int | None]
    end_reason: Mapped[str] = mapped_column(String(16))
    ended_by: Mapped[str] = mapped_column(String(254))
    acknowledged_at: Mapped[int | None]
    acknowledged_by: Mapped[str] = mapped_column(String(254))
    assignee_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    assignee_name: Mapped[str] = mapped_column(String(254))
    pushed_at: Mapped[int | None]
    push_due_at: Mapped[int | None]


class AlarmCommentRow(Base):
    """What somebody said about an alarm."""

    __tablename__ = "alarm_comments"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    alarm_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("alarms.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[int]
    author: Mapped[str] = mapped_column(String(254))
    text: Mapped[str] = mapped_column(String(MESSAGE_LENGTH_MAX))


class AlarmWindowRow(Base):
    """A maintenance window."""

    __tablename__ = "alarm_windows"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    project_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE")
    )
    name: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    starts_at: Mapped[int]
    ends_at: Mapped[int]
    repeat: Mapped[str] = mapped_column(String(16))
    clusters: Mapped[list[Any]]
    created_by: Mapped[str] = mapped_column(String(254))


class AlarmSilenceRow(Base):
    """Until when nobody is told of something again."""

    __tablename__ = "alarm_silences"

    project_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(KEY_LENGTH_MAX), primary_key=True)
    until: Mapped[int] = mapped_column(index=True)


def rule_of(row: AlarmRuleRow) -> Rule:
    """What the row says."""
    return Rule(row.is_enabled, row.triggers, row.recoveries, Severity(row.severity), row.threshold)


def window_of(row: AlarmWindowRow) -> Window:
    """What the row says."""
    return Window(row.starts_at, row.ends_at, Repeat(row.repeat), tuple(row.clusters))


async def rules_of(
    session: AsyncSession, project_ids: Collection[str]
) -> dict[str, dict[Kind, Rule]]:
    """The rules that hold in each project."""
    found = {project_id: dict(DEFAULTS) for project_id in project_ids}
    rows = await session.scalars(
        select(AlarmRuleRow).where(AlarmRuleRow.project_id.in_(list(project_ids)))
    )
    for row in rows:
        # A later version may have stored a kind that this one does not know.
        if row.kind in KINDS:
            found[row.project_id][KINDS[row.kind]] = rule_of(row)
    return found


_LEAST_THRESHOLDS = select(AlarmRuleRow.kind, func.min(AlarmRuleRow.threshold)).group_by(
    AlarmRuleRow.kind
)


async def thresholds_min(
    session: AsyncSession, groups: Mapping[str, Collection[Kind]]
) -> dict[str, int]:
    """Of each group of rules the least threshold at which any cluster is looked at."""
    found = (await session.execute(_LEAST_THRESHOLDS)).all()
    set_to = {kind: least for kind, least in found if least is not None}
    return {
        name: min(
            min(DEFAULTS[kind].threshold or 100, set_to.get(str(kind), 100)) for kind in kinds
        )
        for name, kinds in groups.items()
    }


async def windows_of(session: AsyncSession, project_id: str) -> Sequence[Window]:
    """The maintenance windows of a project."""
    rows = await session.scalars(
        select(AlarmWindowRow).where(AlarmWindowRow.project_id == project_id)
    )
    return [window_of(row) for row in rows]


async def checks_of(
    session: AsyncSession, cluster_ids: Collection[str]
) -> dict[tuple[str, str], AlarmCheckRow]:
    """What is remembered of these clusters, by project and key."""
    rows = await session.scalars(
        select(AlarmCheckRow).where(AlarmCheckRow.cluster_id.in_(list(cluster_ids)))
    )
    return {(row.project_id, row.key): row for row in rows}


async def edge_checks_of(
    session: AsyncSession, edge_ids: Collection[str]
) -> dict[tuple[str, str], AlarmCheckRow]:
    """What is remembered of these edge services, by project and key."""
    rows = await session.scalars(
        select(AlarmCheckRow).where(AlarmCheckRow.edge_id.in_(list(edge_ids)))
    )
    return {(row.project_id, row.key): row for row in rows}


async def current_by_key(
    session: AsyncSession, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], AlarmRow]:
    """The current alarms of these, by project and key."""
    wanted = set(keys)
    if not wanted:
        return {}
    rows = await session.scalars(
        select(AlarmRow).where(
            AlarmRow.project_id.in_({project for project, _ in wanted}),
            AlarmRow.key.in_({key for _, key in wanted}),
            AlarmRow.ends_at.is_(None),
        )
    )
    found = {(row.project_id, row.key): row for row in rows}
    return {pair: row for pair, row in found.items() if pair in wanted}


async def count_since(session: AsyncSession, project_id: str, since_ms: int) -> int:
    """How many alarms a project had since then."""
    query = select(func.count()).select_from(AlarmRow)
    query = query.where(AlarmRow.project_id == project_id, AlarmRow.starts_at > since_ms)
    return await session.scalar(query) or 0


async def count_current(session: AsyncSession, project_id: str) -> int:
    """How many alarms of a project are current."""
    query = select(func.count()).select_from(AlarmRow)
    query = query.where(AlarmRow.project_id == project_id, AlarmRow.ends_at.is_(None))
    return await session.scalar(query) or 0
