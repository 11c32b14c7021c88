"""The limits of all clusters that a caller may see, filtered by the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.clusters.store import ClusterRow
from rookery.control.quota.store import HOLDS_NOW, QuotaRow
from rookery.control.rest.lists import Window, like, page
from rookery.control.tenancy.grants import Reach
from rookery.control.tenancy.store import Organization, Project


async def limits(
    session: AsyncSession, reach: Reach, window: Window, sort: str, search: str
) -> tuple[list[Any], int]:
    """Clusters that have an agent: each with its quota, its organization and its project."""
    query: Select[*tuple[Any, ...]] = (
        select(ClusterRow.id, ClusterRow, QuotaRow, Organization.name, Project.name)
        .outerjoin(QuotaRow, HOLDS_NOW)
        .join(Organization, Organization.id == ClusterRow.org_id)
        .join(Project, Project.id == ClusterRow.project_id)
        .where(ClusterRow.registered_at.is_not(None))
    )
    if not reach.everywhere:
        query = query.where(
            or_(
                false(),
                ClusterRow.org_id.in_(sorted(reach.orgs)),
                ClusterRow.project_id.in_(sorted(reach.projects)),
            )
        )
    if search:
        query = query.where(or_(like(ClusterRow.name, search), like(Project.name, search)))
    columns = {
        "name": ClusterRow.name,
        "limit": QuotaRow.limit,
        "connections": ClusterRow.connections,
    }
    return await page(session, query, window, sort, columns)
