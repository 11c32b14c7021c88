"""Where a caller may have edge services."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ColumnElement, false, or_, true
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.caller import Access
from rookery.control.edges import texts
from rookery.control.edges.store import EdgeServiceRow
from rookery.control.errors import DeniedError, MissingError
from rookery.control.tenancy import store as tenancy
from rookery.control.tenancy.grants import Grants
from rookery.control.tenancy.permissions import Level, Resource


async def place_of(
    session: AsyncSession, access: Access, org_id: str, project_id: str, level: Level
) -> Access:
    """The same caller in a project.

    Raises:
        MissingError: it is not there, for this caller.
        DeniedError: it is, and that may not be done there.
    """
    grants = access.caller.grants
    standing = grants.in_project(org_id, project_id)
    org = await tenancy.organization(session, org_id)
    project = await tenancy.project(session, org_id, project_id)
    if standing is None or org is None or project is None:
        raise MissingError(texts.NO_SUCH_PROJECT)
    if not grants.allows(standing, Resource.EDGE_SERVICES, level):
        raise DeniedError(texts.NO_RIGHTS_THERE)
    return replace(
        access,
        org_id=org.id,
        org_name=org.name,
        project_id=project.id,
        project_name=project.name,
    )


def visible(grants: Grants) -> ColumnElement[bool]:
    """Services that the caller may look at."""
    reach = grants.reach(Resource.EDGE_SERVICES, Level.VIEW)
    if reach.everywhere:
        return true()
    return or_(
        false(),
        EdgeServiceRow.org_id.in_(reach.orgs),
        EdgeServiceRow.project_id.in_(reach.projects),
    )
