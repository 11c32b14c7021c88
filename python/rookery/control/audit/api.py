"""``/audit``: who did what; each caller sees that of his own organizations and projects."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, Field
from starlette.responses import StreamingResponse

from rookery.control.audit import reading
from rookery.control.audit.reading import AuditFilter
from rookery.control.audit.store import AuditRow
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import requires
from rookery.control.rest.lists import OFFSET_MAX, SIZE_DEFAULT, SIZE_MAX
from rookery.control.rest.models import Items, Shown, Time, rfc3339
from rookery.control.tenancy.permissions import Level, Resource

Sees = Annotated[Access, requires(Resource.AUDIT, Level.VIEW, anywhere=True)]
COLUMNS = (
    "at", "operator_name", "via", "address", "resource", "operation", "result", "org_name",
    "project_name", "object_id", "object_name", "before", "after",
)  # fmt: skip
# A table program would take them for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class AuditShown(Shown):
    """One thing that somebody did."""

    id: int = Field(description="In the order in which it happened.", examples=[42])
    at: Time = Field(description="When.")
    operator_id: str = Field(
        description="The user; empty: somebody on the machine.", examples=["4f0c9a1b2d3e5f60"]
    )
    operator_name: str = Field(description="As that one was called.", examples=["ada@example.com"])
    via: str = Field(
        description="How: `session`, `token`, `machine` or `agent`.", examples=["session"]
    )
    address: str = Field(description="From where.", examples=["192.0.2.7"])
    resource: str = Field(description="About what.", examples=["projects"])
    operation: str = Field(description="What.", examples=["create"])
    result: Literal["success", "failure"] = Field(description="Whether it was done.")
    org_id: str | None = Field(description="In which organization.", examples=["4f0c9a1b2d3e5f60"])
    org_name: str = Field(description="As it was called.", examples=["Factory East"])
    project_id: str | None = Field(description="In which project.", examples=["4f0c9a1b2d3e5f60"])
    project_name: str = Field(description="As it was called.", examples=["Plant 1"])
    object_id: str = Field(description="To what.", examples=["4f0c9a1b2d3e5f60"])
    object_name: str = Field(description="As it was called.", examples=["Plant 1"])
    before: dict[str, Any] | None = Field(
        description="What was another.", examples=[{"name": "Plant"}]
    )
    after: dict[str, Any] | None = Field(description="What it is.", examples=[{"name": "Plant 1"}])


class Filter:
    """Which rows of the audit."""

    def __init__(
        self,
        since: Annotated[AwareDatetime | None, Query(description="Not before.")] = None,
        until: Annotated[AwareDatetime | None, Query(description="Not after.")] = None,
        operator: Annotated[
            str | None, Query(max_length=254, description="What the operator's name holds.")
        ] = None,
        resource: Annotated[str | None, Query(max_length=32, description="About what.")] = None,
        operation: Annotated[str | None, Query(max_length=32, description="What.")] = None,
        result: Annotated[
            Literal["success", "failure"] | None, Query(description="Whether it was done.")
        ] = None,
        org_id: Annotated[
            str | None, Query(alias="orgId", max_length=16, description="In which organization.")
        ] = None,
        project_id: Annotated[
            str | None, Query(alias="projectId", max_length=16, description="In which project.")
        ] = None,
        object_name: Annotated[
            str | None,
            Query(alias="object", max_length=254, description="What the object's name holds."),
        ] = None,
    ) -> None:
        self.wanted = AuditFilter(
            since_ms=None if since is None else int(since.timestamp() * 1000),
            until_ms=None if until is None else int(until.timestamp() * 1000),
            operator=operator,
            resource=resource,
            operation=operation,
            result=result,
            org_id=org_id,
            project_id=project_id,
            object=object_name,
        )


FilterQuery = Annotated[Filter, Depends()]
OffsetQuery = Annotated[
    int, Query(ge=0, le=OFFSET_MAX, description="Rows to leave out at the beginning.")
]
SizeQuery = Annotated[int, Query(ge=1, le=SIZE_MAX, description="Most rows of the part.")]
OrderQuery = Annotated[Literal["asc", "desc"], Query(description="`desc`: the newest first.")]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Audit"])

    @api.get("/audit", summary="Who did what")
    async def rows(
        access: Sees,
        wanted: FilterQuery,
        offset: OffsetQuery = 0,
        size: SizeQuery = SIZE_DEFAULT,
        order: OrderQuery = "desc",
    ) -> Items[AuditShown]:
        """Rows are only ever added. An administrator of the system sees all."""
        async with control.database.read() as session:
            found, total = await reading.page_of(
                session, access.caller.grants, wanted.wanted, offset, size, order
            )
        return Items(items=[AuditShown.model_validate(row) for row in found], total=total)

    @api.get(
        "/audit/export",
        summary="The same as a file",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "Comma-separated values, UTF-8, with a head.",
                "content": {"text/csv": {"example": ",".join(COLUMNS) + "\r\n"}},
            }
        },
    )
    async def export(access: Sees, wanted: FilterQuery) -> StreamingResponse:
        """At most 100,000 rows, the newest first."""
        lines = _csv(control, access, wanted.wanted)
        headers = {"content-disposition": 'attachment; filename="audit.csv"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)

    return api


async def _csv(
    control: ControlContext, access: Access, wanted: AuditFilter
) -> AsyncIterator[bytes]:
    # Without the mark Excel takes UTF-8 for something else.
    yield b"\xef\xbb\xbf" + _lines([COLUMNS])
    async for rows in reading.all_of(control.database, access.caller.grants, wanted):
        yield _lines([[_cell(row, name) for name in COLUMNS] for row in rows])


def _lines(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(row: AuditRow, name: str) -> str:
    value = getattr(row, name)
    if name == "at":
        return rfc3339(value)
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
