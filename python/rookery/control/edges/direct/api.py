"""``…/edgeservices`` of those at addresses: added, moved, tried, and many of them as a file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from rookery.control.clusters.models import Entry
from rookery.control.context import ControlContext
from rookery.control.edges.api import ONE, PATH, Edits, Sees
from rookery.control.edges.direct import table
from rookery.control.edges.direct.models import TEXT_LENGTH_MAX, Direct
from rookery.control.edges.direct.service import NothingAddedError, Refused, Wanted
from rookery.control.edges.direct.store import ADDRESS_LENGTH_MAX, DirectEdgeRow
from rookery.control.edges.shown import EdgeDetail, EdgeGiven, to_edge_detail
from rookery.control.rest.models import Given, Id, Shown
from rookery.web.language import LanguageQuery
from rookery.web.rest import BODY_BYTES_MAX, errors

CSV = "text/csv; charset=utf-8"
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Comma-separated values, UTF-8, with a head.",
        "content": {"text/csv": {"example": ",".join(table.COLUMNS) + "\r\n"}},
    }
}
Address = Annotated[
    str,
    Field(
        min_length=1,
        max_length=ADDRESS_LENGTH_MAX,
        description="`https://HOST:PORT`, without a port 8085.",
        examples=["https://10.0.0.7:8085"],
    ),
]
Sha256 = Annotated[
    str,
    Field(
        max_length=128,
        description="SHA-256 of the certificate that it shows; empty: one that this machine trusts.",
        examples=[""],
    ),
]


class ConnectionGiven(Given):
    """Where an edge service is, and as whom control signs in there."""

    address: Address
    username: str = Field(
        default="admin",
        min_length=1,
        max_length=TEXT_LENGTH_MAX,
        description="An administrator there.",
        examples=["admin"],
    )
    password: str | None = Field(
        default=None,
        min_length=1,
        max_length=TEXT_LENGTH_MAX,
        description="Of that one; absent: as it is, if it goes to the same place.",
        examples=["its-password"],
        json_schema_extra={"format": "password"},
    )
    certificate_sha256: Sha256 = ""

    def direct(self) -> Direct:
        """As it is asked for."""
        return Direct(self.address, self.username, self.password, self.certificate_sha256)


class DirectGiven(EdgeGiven, ConnectionGiven):
    """An edge service at an address."""


class ConnectionTestGiven(ConnectionGiven):
    """What is tried."""

    service_id: Id | None = Field(
        default=None, description="Whose password is used, where none is given.", examples=[None]
    )


class ConnectionShown(Shown):
    """Where an edge service is."""

    address: str = Field(description="Its address.", examples=["https://10.0.0.7:8085"])
    username: str = Field(description="As whom control signs in.", examples=["admin"])
    certificate_sha256: str = Field(
        description="Of the certificate that it has to show; empty: one that this machine trusts.",
        examples=[""],
    )
    problem: str = Field(
        description="Why it could not be asked, in the language of the caller; empty: it could.",
        examples=[""],
    )


class ConnectionTested(Shown):
    """Control may sign in there."""

    version: str = Field(description="Of the edge service.", examples=["0.10.0"])


class LineRefused(Shown):
    """Why a line of a file cannot be."""

    line: int = Field(ge=1, description="Which, the head is 1.", examples=[2])
    reason: str = Field(description="In the language of the caller.", examples=["no password"])


class ImportShown(Shown):
    """What became of a file: all of it, or nothing."""

    added: int = Field(ge=0, description="Edge services that there are now more.", examples=[12])
    errors: list[LineRefused] = Field(description="If there is one, nothing was added.")


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Edge services"])
    _files(api, control)
    _connections(api, control)
    return api


def _files(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        f"{PATH}/import-template",
        summary="A file to begin with, for adding edge services at addresses",
        response_class=Response,
        responses={**FILE, **errors("NOT_FOUND")},
    )
    async def template(access: Sees) -> Response:
        """Its head, and a line that shows how."""
        del access
        return _file("edge-services-template.csv", table.written([table.EXAMPLE]))

    @api.get(
        f"{PATH}/export",
        summary="Edge services at addresses as a file",
        response_class=Response,
        responses={**FILE, **errors("NOT_FOUND")},
    )
    async def export(access: Edits) -> Response:
        """It can be imported elsewhere once the passwords, which it does not have, are filled in."""
        rows = [
            (
                service.name,
                row.address,
                row.username,
                "",
                row.certificate_sha256,
                " ".join(labels),
                service.description,
            )
            for service, row, labels in await control.edges.direct.rows(access)
        ]
        return _file("edge-services.csv", table.written(rows))

    @api.post(
        f"{PATH}/import",
        summary="Add edge services at addresses from a file",
        responses=errors("NOT_FOUND"),
        openapi_extra={
            BODY_BYTES_MAX: table.BYTES_MAX,
            "requestBody": {
                "required": True,
                "content": {"text/csv": {"schema": {"type": "string"}}},
            },
        },
    )
    async def add_all(request: Request, access: Edits, language: LanguageQuery) -> ImportShown:
        """All or none: with one wrong line nothing is added, and every wrong line is told."""
        wanted, refused = table.read(await request.body())
        try:
            await control.edges.direct.add_all(access, wanted, refused)
        except NothingAddedError as error:
            told = [_refused(one, language) for one in error.refused]
            return ImportShown(added=0, errors=told)
        return ImportShown(added=len(wanted), errors=[])


def _connections(api: APIRouter, control: ControlContext) -> None:
    @api.post(
        PATH,
        status_code=201,
        summary="Add an edge service at an address",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS", "EXCEED_LIMIT"),
    )
    async def add(access: Edits, given: DirectGiven, language: LanguageQuery) -> EdgeDetail:
        """For one that control reaches. The others dial in by their agents."""
        entry = Entry(given.name, description=given.description, labels=given.labels)
        made = await control.edges.direct.add(access, Wanted(entry, given.direct()))
        return to_edge_detail(await control.edges.services.one(made), language)

    @api.post(
        f"{PATH}/test",
        summary="Try to sign in at an edge service",
        responses=errors("NOT_FOUND", "CONFLICT", "SERVICE_UNAVAILABLE"),
    )
    async def test(access: Edits, given: ConnectionTestGiven) -> ConnectionTested:
        """Nothing is kept; what does not work is told in words, with the fingerprint of its certificate."""
        version = await control.edges.direct.test(access, given.direct(), given.service_id)
        return ConnectionTested(version=version)

    @api.get(
        f"{ONE}/connection",
        summary="Where an edge service is",
        responses=errors("NOT_FOUND", "CONFLICT"),
    )
    async def shown(access: Edits, service: str, language: LanguageQuery) -> ConnectionShown:
        """Without the password."""
        return _shown(await control.edges.direct.connection(access, service), language)

    @api.put(
        f"{ONE}/connection",
        status_code=204,
        summary="Say where an edge service is by now",
        responses=errors("NOT_FOUND", "CONFLICT", "ALREADY_EXISTS"),
    )
    async def move(access: Edits, service: str, given: ConnectionGiven) -> None:
        """It is asked at once. A kept password goes nowhere else than before."""
        await control.edges.direct.move(access, service, given.direct())


def _shown(row: DirectEdgeRow, language: str) -> ConnectionShown:
    return ConnectionShown(
        address=row.address,
        username=row.username,
        certificate_sha256=row.certificate_sha256,
        problem=row.problem_zh if language == "zh" else row.problem,
    )


def _refused(one: Refused, language: str) -> LineRefused:
    return LineRefused(line=one.line, reason=one.error.text(language))


def _file(name: str, content: bytes) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=CSV, headers=headers)
