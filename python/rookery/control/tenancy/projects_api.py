"""``/orgs/{org}`` and the projects of one organization."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.errors import NOT_FOUND, MissingError
from rookery.control.rest.guard import requires
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.control.tenancy import listing
from rookery.control.tenancy.models import Named, OrgShown, ProjectShown
from rookery.control.tenancy.orgs_api import NameQuery, SortQuery
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.rest import errors

SeesOrg = Annotated[Access, requires(Resource.ORGANIZATIONS, Level.VIEW)]
SeesProjects = Annotated[Access, requires(Resource.PROJECTS, Level.VIEW)]
EditsProject = Annotated[Access, requires(Resource.PROJECTS, Level.EDIT)]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Organizations"])
    _shown(api, control)
    _changes(api, control)
    return api


def _shown(api: APIRouter, control: ControlContext) -> None:
    @api.get("/orgs/{org}", summary="An organization", responses=errors("NOT_FOUND"))
    async def organization(access: SeesOrg, org: str) -> OrgShown:
        """With how many of its projects the caller may see."""
        async with control.database.read() as session:
            row = await listing.organization(session, access.caller.grants, org)
        if row is None:
            raise MissingError(NOT_FOUND)
        return OrgShown.model_validate(row)

    @api.get(
        "/orgs/{org}/projects", summary="Projects of an organization", responses=errors("NOT_FOUND")
    )
    async def projects(
        access: SeesProjects,
        org: str,
        window: WindowQuery,
        name: NameQuery = None,
        sort: SortQuery = "name",
    ) -> Items[ProjectShown]:
        """Those that the caller may see."""
        async with control.database.read() as session:
            rows, total = await listing.projects(
                session, access.caller.grants, window, sort, name, org
            )
        return Items(items=[ProjectShown.model_validate(row) for row in rows], total=total)

    @api.get("/orgs/{org}/projects/{project}", summary="A project", responses=errors("NOT_FOUND"))
    async def project(access: SeesProjects, org: str, project: str) -> ProjectShown:
        """With the name of its organization."""
        async with control.database.read() as session:
            row = await listing.project(session, org, project)
        if row is None:
            raise MissingError(NOT_FOUND)
        return ProjectShown.model_validate(row)


def _changes(api: APIRouter, control: ControlContext) -> None:
    @api.put(
        "/orgs/{org}/projects/{project}",
        status_code=204,
        summary="Rename a project",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS"),
    )
    async def rename(access: EditsProject, org: str, project: str, named: Named) -> None:
        """Its id stays."""
        await control.tenancy.rename_project(access, named.name)

    @api.delete(
        "/orgs/{org}/projects/{project}",
        status_code=204,
        summary="Delete a project",
        responses=errors("NOT_FOUND", (409, "DEPENDENCY_EXISTS")),
    )
    async def delete(access: EditsProject, org: str, project: str) -> None:
        """Only without clusters; who belonged to it does no more."""
        await control.tenancy.delete_project(access)
