"""``/orgs`` and ``/projects``."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import requires, signed_in
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.control.tenancy import listing
from rookery.control.tenancy.models import Named, OrgShown, ProjectShown
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.rest import errors

NameQuery = Annotated[
    str | None, Query(max_length=200, description="What the name holds, whatever the case.")
]
Sort = Literal["name", "createdAt"]
SortQuery = Annotated[Sort, Query(description="By which member.")]
SignedIn = Annotated[Access, signed_in()]
EditsOrgs = Annotated[Access, requires(Resource.ORGANIZATIONS, Level.EDIT)]
EditsProjects = Annotated[Access, requires(Resource.PROJECTS, Level.EDIT)]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Organizations"])
    _organizations(api, control)
    _changes(api, control)
    _projects(api, control)
    return api


def _organizations(api: APIRouter, control: ControlContext) -> None:
    @api.get("/orgs", summary="Organizations")
    async def organizations(
        access: SignedIn, window: WindowQuery, name: NameQuery = None, sort: SortQuery = "name"
    ) -> Items[OrgShown]:
        """Those that the caller belongs to in any way; an administrator sees all."""
        async with control.database.read() as session:
            rows, total = await listing.organizations(
                session, access.caller.grants, window, sort, name
            )
        return Items(items=[OrgShown.model_validate(row) for row in rows], total=total)

    @api.post(
        "/orgs",
        status_code=201,
        summary="Make an organization",
        responses=errors("ALREADY_EXISTS", "EXCEED_LIMIT"),
    )
    async def create(access: EditsOrgs, named: Named) -> OrgShown:
        """At most 100 are there at a time."""
        org = await control.tenancy.create_org(access, named.name)
        return OrgShown(id=org.id, name=org.name, created_at=org.created_at, project_count=0)


def _changes(api: APIRouter, control: ControlContext) -> None:
    @api.put(
        "/orgs/{org}",
        status_code=204,
        summary="Rename an organization",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS"),
    )
    async def rename(access: EditsOrgs, org: str, named: Named) -> None:
        """Its id stays."""
        await control.tenancy.rename_org(access, named.name)

    @api.delete(
        "/orgs/{org}",
        status_code=204,
        summary="Delete an organization",
        responses=errors("NOT_FOUND", (409, "DEPENDENCY_EXISTS")),
    )
    async def delete(access: EditsOrgs, org: str) -> None:
        """Only without projects; who belonged to it does no more."""
        await control.tenancy.delete_org(access)


def _projects(api: APIRouter, control: ControlContext) -> None:
    @api.get("/projects", summary="Projects of all organizations")
    async def everywhere(
        access: SignedIn, window: WindowQuery, name: NameQuery = None, sort: SortQuery = "name"
    ) -> Items[ProjectShown]:
        """Those that the caller belongs to, by the project or by its organization."""
        async with control.database.read() as session:
            rows, total = await listing.projects(
                session, access.caller.grants, window, sort, name, None
            )
        return Items(items=[ProjectShown.model_validate(row) for row in rows], total=total)

    @api.post(
        "/orgs/{org}/projects",
        status_code=201,
        summary="Make a project",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS", "EXCEED_LIMIT"),
    )
    async def create(access: EditsProjects, org: str, named: Named) -> ProjectShown:
        """At most 100 in an organization and 1000 in all."""
        project = await control.tenancy.create_project(access, named.name)
        return ProjectShown(
            id=project.id,
            name=project.name,
            org_id=project.org_id,
            org_name=access.org_name,
            created_at=project.created_at,
            cluster_count=0,
        )
