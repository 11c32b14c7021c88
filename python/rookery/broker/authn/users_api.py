"""``/authentication/{id}/users``: users of this broker, with passwords or for SCRAM."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from rookery.access.users import UserOrder, Wanted
from rookery.access.users.transfer import FileFormat
from rookery.broker.authn.models import ImportReport, MadeUser, NewUser, UserRow, UserUpdate
from rookery.broker.authn.users import ProviderUsers
from rookery.errors import BadRequestError
from rookery.types import Secret
from rookery.web.models import Page
from rookery.web.rest import BODY_BYTES_MAX, PageQuery, errors, example, fast, page_of
from rookery.web.sorting import OrderQuery

FILE_BYTES_MAX = 256 << 20
ALICE = {"user_id": "alice", "is_superuser": False}
_CSV = "user_id,password,is_superuser\nalice,a long secret,false\n"
_FILE_SCHEMA = {
    "type": "object",
    "properties": {
        "filename": {
            "type": "string",
            "format": "binary",
            "description": "The file; `.json` or `.csv` at the end of its name says what it is.",
        }
    },
    "required": ["filename"],
}
_EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            "text/plain": {
                "example": "user_id,password_hash,salt,is_superuser\nalice,$2b$10$…,,false\n"
            }
        },
    }
}
_IMPORT_BODY = {
    BODY_BYTES_MAX: FILE_BYTES_MAX,
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FILE_SCHEMA, "example": {"filename": _CSV}},
            "application/json": {
                "schema": {"type": "array", "items": {"type": "object"}},
                "example": [{"user_id": "alice", "password": "a long secret"}],
            },
            "text/csv": {"schema": {"type": "string"}, "example": _CSV},
        },
    },
}


def add(api: APIRouter, users: ProviderUsers) -> None:
    """Add the operations."""
    _all(api, users)
    _files(api, users)
    _one(api, users)


def _all(api: APIRouter, users: ProviderUsers) -> None:
    @api.get(
        "/authentication/{id}/users",
        summary="List users of an authenticator",
        response_model=Page[UserRow],
        responses=errors("NOT_FOUND"),
    )
    async def list_users(
        id: str,
        page: PageQuery,
        like_user_id: Annotated[str, Query(description="What their names hold.")] = "",
        is_superuser: Annotated[
            bool | None, Query(description="Only those who are superusers, or are not.")
        ] = None,
        sort: Annotated[UserOrder, Query(description="Sort by this field.")] = "user_id",
        order: OrderQuery = "asc",
    ) -> Any:
        """Users in the order of their names, unless another is asked for."""
        wanted = Wanted(
            like=like_user_id,
            is_superuser=is_superuser,
            start=page.start,
            limit=page.limit,
            order=sort,
            is_descending=order == "desc",
        )
        rows, count = await users.find(id, wanted)
        return fast(page_of(rows, page.page, page.limit, count))

    @api.post(
        "/authentication/{id}/users",
        status_code=201,
        summary="Create a user",
        response_model=MadeUser,
        response_model_exclude_none=True,
        responses=errors("BAD_REQUEST", "NOT_FOUND", "ALREADY_EXISTS", "EXCEED_LIMIT")
        | example(ALICE, status=201),
    )
    async def create_user(id: str, body: NewUser) -> Any:
        """Add a user. A password that was made is shown in this answer and never again."""
        password = _secret(body.password)
        return await users.create(id, body.user_id, password, is_superuser=body.is_superuser)


def _one(api: APIRouter, users: ProviderUsers) -> None:
    @api.get(
        "/authentication/{id}/users/{user_id}",
        summary="Get a user",
        response_model=UserRow,
        responses=errors("NOT_FOUND") | example(ALICE),
    )
    async def get_user(id: str, user_id: str) -> Any:
        """One user."""
        return await users.get(id, user_id)

    @api.put(
        "/authentication/{id}/users/{user_id}",
        summary="Update a user",
        response_model=MadeUser,
        response_model_exclude_none=True,
        responses=errors("BAD_REQUEST", "NOT_FOUND", "EXCEED_LIMIT") | example(ALICE),
    )
    async def update_user(id: str, user_id: str, body: UserUpdate) -> Any:
        """Change the password, the flag, or both; what is left out stays."""
        return await users.update(
            id,
            user_id,
            _secret(body.password),
            is_superuser=body.is_superuser,
            generate=body.generate,
        )

    @api.delete(
        "/authentication/{id}/users/{user_id}",
        status_code=204,
        summary="Delete a user",
        responses=errors("NOT_FOUND"),
    )
    async def delete_user(id: str, user_id: str) -> Response:
        """Remove a user; who is connected stays connected."""
        await users.delete(id, user_id)
        return Response(status_code=204)


def _files(api: APIRouter, users: ProviderUsers) -> None:
    @api.post(
        "/authentication/{id}/import_users",
        status_code=204,
        summary="Import users",
        responses=errors("BAD_REQUEST", "NOT_FOUND", "UNSUPPORTED_MEDIA_TYPE")
        | {
            200: {"model": ImportReport, "description": "With `report=true`: what the file brought"}
        },
        openapi_extra=_IMPORT_BODY,
    )
    async def import_users(
        id: str,
        request: Request,
        type: Annotated[
            Literal["plain", "hash"],
            Query(description="Whether it holds passwords or hashes of them."),
        ],
        report: Annotated[bool, Query(description="Answer with what the file brought.")] = False,
    ) -> Response:
        """Every user of a file, CSV or JSON, or none: a file with a bad line changes nothing."""
        content, format_ = await _file(request)
        imported = await users.import_users(id, content, kind=type, format_=format_)
        if not report:
            return Response(status_code=204)
        return fast(
            {"added": imported.added, "changed": imported.replaced, "kept": imported.skipped}
        )

    @api.get(
        "/authentication/{id}/export_users",
        summary="Export users",
        response_class=PlainTextResponse,
        responses=errors("BAD_REQUEST", "NOT_FOUND") | _EXPORTED,
    )
    async def export_users(
        id: str,
        format: Annotated[Literal["json", "csv"], Query(description="Form of the file.")] = "json",
    ) -> Response:
        """Every user with its hash, as an import with `type=hash` takes them."""
        return PlainTextResponse(await users.export_users(id, format))


async def _file(request: Request) -> tuple[bytes, FileFormat]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return await request.body(), "json"
    if kind in ("text/csv", "text/plain"):
        return await request.body(), "csv"
    if kind != "multipart/form-data":
        raise HTTPException(415, "send multipart/form-data, application/json or text/csv")
    async with request.form(max_files=1, max_fields=8) as form:
        file = form.get("filename")
        if not isinstance(file, UploadFile):
            raise BadRequestError("the file has to be the part filename")
        name = (file.filename or "").lower()
        if not name.endswith((".csv", ".json")):
            raise BadRequestError("the name of the file has to end with .csv or .json")
        return await file.read(), "json" if name.endswith(".json") else "csv"


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)
