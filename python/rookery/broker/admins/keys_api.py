"""``/api_key`` and ``/sso/code``: programs that manage the node."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from rookery.broker.admins.models import ApiKey
from rookery.broker.admins.sso import LIFETIME_S
from rookery.broker.management.context import NodeContext
from rookery.broker.management.rows import rfc3339
from rookery.clock import LATEST_MS
from rookery.errors import BadRequestError, NotAllowedError
from rookery.web.lists import ListQuery
from rookery.web.models import Model, Page, Row
from rookery.web.rest import CurrentCaller, errors
from rookery.web.sorting import OrderQuery

KeyRole = Literal["administrator", "viewer", "publisher"]
KeySort = Literal["name", "api_key", "role", "enable", "expired_at", "created_at", "desc"]
NEVER = "infinity"
_SEARCHED = ("name", "api_key", "role", "desc")
_WHEN = "RFC 3339, seconds since 1970, or `infinity`."


class NewKey(Model):
    """A key to be made."""

    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,255}$",
        description="A letter, then letters, digits, `-` and `_`.",
        examples=["monitoring"],
    )
    expired_at: int | str = Field(
        default=NEVER, description=f"When it stops working: {_WHEN}", examples=[NEVER]
    )
    desc: str = Field(default="", max_length=500, description="A remark.", examples=["Grafana"])
    enable: bool = Field(default=True, description="Whether it works.")
    role: KeyRole = Field(default="administrator", description="What it may do.")


class KeyChange(Model):
    """What becomes another; what is left out stays."""

    expired_at: int | str | None = Field(
        default=None, description=f"When it stops working: {_WHEN}", examples=[NEVER]
    )
    desc: str | None = Field(
        default=None, max_length=500, description="A remark.", examples=["Grafana"]
    )
    enable: bool | None = Field(default=None, description="Whether it works.", examples=[True])
    role: KeyRole | None = Field(default=None, description="What it may do.", examples=["viewer"])


class KeyRow(Row):
    """A key; its secret is not kept."""

    name: str = Field(description="Name.", examples=["monitoring"])
    api_key: str = Field(description="User name of HTTP Basic.", examples=["4f33d24d7b8e448d"])
    expired_at: str = Field(description="When it stops working, or `infinity`.", examples=[NEVER])
    created_at: str = Field(
        description="When it was made.", examples=["2026-01-31T08:00:00.000+08:00"]
    )
    desc: str = Field(description="A remark.", examples=["Grafana"])
    enable: bool = Field(description="Whether it works.", examples=[True])
    expired: bool = Field(description="Whether its time is over.", examples=[False])
    role: KeyRole = Field(description="What it may do.", examples=["viewer"])


class MadeKey(KeyRow):
    """A key that was made. This is the only time its secret is shown."""

    api_secret: str = Field(
        description="Password of HTTP Basic.", examples=["gRG7oqbpn9BsCEpgMg9CMDRjMQ3dlYE1"]
    )


class CodeRequest(Model):
    """For whom the dashboard is opened."""

    username: str = Field(
        default="",
        max_length=100,
        pattern=r"^( *[!-~][ -~]*)?$",
        description="Who signs in, for the audit log; the name of the key if left out or empty.",
        examples=["alice@example.org"],
    )
    role: Literal["administrator", "viewer"] | None = Field(
        default=None,
        description="What that one may do: no more than the key, and as much if left out.",
        examples=["viewer"],
    )


class Code(Row):
    """A code for ``POST /login``."""

    sso_code: str = Field(description="Good once.", examples=["2YotnFZFEjr1zCsicMWpAA"])
    expires_in: int = Field(description="For so many seconds.", examples=[30])


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["API Keys"])
    _add_list(api, node)
    _add_keys(api, node)
    _add_codes(api, node)
    return api


def _add_list(api: APIRouter, node: NodeContext) -> None:
    @api.get("/api_key", summary="List API keys", response_model=list[KeyRow] | Page[KeyRow])
    async def keys(
        wanted: ListQuery,
        sort: Annotated[KeySort | None, Query(description="By which member.")] = None,
        order: OrderQuery = "asc",
    ) -> Any:
        """Every key, without secrets. With `page` or `limit` the answer is a page, otherwise the whole
        list.
        """
        now_ms = node.clock.now_ms()
        rows = [_row(key, now_ms) for key in node.services.admins.keys.all()]
        return wanted.answer(rows, _SEARCHED, sort, order)


def _add_keys(api: APIRouter, node: NodeContext) -> None:
    admins = node.services.admins

    def row(key: ApiKey) -> dict[str, Any]:
        return _row(key, node.clock.now_ms())

    @api.post(
        "/api_key",
        summary="Create an API key",
        response_model=MadeKey,
        responses=errors((400, "ALREADY_EXISTS")),
    )
    async def create_key(body: NewKey) -> Any:
        """Make a key. The answer has its secret, which cannot be had again."""
        made = await admins.keys.create(
            body.name,
            role=body.role,
            description=body.desc,
            enable=body.enable,
            expired_at_ms=_expiry_ms(body.expired_at),
        )
        return {**row(made.key), "api_secret": made.secret.reveal()}

    @api.get(
        "/api_key/{name}",
        summary="Get an API key",
        response_model=KeyRow,
        responses=errors("NOT_FOUND"),
    )
    async def key(name: str) -> Any:
        """One key, without its secret."""
        return row(admins.keys.get(name))

    @api.put(
        "/api_key/{name}",
        summary="Change an API key",
        response_model=KeyRow,
        responses=errors("NOT_FOUND"),
    )
    async def update_key(name: str, body: KeyChange) -> Any:
        """Change what a key may do and for how long. Its secret stays."""
        changes: dict[str, Any] = {
            "enable": body.enable,
            "description": body.desc,
            "role": body.role,
        }
        changes = {name: value for name, value in changes.items() if value is not None}
        if body.expired_at is not None:
            changes["expired_at_ms"] = _expiry_ms(body.expired_at)
        return row(await admins.keys.update(name, **changes))

    @api.delete(
        "/api_key/{name}",
        status_code=204,
        summary="Delete an API key",
        responses=errors("NOT_FOUND"),
    )
    async def delete_key(name: str) -> None:
        """Remove a key; it stops working at once, and who signed in by its codes is signed out."""
        await admins.keys.delete(name)


def _add_codes(api: APIRouter, node: NodeContext) -> None:
    admins = node.services.admins

    @api.post("/sso/code", summary="Get a sign-in code", responses=errors("FORBIDDEN"))
    async def code(caller: CurrentCaller, body: CodeRequest | None = None) -> Code:
        """A code that opens the dashboard for somebody without a password: `/?sso_code=CODE` in a
        browser, or `POST /login`. API keys alone get one. Without a body, or with `{}`, it is for the
        key itself: under the key's name, with as many rights.
        """
        asked = body or CodeRequest()
        if caller.via != "api_key":
            raise NotAllowedError("sign-in codes are for API keys")
        role = asked.role or caller.role
        if role == "administrator" and caller.role != "administrator":
            raise NotAllowedError("a code has no more rights than its API key")
        made = admins.codes.issue(caller.name, asked.username or caller.name, role)
        return Code(sso_code=made, expires_in=round(LIFETIME_S))


def _row(key: ApiKey, now_ms: int) -> dict[str, Any]:
    return {
        "name": key.name,
        "api_key": key.key,
        "expired_at": NEVER if key.expired_at_ms is None else rfc3339(key.expired_at_ms),
        "created_at": rfc3339(key.created_at_ms),
        "desc": key.description,
        "enable": key.enable,
        "expired": key.is_expired(now_ms),
        "role": key.role,
    }


def _expiry_ms(value: int | str) -> int | None:
    if value == NEVER:
        return None
    try:
        if isinstance(value, int):
            ms = value * 1000
        else:
            when = datetime.fromisoformat(value)
            ms = round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise BadRequestError(f"expired_at: a time is {_WHEN.replace('`', '')}") from None
    if not 0 <= ms <= LATEST_MS:
        raise BadRequestError("expired_at lies too far away")
    return ms
