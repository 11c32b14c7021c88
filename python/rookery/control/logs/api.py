"""``/orgs/{org}/projects/{project}/logs``: what the nodes of a project's clusters logged."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from rookery.contracts.agent_logs import SEVERITIES
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.logs.models import LogFilter
from rookery.control.logs.shown import (
    SIZE_DEFAULT,
    SIZE_MAX,
    AskedQuery,
    ClusterSources,
    HistogramShown,
    LogPage,
    LogShown,
    PartShown,
    SourceShown,
    SourcesShown,
    to_shown,
)
from rookery.control.rest.guard import requires
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.rest import errors

PATH = "/orgs/{org}/projects/{project}/logs"
Sees = Annotated[Access, requires(Resource.LOGS, Level.VIEW)]
EXPORT_ROWS_MAX = 100_000
HISTOGRAM_MS = 3_600_000
PARTS_DEFAULT = 60
PARTS_MAX = 200
COLUMNS = ("time", "level", "cluster_name", "node", "file", "logger", "message", "raw")
# A table program would take them for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
OrderQuery = Annotated[Literal["asc", "desc"], Query(description="`desc`: the newest first.")]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Logs"])
    _query(api, control)
    _histogram(api, control)
    _sources(api, control)
    _export(api, control)
    return api


def _query(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        PATH,
        summary="Logs of a project's clusters",
        responses=errors("NOT_FOUND", "BAD_REQUEST", "SERVICE_UNAVAILABLE"),
    )
    async def logs(
        access: Sees,
        asked: AskedQuery,
        size: Annotated[int, Query(ge=1, le=SIZE_MAX, description="Most records.")] = SIZE_DEFAULT,
        after: Annotated[
            str | None,
            Query(max_length=200, description="`nextCursor` of the part before."),
        ] = None,
        order: OrderQuery = "desc",
    ) -> LogPage:
        """By their time. Go on with `after` for what comes next."""
        clusters = await control.logs.clusters(access.project, asked.clusters)
        wanted = asked.of(clusters)
        found = await control.logs.page(wanted, size, after=after, is_newest_first=order == "desc")
        items = [to_shown(record, clusters) for record in found]
        return LogPage(items=items, next_cursor=items[-1].id if len(items) == size else None)


def _histogram(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        PATH + "/histogram",
        summary="How many records over time",
        responses=errors("NOT_FOUND", "BAD_REQUEST", "SERVICE_UNAVAILABLE"),
    )
    async def histogram(
        access: Sees,
        asked: AskedQuery,
        parts: Annotated[
            int, Query(ge=1, le=PARTS_MAX, description="About so many parts.")
        ] = PARTS_DEFAULT,
    ) -> HistogramShown:
        """Of the last hour, unless `since` and `until` say otherwise."""
        if asked.until_ms is None:
            asked.until_ms = control.clock.now_ms()
        if asked.since_ms is None:
            asked.since_ms = max(0, asked.until_ms - HISTOGRAM_MS)
        clusters = await control.logs.clusters(access.project, asked.clusters)
        found = await control.logs.histogram(asked.of(clusters), parts)
        return HistogramShown(
            width_ms=found.width_ms,
            parts=[
                PartShown(
                    at=found.start_ms + index * found.width_ms,
                    counts={SEVERITIES[number]: count for number, count in counts.items()},  # type: ignore[misc]
                )
                for index, counts in enumerate(found.counts)
            ],
        )


def _sources(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        PATH + "/sources",
        summary="Where the logs come from",
        responses=errors("NOT_FOUND", "SERVICE_UNAVAILABLE"),
    )
    async def sources(access: Sees) -> SourcesShown:
        """Every cluster of the project, and the edge services that sent any: for filters, and for who misses one."""
        found = await control.logs.origins(access.project)
        kept = await control.logs.size(access.project)
        retention = control.logs.retention
        most = min(retention.bytes_max, retention.project_bytes_max or retention.bytes_max)
        return SourcesShown(
            is_enabled=control.logs.is_enabled,
            retention_days=retention.days,
            kept_bytes=kept,
            most_bytes=None if kept is None else most,
            clusters=[
                ClusterSources(
                    cluster_id=item.cluster_id,
                    cluster_name=item.name,
                    problem=item.problem,
                    sources=[
                        SourceShown(node=one.node, file=one.file, last_at=one.last_ms)
                        for one in item.sources
                    ],
                )
                for item in found
            ],
        )


def _export(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        PATH + "/export",
        summary="The same as a file",
        response_class=StreamingResponse,
        responses=errors("NOT_FOUND", "BAD_REQUEST")
        | {
            200: {
                "description": "Comma-separated values with a head, or the records as they are.",
                "content": {"text/csv": {"example": ",".join(COLUMNS) + "\r\n"}, "text/plain": {}},
            }
        },
    )
    async def export(
        access: Sees,
        asked: AskedQuery,
        order: OrderQuery = "desc",
        kind: Annotated[
            Literal["csv", "text"],
            Query(alias="format", description="`text`: nothing but the records."),
        ] = "csv",
    ) -> StreamingResponse:
        """At most 100,000 records, UTF-8."""
        clusters = await control.logs.clusters(access.project, asked.clusters)
        rows = _rows(control, asked.of(clusters), clusters, is_newest_first=order == "desc")
        name = f"logs.{'csv' if kind == 'csv' else 'log'}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        if kind == "csv":
            return StreamingResponse(
                _csv(rows), media_type="text/csv; charset=utf-8", headers=headers
            )
        return StreamingResponse(
            _text(rows), media_type="text/plain; charset=utf-8", headers=headers
        )


async def _rows(
    control: ControlContext,
    wanted: LogFilter,
    clusters: Mapping[str, str],
    *,
    is_newest_first: bool,
) -> AsyncIterator[list[LogShown]]:
    after: str | None = None
    for _ in range(EXPORT_ROWS_MAX // SIZE_MAX):
        found = await control.logs.page(
            wanted, SIZE_MAX, after=after, is_newest_first=is_newest_first
        )
        yield [to_shown(record, clusters) for record in found]
        if len(found) < SIZE_MAX:
            return
        after = found[-1].id


async def _csv(rows: AsyncIterator[list[LogShown]]) -> AsyncIterator[bytes]:
    # Without the mark Excel takes UTF-8 for something else.
    yield b"\xef\xbb\xbf" + _lines([COLUMNS])
    async for part in rows:
        yield _lines([[_cell(row, name) for name in COLUMNS] for row in part])


async def _text(rows: AsyncIterator[list[LogShown]]) -> AsyncIterator[bytes]:
    async for part in rows:
        yield "".join(f"{row.raw}\n" for row in part).encode()


def _lines(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(row: LogShown, name: str) -> str:
    value = row.model_dump(mode="json")["time"] if name == "time" else getattr(row, name)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
