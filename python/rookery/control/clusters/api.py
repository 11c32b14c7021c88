"""``/orgs/{org}/projects/{project}/clusters``: entries."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rookery.control.caller import Access
from rookery.control.clusters.models import Entry, Wanted
from rookery.control.clusters.shown import (
    ClusterDetail,
    ClusterShown,
    DeletionGiven,
    EntranceGiven,
    EntranceShown,
    EntryGiven,
    FiltersShown,
    Label,
    StateName,
    TransferGiven,
    to_detail,
    to_shown,
)
from rookery.control.clusters.state import State
from rookery.control.context import ControlContext
from rookery.control.rest.guard import requires
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.language import LanguageQuery
from rookery.web.peer import is_direct
from rookery.web.rest import errors

PATH = "/orgs/{org}/projects/{project}/clusters"
Sees = Annotated[Access, requires(Resource.CLUSTERS, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.CLUSTERS, Level.EDIT)]
Sort = Literal[
    "name",
    "state",
    "version",
    "connections",
    "nodesRunning",
    "createdAt",
    "adoptedAt",
    "lastReportAt",
    "startedAt",
]
Search = Annotated[
    str,
    Query(
        max_length=200,
        description="What name, address, description or version holds.",
        examples=[""],
    ),
]
States = Annotated[
    list[StateName] | None, Query(max_length=5, description="Only those in one of these states.")
]
Versions = Annotated[
    list[str] | None, Query(max_length=50, description="Only those of one of these versions.")
]
Labels = Annotated[
    list[Label] | None, Query(max_length=20, description="Only those with all of these labels.")
]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Clusters"])
    _lists(api, control)
    _entries(api, control)
    _moves(api, control)
    return api


def _entry(given: EntryGiven) -> Entry:
    return Entry(given.name, given.address, given.description, given.labels)


def _lists(api: APIRouter, control: ControlContext) -> None:
    @api.get(PATH, summary="Clusters of a project", responses=errors("NOT_FOUND"))
    async def clusters(
        access: Sees,
        window: WindowQuery,
        language: LanguageQuery,
        search: Search = "",
        state: States = None,
        version: Versions = None,
        label: Labels = None,
        sort: Annotated[Sort, Query(description="By which member.")] = "name",
    ) -> Items[ClusterShown]:
        """Filtered and sorted by the database; who has no value comes last."""
        wanted = Wanted(
            search=search,
            states=state or (),
            versions=version or (),
            labels=label or (),
            sort=sort,
            is_descending=window.order == "desc",
            offset=window.offset,
            size=window.size,
        )
        rows, total = await control.adoption.clusters.list(access, wanted)
        return Items(items=[to_shown(row, language) for row in rows], total=total)

    @api.get(
        PATH + "/filters",
        summary="What clusters of a project can be filtered by",
        responses=errors("NOT_FOUND"),
    )
    async def filters(access: Sees) -> FiltersShown:
        """Versions and labels that there are."""
        versions, labels = await control.adoption.clusters.filters(access)
        return FiltersShown(versions=list(versions), labels=list(labels))


def _entries(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        PATH,
        status_code=201,
        summary="Make an entry for a cluster",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS", (409, "EXCEED_LIMIT")),
    )
    async def create(access: Edits, given: EntryGiven, language: LanguageQuery) -> ClusterDetail:
        """Nothing is adopted by that: an agent has to register with a token of the entry."""
        made = await control.adoption.clusters.create(access, _entry(given))
        return to_detail(made, language)

    @api.get(PATH + "/{cluster}", summary="A cluster", responses=errors("NOT_FOUND"))
    async def one(access: Sees, cluster: str, language: LanguageQuery) -> ClusterDetail:
        """With its nodes."""
        return to_detail(await control.adoption.clusters.get(access, cluster), language)

    @api.put(
        PATH + "/{cluster}",
        summary="Change what is said about a cluster",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS"),
    )
    async def update(
        access: Edits, cluster: str, given: EntryGiven, language: LanguageQuery
    ) -> ClusterDetail:
        """Nothing changes at the cluster itself."""
        changed = await control.adoption.clusters.update(access, cluster, _entry(given))
        return to_detail(changed, language)

    @api.delete(
        PATH + "/{cluster}",
        status_code=204,
        response_class=Response,
        summary="Delete a cluster's entry",
        responses=errors("NOT_FOUND", "CONFLICT") | {202: {"description": "Being deleted"}},
    )
    async def delete(
        access: Edits,
        cluster: str,
        given: DeletionGiven,
        force: Annotated[
            bool, Query(description="Do not wait for an agent that cannot be reached.")
        ] = False,
    ) -> Response:
        """The cluster itself goes on. 202 while its agent's confirmation is awaited."""
        state = await control.adoption.clusters.delete(access, cluster, given.name, force=force)
        is_waiting = state is State.DELETING
        return JSONResponse({"state": str(state)}, 202) if is_waiting else Response(status_code=204)


def _moves(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        PATH + "/{cluster}/transfer",
        status_code=204,
        summary="Move a cluster to another project",
        responses=errors("NOT_FOUND", "FORBIDDEN", "ALREADY_EXISTS", "CONFLICT"),
    )
    async def transfer(access: Edits, cluster: str, given: TransferGiven) -> None:
        """To one whose clusters the caller may edit."""
        await control.adoption.clusters.transfer(access, cluster, given.org_id, given.project_id)

    @api.post(
        PATH + "/{cluster}/unregister",
        status_code=204,
        summary="Let go of a cluster's agent",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def unregister(access: Edits, cluster: str) -> None:
        """The entry stays, as it was before an agent registered."""
        await control.adoption.clusters.unregister(access, cluster)

    @api.post(
        PATH + "/{cluster}/dashboard",
        summary="Enter a cluster's dashboard",
        responses=errors("NOT_FOUND", "CONFLICT", (409, "NOT_AVAILABLE"))
        | errors("SERVICE_UNAVAILABLE", "SOURCE_ERROR", "TIMEOUT"),
    )
    async def enter(
        request: Request,
        access: Sees,
        cluster: str,
        via: Annotated[
            Literal["auto", "direct", "tunnel"],
            Query(
                description="`direct`: the browser goes to the address of the cluster; `tunnel`: to a "
                "port of control, from which everything passes through the agent; `auto`: to the "
                "address where there is one."
            ),
        ] = "auto",
        given: EntranceGiven | None = None,
    ) -> EntranceShown:
        """Signed in with the caller's rights: viewers look at it, others administer it."""
        adoption = control.adoption
        found = await adoption.clusters.get(access, cluster)
        page = "" if given is None else given.page
        if via == "direct" or (via == "auto" and found.row.address):
            return EntranceShown(url=await adoption.entrance.open(access, found, page))
        host = request.headers.get("host", "")
        near = await adoption.near(request.url.scheme, host, is_direct=is_direct(request))
        return EntranceShown(
            url=await adoption.entrance.open_through_tunnel(access, found, near, page)
        )
