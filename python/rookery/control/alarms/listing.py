"""Lists of alarms: filtered, sorted and cut by the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from rookery.control.alarms.store import AlarmRow
from rookery.control.rest.lists import Window

SORTS: Mapping[str, InstrumentedAttribute[Any]] = {
    "startsAt": AlarmRow.starts_at,
    "endsAt": AlarmRow.ends_at,
    "severity": AlarmRow.severity,
    "kind": AlarmRow.kind,
    "resourceName": AlarmRow.resource_name,
}


@dataclass(frozen=True, slots=True)
class AlarmQuery:
    """Which alarms.

    Attributes:
        is_current: Those that go on, else those that are over.
        search: What message or resource holds.
        severity: Only of that.
        kind: Only of that.
        resource_id: Only about that.
        assignee_id: Only those of that user.
        is_acknowledged: Only those that somebody saw, or nobody.
        since_ms: Only those that began then or later.
        until_ms: Only those that began before.
    """

    is_current: bool
    search: str = ""
    severity: str | None = None
    kind: str | None = None
    resource_id: str | None = None
    assignee_id: str | None = None
    is_acknowledged: bool | None = None
    since_ms: int | None = None
    until_ms: int | None = None


async def list_alarms(
    session: AsyncSession, project_id: str, query: AlarmQuery, window: Window, sort: str
) -> tuple[Sequence[AlarmRow], int]:
    """A part of the list, and how many rows the whole has."""
    conditions = _conditions(project_id, query)
    total = await session.scalar(select(func.count()).select_from(AlarmRow).where(*conditions))
    column = SORTS[sort]
    order = column.desc() if window.order == "desc" else column.asc()
    rows = await session.scalars(
        select(AlarmRow)
        .where(*conditions)
        .order_by(order, AlarmRow.id)
        .offset(window.offset)
        .limit(window.size)
    )
    return rows.all(), total or 0


def _conditions(project_id: str, query: AlarmQuery) -> list[ColumnElement[bool]]:
    ended = AlarmRow.ends_at.is_(None) if query.is_current else AlarmRow.ends_at.is_not(None)
    found = [AlarmRow.project_id == project_id, ended]
    if query.search:
        columns = (AlarmRow.message, AlarmRow.message_zh, AlarmRow.resource_name)
        found.append(or_(*(each.icontains(query.search, autoescape=True) for each in columns)))
    for column, wanted in (
        (AlarmRow.severity, query.severity),
        (AlarmRow.kind, query.kind),
        (AlarmRow.resource_id, query.resource_id),
        (AlarmRow.assignee_id, query.assignee_id),
    ):
        if wanted is not None:
            found.append(column == wanted)
    if query.is_acknowledged is not None:
        seen = AlarmRow.acknowledged_at
        found.append(seen.is_not(None) if query.is_acknowledged else seen.is_(None))
    if query.since_ms is not None:
        found.append(AlarmRow.starts_at >= query.since_ms)
    if query.until_ms is not None:
        found.append(AlarmRow.starts_at < query.until_ms)
    return found
