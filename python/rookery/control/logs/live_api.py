"""``GET …/logs/live``: records as they come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.errors import (
    DeniedError,
    MissingError,
    OutOfReachError,
    UnknownCallerError,
)
from rookery.control.logs import texts
from rookery.control.logs.api import PATH, Sees
from rookery.control.logs.live import Follower
from rookery.control.logs.models import LogRecord
from rookery.control.logs.shown import Asked, AskedQuery, to_shown
from rookery.control.rest.guard import Need, may_still
from rookery.control.tenancy.permissions import Level, Resource
from rookery.errors import UnavailableError
from rookery.web.rest import errors

KEPT_OPEN_S = 15.0
"""A proxy between closes a stream that says nothing for long."""
GATHER_S = 0.2
LIFE_S = 15 * 60.0
"""A stream ends after so long, whoever reads it."""
MAY_LOOK = Need("resource", Resource.LOGS, Level.VIEW)


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Logs"])

    @api.get(
        PATH + "/live",
        summary="Records as they come in",
        response_class=StreamingResponse,
        responses=errors("NOT_FOUND", "SERVICE_UNAVAILABLE")
        | {200: {"content": {"text/event-stream": {}}, "description": "A stream of events"}},
    )
    async def live(request: Request, access: Sees, asked: AskedQuery) -> Response:
        """Server-sent events: `record` with a row of the list, `leftOut` with `{count}` of those that
        came faster than they were read.
        """
        if control.logs.followers.is_full:
            raise OutOfReachError(texts.TOO_MANY_VIEWERS)
        return StreamingResponse(
            _stream(control, request, access, asked),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    return api


async def _stream(
    control: ControlContext, request: Request, access: Access, asked: Asked
) -> AsyncIterator[str]:
    deadline_s = control.clock.monotonic_s() + LIFE_S
    clusters = await control.logs.clusters(access.project, asked.clusters)
    with control.logs.followers.follow(asked.of(clusters)) as follower:
        yield ": records from here on\n\n"
        while not follower.is_closed and control.clock.monotonic_s() < deadline_s:
            records, left_out = await _next(follower)
            try:
                # Signed out, disabled, a member no more: nothing that came since is told.
                await may_still(control, MAY_LOOK, access, request)
                # Clusters are adopted, and go to other projects.
                clusters = await control.logs.clusters(access.project, asked.clusters)
            except (UnknownCallerError, MissingError, DeniedError, UnavailableError):
                return
            follower.wanted = asked.of(clusters)
            if not records:
                yield ": still here\n\n"
            if left_out:
                yield f'event: leftOut\ndata: {{"count":{left_out}}}\n\n'
            for record in records:
                if record.cluster_id in clusters:
                    row = to_shown(record, clusters)
                    yield f"event: record\ndata: {row.model_dump_json(by_alias=True)}\n\n"


async def _next(follower: Follower) -> tuple[list[LogRecord], int]:
    try:
        async with asyncio.timeout(KEPT_OPEN_S):
            records, left_out = await follower.next()
    except TimeoutError:
        return [], 0
    if not follower.is_closed:
        await asyncio.sleep(GATHER_S)
    return records, left_out
