"""``/quota``, ``/configuration/quota`` and ``…/clusters/{cluster}/quota``."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from rookery.control.caller import Access
from rookery.control.clusters.api import PATH, Edits, Sees
from rookery.control.context import ControlContext
from rookery.control.quota import listing
from rookery.control.quota.rules import Pool
from rookery.control.quota.shown import (
    LimitShown,
    PoolSettingsGiven,
    PoolSettingsShown,
    PoolShown,
    QuotaGiven,
    QuotaShown,
    limit_shown,
    pool_shown,
    quota_shown,
)
from rookery.control.rest.guard import requires
from rookery.control.rest.lists import WindowQuery
from rookery.control.rest.models import Items
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

SeesSome = Annotated[Access, requires(Resource.CLUSTERS, Level.VIEW, anywhere=True)]
SeesSettings = Annotated[Access, requires(Resource.SETTINGS, Level.VIEW)]
EditsSettings = Annotated[Access, requires(Resource.SETTINGS, Level.EDIT)]
SETTINGS = "/configuration/quota"
QUOTA = PATH + "/{cluster}/quota"
Sort = Literal["name", "limit", "connections"]
Search = Annotated[
    str,
    Query(max_length=200, description="What the name of cluster or project holds.", examples=[""]),
]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Quota"])
    _pool(api, control)
    _clusters(api, control)
    return api


def _pool(api: APIRouter, control: ControlContext) -> None:
    @api.get("/quota", summary="The connection quota and what is left of it")
    async def pool(access: SeesSome) -> PoolShown:
        """Of the whole control plane: whoever sets a limit has to know what is left."""
        return pool_shown(*await control.quota.pool())

    @api.get("/quota/clusters", summary="Limits of clusters")
    async def limits(
        access: SeesSome,
        window: WindowQuery,
        language: LanguageQuery,
        search: Search = "",
        sort: Annotated[Sort, Query(description="By which member.")] = "name",
    ) -> Items[LimitShown]:
        """Of those that the caller may see, in all projects."""
        reach = access.caller.grants.reach(Resource.CLUSTERS, Level.VIEW)
        async with control.database.read() as session:
            rows, total = await listing.limits(session, reach, window, sort, search)
        return Items(items=[limit_shown(row, language) for row in rows], total=total)

    @api.get(SETTINGS, summary="Settings of the connection quota")
    async def settings(access: SeesSettings) -> PoolSettingsShown:
        """What all clusters share."""
        found, _ = await control.quota.pool()
        return PoolSettingsShown.model_validate(found)

    @api.put(SETTINGS, status_code=204, summary="Change the connection quota")
    async def change(access: EditsSettings, given: PoolSettingsGiven) -> None:
        """Never below what clusters have already."""
        pool = Pool(given.total, given.per_cluster, given.initial, given.name)
        await control.quota.set_pool(access, pool)


def _clusters(api: APIRouter, control: ControlContext) -> None:
    @api.get(QUOTA, summary="The connection limit of a cluster", responses=errors("NOT_FOUND"))
    async def shown(access: Sees, cluster: str, language: LanguageQuery) -> QuotaShown:
        """What it is to have, what it has, and what it could have."""
        return quota_shown(await control.quota.view(access, cluster), language)

    @api.put(
        QUOTA,
        summary="Change the connection limit of a cluster",
        responses=errors("NOT_FOUND", "CONFLICT", (409, "NOT_AVAILABLE"), "EXCEED_LIMIT"),
    )
    async def put(
        access: Edits, cluster: str, given: QuotaGiven, language: LanguageQuery
    ) -> QuotaShown:
        """It counts at once; the cluster is told by a command. Less than the clients that are
        connected has to be confirmed with the name of the cluster.
        """
        view = await control.quota.set(access, cluster, given.limit, given.confirmation)
        return quota_shown(view, language)
