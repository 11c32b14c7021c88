"""``/orgs/{org}/projects/{project}/monitoring`` and ``…/clients``: what runs in a project's clusters."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.monitoring.overview import WantedTroubled
from rookery.control.monitoring.shown import (
    FoundShown,
    KindName,
    OverviewShown,
    TroubledShown,
    to_found,
    to_overview,
    to_troubled,
)
from rookery.control.rest.guard import requires
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Id, Items
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

PROJECT = "/orgs/{org}/projects/{project}"
Sees = Annotated[Access, requires(Resource.CLUSTERS, Level.VIEW)]
Clusters = Annotated[
    list[Id] | None, Query(max_length=200, description="Only of these clusters; without: of all.")
]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Monitoring"])
    _integrations(api, control)
    _clients(api, control)
    return api


def _integrations(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        PROJECT + "/monitoring",
        summary="Counts over a project's clusters",
        responses=errors("NOT_FOUND"),
    )
    async def overview(access: Sees, cluster: Clusters = None) -> OverviewShown:
        """Connections, rules, connectors. A cluster of which nothing was heard is not counted, but named."""
        return to_overview(await control.monitoring.overviews.of_project(access, cluster or ()))

    @api.get(
        PROJECT + "/monitoring/integrations",
        summary="Rules, connectors, actions and sources that are not well",
        responses=errors("NOT_FOUND"),
    )
    async def integrations(
        access: Sees,
        window: WindowQuery,
        kind: Annotated[
            list[KindName] | None, Query(max_length=4, description="Only of these kinds.")
        ] = None,
        cluster: Clusters = None,
        search: Annotated[
            str,
            Query(
                max_length=200,
                description="What the object, its reason or its cluster's name holds.",
                examples=[""],
            ),
        ] = "",
        sort: Annotated[
            Literal["cluster", "name", "status", "since"], Query(description="By which member.")
        ] = "cluster",
    ) -> Items[TroubledShown]:
        """As the agents reported them last; what runs as it should is in no list."""
        wanted = WantedTroubled(
            kinds=kind or (),
            clusters=cluster or (),
            search=search,
            sort=sort,
            is_descending=window.order == "desc",
            offset=window.offset,
            size=window.size,
        )
        rows, total = await control.monitoring.overviews.troubled(access, wanted)
        return Items(items=[to_troubled(row) for row in rows], total=total)


def _clients(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        PROJECT + "/clients",
        summary="Look for clients in all clusters of a project",
        responses=errors("NOT_FOUND"),
    )
    async def clients(
        access: Sees,
        language: LanguageQuery,
        search: Annotated[
            str,
            Query(min_length=1, max_length=200, description="What to look for.", examples=["plc"]),
        ],
        field: Annotated[
            Literal["clientid", "username", "ip"],
            Query(description="Part of the Client Identifier or user name, or a whole address."),
        ] = "clientid",
        cluster: Clusters = None,
        limit: Annotated[
            int, Query(ge=1, le=100, description="Most clients of each cluster.")
        ] = 20,
    ) -> FoundShown:
        """Every cluster is asked through its agent, many at a time and for a few seconds. One that
        does not answer costs its own clients; the answer says which, and why.
        """
        asked = await control.monitoring.search.search(access, field, search, limit, cluster or ())
        return to_found(asked, limit, language)
