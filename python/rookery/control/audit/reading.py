"""Reads the audit: what a caller may see of it, decided by the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.audit.store import AuditRow
from rookery.control.rest.lists import like
from rookery.control.tenancy.grants import Grants
from rookery.control.tenancy.permissions import Level, Resource
from rookery.storage.database import Database

EXPORT_ROWS_MAX = 100_000
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which rows; none: no matter what."""

    since_ms: int | None = None
    until_ms: int | None = None
    operator: str | None = None
    resource: str | None = None
    operation: str | None = None
    result: str | None = None
    org_id: str | None = None
    project_id: str | None = None
    object: str | None = None


def _conditions(grants: Grants, wanted: AuditFilter) -> list[ColumnElement[bool]]:
    reach = grants.reach(Resource.AUDIT, Level.VIEW)
    found: list[ColumnElement[bool]] = []
    if not reach.everywhere:
        found.append(or_(AuditRow.org_id.in_(reach.orgs), AuditRow.project_id.in_(reach.projects)))
    if wanted.since_ms is not None:
        found.append(AuditRow.at >= wanted.since_ms)
    if wanted.until_ms is not None:
        found.append(AuditRow.at <= wanted.until_ms)
    if wanted.operator:
        found.append(like(AuditRow.operator_name, wanted.operator))
    if wanted.object:
        found.append(like(AuditRow.object_name, wanted.object))
    for column, value in (
        (AuditRow.resource, wanted.resource),
        (AuditRow.operation, wanted.operation),
        (AuditRow.result, wanted.result),
        (AuditRow.org_id, wanted.org_id),
        (AuditRow.project_id, wanted.project_id),
    ):
        if value is not None:
            found.append(column == value)
    return found


def made_in(org_id: str, resource: Resource) -> Select[str]:
    """The ids of what was ever made of a kind in an organization: rows of the audit stay."""
    return select(AuditRow.object_id).where(
        AuditRow.org_id == org_id,
        AuditRow.resource == resource,
        AuditRow.operation == "create",
    )


async def page_of(
    session: AsyncSession, grants: Grants, wanted: AuditFilter, offset: int, size: int, order: str
) -> tuple[list[AuditRow], int]:
    """Some of the rows by their time, and how many there are."""
    conditions = _conditions(grants, wanted)
    total = await session.scalar(select(func.count()).select_from(AuditRow).where(*conditions))
    by = AuditRow.id.asc() if order == "asc" else AuditRow.id.desc()
    rows = await session.scalars(
        select(AuditRow).where(*conditions).order_by(by).offset(offset).limit(size)
    )
    return list(rows), total or 0


async def all_of(
    database: Database, grants: Grants, wanted: AuditFilter
) -> AsyncIterator[list[Any]]:
    """All rows, the newest first, in batches; at most :data:`EXPORT_ROWS_MAX`."""
    conditions = _conditions(grants, wanted)
    before: int | None = None
    for _ in range(EXPORT_ROWS_MAX // _BATCH):
        query = select(AuditRow).where(*conditions).order_by(AuditRow.id.desc()).limit(_BATCH)
        if before is not None:
            query = query.where(AuditRow.id < before)
        async with database.read() as session:
            rows = list(await session.scalars(query))
        if rows:
            yield rows
        if len(rows) < _BATCH:
            return
        before = rows[-1].id
