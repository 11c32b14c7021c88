"""``GET …/clusters/events``: changes as they happen, so that no page has to ask again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from rookery.control.caller import Access
from rookery.control.clusters.api import PATH, Sees
from rookery.control.clusters.changes import Watcher
from rookery.control.clusters.models import Cluster
from rookery.control.clusters.shown import ClusterShown, to_shown, to_steps
from rookery.control.context import ControlContext
from rookery.control.errors import (
    DeniedError,
    MissingError,
    OutOfReachError,
    Text,
    UnknownCallerError,
)
from rookery.control.rest.guard import Need, may_still
from rookery.control.tenancy.permissions import Level, Resource
from rookery.errors import UnavailableError
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

KEPT_OPEN_S = 15.0
"""A proxy between closes a stream that says nothing for long."""
GATHER_S = 0.2
"""Changes so close to each other are told together."""
AT_ONCE = 100
LIFE_S = 15 * 60.0
"""A stream ends after so long, whoever reads it."""
MAY_LOOK = Need("resource", Resource.CLUSTERS, Level.VIEW)

TOO_MANY = Text("too many pages are open, try again", "打开的页面过多，请稍后重试")
OF_INTEREST_MAX = 200


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Clusters"])

    @api.get(
        PATH + "/events",
        summary="Changes of clusters as they happen",
        response_class=StreamingResponse,
        responses=errors("NOT_FOUND", "SERVICE_UNAVAILABLE")
        | {200: {"content": {"text/event-stream": {}}, "description": "A stream of events"}},
    )
    async def events(
        request: Request,
        access: Sees,
        language: LanguageQuery,
        cluster: Annotated[
            list[str] | None,
            Query(max_length=OF_INTEREST_MAX, description="Only these; without: all."),
        ] = None,
    ) -> Response:
        """Server-sent events: `cluster` with a row of the list, `checklist` with
        `{clusterId, steps}`, `removed` with `{id}` of one that is gone from the project.
        """
        if control.adoption.changes.is_full:
            raise OutOfReachError(TOO_MANY)
        return StreamingResponse(
            _stream(control, request, access, language, frozenset(cluster or ())),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    return api


async def _stream(
    control: ControlContext,
    request: Request,
    access: Access,
    language: str,
    of_interest: frozenset[str],
) -> AsyncIterator[str]:
    deadline_s = control.clock.monotonic_s() + LIFE_S
    with control.adoption.changes.watch(access.project) as watcher:
        yield ": changes from here on\n\n"
        while not watcher.is_closed and control.clock.monotonic_s() < deadline_s:
            changed = await _changes(watcher)
            if of_interest:
                changed = changed & of_interest
            try:
                # Signed out, disabled, a member no more: nothing that happened since is told.
                await may_still(control, MAY_LOOK, access, request)
                if not changed:
                    yield ": still here\n\n"
                    continue
                async for event in _events(control, access, language, sorted(changed)):
                    yield event
            except (UnknownCallerError, MissingError, DeniedError):
                return
            except UnavailableError:
                return  # the page comes back and asks for its list, which is the truth then


async def _changes(watcher: Watcher) -> frozenset[str]:
    try:
        async with asyncio.timeout(KEPT_OPEN_S):
            changed = await watcher.next()
    except TimeoutError:
        return frozenset()
    await asyncio.sleep(GATHER_S)
    return changed


async def _events(
    control: ControlContext, access: Access, language: str, ids: Sequence[str]
) -> AsyncIterator[str]:
    found: dict[str, Cluster] = {}
    for start in range(0, len(ids), AT_ONCE):
        part = await control.adoption.clusters.some(access, ids[start : start + AT_ONCE])
        found |= {item.row.id: item for item in part}
    for cluster_id in ids:
        item = found.get(cluster_id)
        if item is None:
            yield f'event: removed\ndata: {{"id":"{cluster_id}"}}\n\n'
            continue
        row: ClusterShown = to_shown(item, language)
        yield f"event: cluster\ndata: {row.model_dump_json(by_alias=True)}\n\n"
        steps = ",".join(step.model_dump_json(by_alias=True) for step in to_steps(item, language))
        yield f'event: checklist\ndata: {{"clusterId":"{cluster_id}","steps":[{steps}]}}\n\n'
