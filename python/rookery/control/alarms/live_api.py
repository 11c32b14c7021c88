"""``GET …/alarms/events``: how many alarms there are, as it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from rookery.control.alarms.api import PATH, Sees
from rookery.control.alarms.service import Summary, summary_of
from rookery.control.alarms.shown import to_summary
from rookery.control.caller import Access
from rookery.control.clusters.changes import Watcher
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
from rookery.web.rest import errors

KEPT_OPEN_S = 15.0
"""A proxy between closes a stream that says nothing for long; what another process did shows then."""
GATHER_S = 0.2
LIFE_S = 15 * 60.0
MAY_LOOK = Need("resource", Resource.ALARMS, Level.VIEW)
TOO_MANY = Text("too many pages are open, try again", "打开的页面过多，请稍后重试")


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Alarms"])

    @api.get(
        PATH + "/events",
        summary="Changes of alarms as they happen",
        response_class=StreamingResponse,
        responses=errors("NOT_FOUND", "SERVICE_UNAVAILABLE")
        | {200: {"content": {"text/event-stream": {}}, "description": "A stream of events"}},
    )
    async def events(request: Request, access: Sees) -> Response:
        """Server-sent events: `alarms` with what the summary has, at first and after each change."""
        if control.alarms.telling.changes.is_full:
            raise OutOfReachError(TOO_MANY)
        return StreamingResponse(
            _stream(control, request, access),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    return api


async def _stream(control: ControlContext, request: Request, access: Access) -> AsyncIterator[str]:
    deadline_s = control.clock.monotonic_s() + LIFE_S
    told: Summary | None = None
    is_changed = True
    with control.alarms.telling.changes.watch(access.project) as watcher:
        while not watcher.is_closed and control.clock.monotonic_s() < deadline_s:
            try:
                # Signed out, disabled, a member no more: nothing that happened since is told.
                await may_still(control, MAY_LOOK, access, request)
                async with control.database.read() as session:
                    found = await summary_of(session, access.project)
            except (UnknownCallerError, MissingError, DeniedError, UnavailableError):
                return
            if found == told and not is_changed:
                yield ": still here\n\n"
            else:
                told = found
                yield f"event: alarms\ndata: {to_summary(found).model_dump_json(by_alias=True)}\n\n"
            is_changed = await _changes(watcher)


async def _changes(watcher: Watcher) -> bool:
    try:
        async with asyncio.timeout(KEPT_OPEN_S):
            await watcher.next()
    except TimeoutError:
        return False
    await asyncio.sleep(GATHER_S)
    return True
