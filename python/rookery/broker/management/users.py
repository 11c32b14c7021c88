"""``/authentication/{id}/users``: users of the built-in database, in EMQX's shapes."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from rookery.access.passwords.algorithms import HashSettings
from rookery.access.users.models import IdType, User
from rookery.access.users.service import UserService
from rookery.broker.audit import AuditLog
from rookery.broker.management.body import flag_of, read_bytes, read_object, text_of
from rookery.broker.settings import NodeSettings
from rookery.engine.access import ConfiguredAccess
from rookery.errors import BadRequestError, NotFoundError
from rookery.types import Secret
from rookery.web.paging import LIMIT_DEFAULT, LIMIT_MAX

PROVIDER = "password_based:built_in_database"


class UsersApi:
    """Users can be prepared before the provider is configured: they are then its."""

    def __init__(self, access: ConfiguredAccess, settings: NodeSettings, audit: AuditLog) -> None:
        self._access = access
        self._settings = settings
        self._audit = audit

    @property
    def _users(self) -> UserService:
        return self._access.stores.users

    def routes(self) -> list[Route]:
        base = "/authentication/{id}"
        one = f"{base}/users/{{user_id:path}}"
        return [
            Route(f"{base}/users", self.list_all, methods=["GET"]),
            Route(f"{base}/users", self.create, methods=["POST"]),
            Route(f"{base}/import_users", self.import_users, methods=["POST"]),
            Route(f"{base}/export_users", self.export_users, methods=["GET"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def list_all(self, request: Request) -> Response:
        """``?like_user_id=&after=&limit=``: a page of users in order."""
        id_type = self._id_type(request)
        query = request.query_params
        limit = _limit(query.get("limit"))
        found = await self._users.page(
            id_type, after=query.get("after", ""), limit=limit, like=query.get("like_user_id", "")
        )
        after = found[-1].user_id if len(found) == limit else None
        meta = {"count": len(found), "after": after}
        return JSONResponse({"data": [_row(user) for user in found], "meta": meta})

    async def create(self, request: Request) -> Response:
        """``{"user_id", "password"?, "is_superuser"?}``; a password that is made is in the answer."""
        id_type = self._id_type(request)
        body = await read_object(request)
        user_id = text_of(body, "user_id")
        is_superuser = flag_of(body, "is_superuser") or False
        made = await self._users.create(
            id_type, user_id, _password(body), is_superuser=is_superuser
        )
        row = {"user_id": user_id, "is_superuser": is_superuser}
        self._audit.record("create", f"users/{user_id}", after=row)
        return JSONResponse(row if made is None else {**row, "password": made.reveal()}, 201)

    async def get(self, request: Request) -> Response:
        user = await self._users.get(self._id_type(request), request.path_params["user_id"])
        return JSONResponse(_row(user))

    async def update(self, request: Request) -> Response:
        """``{"password"?, "is_superuser"?}``, or ``{"generate": true}`` for a made password."""
        id_type, user_id = self._id_type(request), request.path_params["user_id"]
        body = await read_object(request)
        before = _row(await self._users.get(id_type, user_id))
        made = None
        if flag_of(body, "generate"):
            made = await self._users.renew_secret(id_type, user_id)
        password, is_superuser = _password(body), flag_of(body, "is_superuser")
        if made is None or is_superuser is not None:
            await self._users.update(id_type, user_id, password=password, is_superuser=is_superuser)
        row = _row(await self._users.get(id_type, user_id))
        after = {**row, "password_changed": made is not None or password is not None}
        self._audit.record("update", f"users/{user_id}", before=before, after=after)
        return JSONResponse(row if made is None else {**row, "password": made.reveal()})

    async def delete(self, request: Request) -> Response:
        user_id = request.path_params["user_id"]
        await self._users.delete(self._id_type(request), user_id)
        self._audit.record("delete", f"users/{user_id}", before={"user_id": user_id})
        return Response(status_code=204)

    async def import_users(self, request: Request) -> Response:
        """``?type=plain|hash&format=csv|json``: every user of a file, or none."""
        id_type = self._id_type(request)
        query = request.query_params
        kind, form = query.get("type", "hash"), query.get("format", "csv")
        if kind not in ("plain", "hash") or form not in ("csv", "json"):
            raise BadRequestError("type is plain or hash, format is csv or json")
        imported = await self._users.import_users(
            await read_bytes(request),
            id_type=id_type,
            format_="json" if form == "json" else "csv",
            kind="plain" if kind == "plain" else "hash",
            settings=self._hashing(),
        )
        row = {
            "added": imported.added,
            "changed": imported.replaced,
            "kept": imported.skipped,
        }
        self._audit.record("import", "users", after=row)
        return JSONResponse(row)

    async def export_users(self, request: Request) -> Response:
        """``?format=json|csv``: every user with its hash, as an import takes them."""
        form = request.query_params.get("format", "json")
        if form not in ("csv", "json"):
            raise BadRequestError("format is csv or json")
        text = await self._users.export_users(
            self._id_type(request), "csv" if form == "csv" else "json"
        )
        self._audit.record("export", "users")
        return PlainTextResponse(text)

    def _id_type(self, request: Request) -> IdType:
        if request.path_params["id"] != PROVIDER:
            raise NotFoundError(f"users are kept by {PROVIDER} alone")
        provider = self._provider()
        return "clientid" if provider.get("user_id_type") == "clientid" else "username"

    def _provider(self) -> dict[str, Any]:
        for entry in self._settings.config["authentication"]:
            if (entry["mechanism"], entry.get("backend")) == tuple(PROVIDER.split(":")):
                found: dict[str, Any] = entry
                return found
        return {}

    def _hashing(self) -> HashSettings:
        """How hashes in a file were made that does not say so itself."""
        said = self._provider().get("password_hash_algorithm", {"name": "argon2id"})
        if said["name"] == "argon2id":
            return HashSettings(name="sha256", salt_position="suffix")
        known = ("name", "salt_position", "mac_fun", "iterations", "dk_length")
        return HashSettings(**{key: said[key] for key in known if said.get(key) is not None})


def _row(user: User) -> dict[str, Any]:
    return {"user_id": user.user_id, "is_superuser": user.is_superuser}


def _password(body: dict[str, Any]) -> Secret | None:
    return Secret(text_of(body, "password")) if body.get("password") is not None else None


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT_DEFAULT
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LIMIT_MAX):
        raise BadRequestError(f"limit is a number from 1 to {LIMIT_MAX}")
    return int(text)
