"""``/orgs/{org}/projects/{project}/edgeservices``: edge services of a project."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from rookery.control.caller import Access
from rookery.control.clusters.models import Entry
from rookery.control.clusters.shown import EntranceGiven, EntranceShown
from rookery.control.context import ControlContext
from rookery.control.edges.models import Wanted
from rookery.control.edges.shown import (
    EdgeDeletionGiven,
    EdgeDetail,
    EdgeFilters,
    EdgeGiven,
    EdgeShown,
    EdgeTransferGiven,
    Label,
    ServiceStateName,
    to_edge,
    to_edge_detail,
)
from rookery.control.rest.guard import requires
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.language import LanguageQuery
from rookery.web.peer import is_direct
from rookery.web.rest import errors

PATH = "/orgs/{org}/projects/{project}/edgeservices"
ONE = PATH + "/{service}"
Sees = Annotated[Access, requires(Resource.EDGE_SERVICES, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.EDGE_SERVICES, Level.EDIT)]
Sort = Literal["name", "state", "version", "createdAt", "lastReportAt"]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Edge services"])
    _lists(api, control)
    _pages(api, control)
    _changes(api, control)
    return api


def _lists(api: APIRouter, control: ControlContext) -> None:
    @api.get(PATH, summary="Edge services of a project", responses=errors("NOT_FOUND"))
    async def services(
        access: Sees,
        window: WindowQuery,
        search: Annotated[
            str,
            Query(
                max_length=200,
                description="What name, description, version, machine or agent holds.",
                examples=[""],
            ),
        ] = "",
        state: Annotated[
            list[ServiceStateName] | None,
            Query(max_length=5, description="Only those in one of these states."),
        ] = None,
        label: Annotated[
            list[Label] | None,
            Query(max_length=20, description="Only those with all of these labels."),
        ] = None,
        sort: Annotated[Sort, Query(description="By which member.")] = "name",
    ) -> Items[EdgeShown]:
        """Filtered and sorted by the database."""
        wanted = Wanted(search=search, states=state or (), labels=label or (), sort=sort)
        rows, total = await control.edges.services.list(access, wanted, window)
        return Items(items=[to_edge(row) for row in rows], total=total)

    @api.get(
        f"{PATH}/filters",
        summary="What edge services of a project can be filtered by",
        responses=errors("NOT_FOUND"),
    )
    async def filters(access: Sees) -> EdgeFilters:
        """Labels and versions that there are."""
        labels, versions = await control.edges.services.filters(access)
        return EdgeFilters(labels=list(labels), versions=list(versions))

    @api.get(ONE, summary="An edge service", responses=errors("NOT_FOUND"))
    async def one(access: Sees, service: str, language: LanguageQuery) -> EdgeDetail:
        """With its drivers and applications."""
        return to_edge_detail(await control.edges.services.get(access, service), language)


def _pages(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        f"{ONE}/page",
        summary="Open an edge service's own pages",
        responses=errors("NOT_FOUND", "CONFLICT", (409, "NOT_AVAILABLE")),
    )
    async def page(
        request: Request, access: Sees, service: str, given: EntranceGiven | None = None
    ) -> EntranceShown:
        """At a port of control: viewers look at it, others administer it. Nobody signs in there."""
        adoption = control.adoption
        host = request.headers.get("host", "")
        near = await adoption.near(request.url.scheme, host, is_direct=is_direct(request))
        wanted = "" if given is None else given.page
        return EntranceShown(url=await control.edges.entrance.open(access, service, near, wanted))


def _changes(api: APIRouter, control: ControlContext) -> None:
    @api.put(
        ONE,
        summary="Change what is said about an edge service",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS"),
    )
    async def update(
        access: Edits, service: str, given: EdgeGiven, language: LanguageQuery
    ) -> EdgeDetail:
        """Nothing changes at the edge but the name that it shows."""
        entry = Entry(given.name, description=given.description, labels=given.labels)
        return to_edge_detail(await control.edges.services.update(access, service, entry), language)

    @api.post(
        f"{ONE}/transfer",
        status_code=204,
        summary="Move an edge service to another project",
        responses=errors("NOT_FOUND", "FORBIDDEN", "ALREADY_EXISTS"),
    )
    async def transfer(access: Edits, service: str, given: EdgeTransferGiven) -> None:
        """To one whose edge services the caller may edit."""
        await control.edges.services.transfer(access, service, given.org_id, given.project_id)

    @api.post(
        f"{ONE}/unadopt",
        status_code=204,
        summary="Let an edge service go",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def unadopt(access: Edits, service: str) -> None:
        """Its agent stays connected and waits to be adopted, by this project or another."""
        await control.edges.services.unadopt(access, service)

    @api.delete(
        ONE, status_code=204, summary="Delete an edge service", responses=errors("NOT_FOUND")
    )
    async def delete(access: Edits, service: str, given: EdgeDeletionGiven) -> None:
        """Its agent is removed too; the edge itself goes on and learns it."""
        await control.edges.services.delete(access, service, given.name)
