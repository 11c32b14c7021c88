"""Lists of organizations and projects: what a caller may see of them, decided by the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.clusters.store import ClusterRow
from rookery.control.rest.lists import Window, like, page
from rookery.control.tenancy.grants import ADMIN, Grants
from rookery.control.tenancy.store import Member, Organization, Project


def visible_projects(grants: Grants) -> ColumnElement[bool]:
    """Those that the caller belongs to, by the project or by its organization."""
    if grants.is_admin:
        return true()
    orgs = [org_id for org_id, grant in grants.orgs.items() if grant.role == ADMIN]
    projects = [project for grant in grants.orgs.values() for project in grant.projects]
    return or_(false(), Project.org_id.in_(orgs), Project.id.in_(projects))


async def organizations(
    session: AsyncSession, grants: Grants, window: Window, sort: str, name: str | None
) -> tuple[list[Any], int]:
    """Rows of the table, each with how many of its projects the caller may see."""
    query = _organizations(grants)
    if not grants.is_admin:
        query = query.where(Organization.id.in_(list(grants.orgs)))
    if name:
        query = query.where(like(Organization.name, name))
    columns = {"name": Organization.name, "createdAt": Organization.created_at}
    return await page(session, query, window, sort, columns)


async def projects(
    session: AsyncSession,
    grants: Grants,
    window: Window,
    sort: str,
    name: str | None,
    org_id: str | None,
) -> tuple[list[Any], int]:
    """Rows of the table with the names of their organizations."""
    query = _projects().where(visible_projects(grants))
    if org_id is not None:
        query = query.where(Project.org_id == org_id)
    if name:
        query = query.where(like(Project.name, name))
    columns = {"name": Project.name, "createdAt": Project.created_at}
    return await page(session, query, window, sort, columns)


async def everything(
    session: AsyncSession, grants: Grants
) -> tuple[Sequence[Organization], Sequence[Project]]:
    """All that the caller may see, by name; there are bounds on how many there are."""
    orgs = select(Organization).order_by(Organization.name)
    if not grants.is_admin:
        orgs = orgs.where(Organization.id.in_(list(grants.orgs)))
    projects = select(Project).where(visible_projects(grants)).order_by(Project.name)
    return (await session.scalars(orgs)).all(), (await session.scalars(projects)).all()


async def organization(session: AsyncSession, grants: Grants, org_id: str) -> Any | None:
    """One row of :func:`organizations`."""
    return (await session.execute(_organizations(grants).where(Organization.id == org_id))).first()


async def project(session: AsyncSession, org_id: str, project_id: str) -> Any | None:
    """One row of :func:`projects`."""
    query = _projects().where(Project.org_id == org_id, Project.id == project_id)
    return (await session.execute(query)).first()


def _organizations(grants: Grants) -> Select[*tuple[Any, ...]]:
    count = (
        select(func.count())
        .select_from(Project)
        .where(Project.org_id == Organization.id, visible_projects(grants))
        .correlate(Organization)
        .scalar_subquery()
        .label("project_count")
    )
    return select(Organization.id, Organization.name, Organization.created_at, count)


def _projects() -> Select[*tuple[Any, ...]]:
    count = (
        select(func.count())
        .select_from(ClusterRow)
        .where(ClusterRow.project_id == Project.id)
        .correlate(Project)
        .scalar_subquery()
        .label("cluster_count")
    )
    return select(
        Project.id,
        Project.name,
        Project.org_id,
        Organization.name.label("org_name"),
        Project.created_at,
        count,
    ).join(Organization, Organization.id == Project.org_id)


async def places_of(session: AsyncSession, user_id: str) -> Sequence[Any]:
    """Where a user belongs to, with names."""
    query = (
        select(
            Member.org_id,
            Organization.name.label("org_name"),
            Member.project_id,
            Project.name.label("project_name"),
            Member.role,
        )
        .join(Organization, Organization.id == Member.org_id)
        .outerjoin(Project, Project.id == Member.project_id)
        .where(Member.user_id == user_id)
        .order_by(Organization.name, Project.name)
    )
    return (await session.execute(query)).all()
