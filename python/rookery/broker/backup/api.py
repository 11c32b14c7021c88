"""``/data``: exports and imports."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Path, Query, UploadFile
from pydantic import Field
from starlette.responses import FileResponse, Response

from rookery.broker.backup import retained as retained_part
from rookery.broker.backup.service import UPLOAD_BYTES_MAX, BackupFile
from rookery.broker.management.context import NodeContext
from rookery.broker.management.rows import rfc3339
from rookery.errors import BadRequestError
from rookery.web.models import Model, Page, Row
from rookery.web.rest import BODY_BYTES_MAX, CurrentCaller, PageQuery, errors
from rookery.web.sorting import OrderQuery, holding, in_order

_FORM_BYTES = 64 << 10
"""What a form needs around a file."""

_NAME = "rookery-export-2026-11-23-19-13-19.043.tar.gz"
FileName = Annotated[str, Path(description="Name of the file.", examples=[_NAME])]
NodeOfFile = Annotated[
    str | None,
    Query(
        alias="node",
        description="The node that has it; this one.",
        examples=["rookery@127.0.0.1"],
    ),
]
FileSort = Literal["filename", "created_at", "size", "node"]


class FileRow(Row):
    """A file."""

    filename: str = Field(description="Its name.", examples=[_NAME])
    node: str = Field(description="The node that has it.", examples=["rookery@127.0.0.1"])
    size: int = Field(ge=0, description="Bytes.", examples=[22_740])
    created_at: str = Field(description="When.", examples=["2026-11-23T19:13:19.043+01:00"])
    created_at_sec: int = Field(description="Seconds since 1970.", examples=[1_795_457_599])


class ImportBody(Model):
    """What to put back."""

    filename: str = Field(
        min_length=1, max_length=255, description="Name of the file.", examples=[_NAME]
    )
    node: str | None = Field(
        None, description="The node that has it; this one.", examples=["rookery@127.0.0.1"]
    )


_FORM = {
    "requestBody": {
        "content": {"multipart/form-data": {"example": {"filename": "(the bytes of the archive)"}}}
    }
}
_ARCHIVE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            "application/gzip": {
                "schema": {"type": "string", "format": "binary"},
                "example": "(the bytes of the archive)",
            }
        },
    }
}


ACCOUNTS = ("admins", "api_keys")
"""Parts that say who may manage the node."""


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Data Backup"])
    backups, nodes = node.services.backups, node.services.nodes

    @api.post(
        "/data/export",
        summary="Export",
        responses=errors("EXCEED_LIMIT", "SERVICE_UNAVAILABLE"),
    )
    async def export(
        retained: Annotated[
            bool, Query(description="Whether retained messages are part of it.", examples=[True])
        ] = True,
    ) -> FileRow:
        """Write what was set up on this node into a file that stays here: changes of the
        configuration, users, rules, bans, users of the dashboard, API keys, and retained messages.
        Sessions and other messages are not part of it. The file holds secrets.
        """
        without = () if retained else (retained_part.NAME,)
        return _row(await backups.export(without=without), nodes.name)

    @api.post(
        "/data/import",
        summary="Import",
        status_code=204,
        responses=errors("BAD_REQUEST", "NOT_FOUND"),
    )
    async def import_(body: ImportBody, caller: CurrentCaller) -> Response:
        """Put back what a file holds. The whole file is checked first; then each part is put in place
        whole or not at all, adding and replacing. Where a part is refused the answer says which
        parts are in place. Users of the dashboard and API keys are put back for users alone: an API
        key leaves them as they are.
        """
        _check_node(node, body.node)
        is_user = caller.via in ("token", "local")
        await backups.restore(body.filename, without=() if is_user else ACCOUNTS)
        return Response(status_code=204)

    _add_files(api, node)
    return api


def _add_files(api: APIRouter, node: NodeContext) -> None:
    backups, nodes = node.services.backups, node.services.nodes

    @api.get("/data/files", summary="List files")
    async def files(
        page: PageQuery,
        like_filename: Annotated[str | None, Query(description="What its name holds.")] = None,
        sort: Annotated[
            FileSort | None, Query(description="Sort by this field; the latest first without it.")
        ] = None,
        order: OrderQuery = "asc",
    ) -> Page[FileRow]:
        """Files that were exported or uploaded here."""
        rows = [_row(file, nodes.name).model_dump() for file in await backups.files()]
        return Page[FileRow].model_validate(
            page.cut(in_order(holding(rows, filename=like_filename), sort, order))
        )

    @api.post(
        "/data/files",
        summary="Upload a file",
        status_code=204,
        responses=errors("BAD_REQUEST", "EXCEED_LIMIT", "SERVICE_UNAVAILABLE"),
        openapi_extra={BODY_BYTES_MAX: UPLOAD_BYTES_MAX + _FORM_BYTES} | _FORM,
    )
    async def upload(
        filename: Annotated[UploadFile, File(description="The file.")],
    ) -> Response:
        """Take a file that was exported here or elsewhere. What is no whole export is refused."""
        await backups.upload(filename.filename or "", filename.file)
        return Response(status_code=204)

    @api.get(
        "/data/files/{filename}",
        summary="Download a file",
        response_class=FileResponse,
        responses=_ARCHIVE | errors("BAD_REQUEST", "NOT_FOUND"),
    )
    async def download(
        filename: FileName, caller: CurrentCaller, node_name: NodeOfFile = None
    ) -> Response:
        """The file itself; for administrators, as it holds secrets."""
        _check_node(node, node_name)
        path = await backups.path(filename)
        node.services.audit.record("download", f"data/{filename}", by=caller.name)
        return FileResponse(path, media_type="application/gzip", filename=filename)

    @api.delete(
        "/data/files/{filename}",
        summary="Delete a file",
        status_code=204,
        responses=errors("BAD_REQUEST", "NOT_FOUND"),
    )
    async def delete(filename: FileName, node_name: NodeOfFile = None) -> Response:
        """Remove the file for good."""
        _check_node(node, node_name)
        await backups.delete(filename)
        return Response(status_code=204)


def _row(file: BackupFile, node_name: str) -> FileRow:
    return FileRow(
        filename=file.name,
        node=node_name,
        size=file.size,
        created_at=rfc3339(file.created_at_ms),
        created_at_sec=file.created_at_ms // 1000,
    )


def _check_node(node: NodeContext, name: str | None) -> None:
    if name is not None and name != node.services.nodes.name:
        raise BadRequestError(f"no node {name}")
