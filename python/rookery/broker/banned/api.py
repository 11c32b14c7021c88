"""``/banned``: who is kept out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from starlette.responses import Response

from rookery.access.bans import BanEntry, BanOrder, BanService, WantedBans
from rookery.broker.audit import AuditLog
from rookery.broker.management.context import NodeContext
from rookery.broker.management.rows import rfc3339
from rookery.clock import LATEST_MS
from rookery.engine.access import ConfiguredAccess
from rookery.errors import BadRequestError, ConflictError
from rookery.native.config import BanKind
from rookery.web.models import Model, Page, Row
from rookery.web.rest import PageQuery, errors, example, fast, page_of
from rookery.web.sorting import OrderQuery

FOR_EVER = "infinity"
SHOWN = {
    "as": "clientid",
    "who": "sensor-1",
    "by": "admin",
    "reason": "sends nonsense",
    "at": "2026-01-01T00:00:00.000+00:00",
    "until": "infinity",
}

Kind = Literal["clientid", "username", "peerhost", "clientid_re", "username_re", "peerhost_net"]


class NewBan(Model):
    """Somebody to keep out."""

    kind: Kind = Field(
        alias="as",
        description="What `who` is: a name, an address, or a pattern.",
        examples=["clientid"],
    )
    who: str = Field(description="Whom.", examples=["sensor-1"])
    by: str = Field("", description="Who wants it.", examples=["admin"])
    reason: str = Field("", description="Why.", examples=["sends nonsense"])
    at: int | str | None = Field(
        None,
        description="Since when: seconds since 1970, or RFC 3339. Now, unless something is said.",
        examples=["2026-01-01T00:00:00Z"],
    )
    until: int | str | None = Field(
        None,
        description="Until when: seconds since 1970, RFC 3339, or `infinity`, which is what holds "
        "unless something is said.",
        examples=["infinity"],
    )


class BanName(Model):
    """Which ban."""

    kind: Kind = Field(alias="as", description="What `who` is.", examples=["clientid"])
    who: str = Field(description="Whom.", examples=["sensor-1"])


class BanRow(Row):
    """Somebody who is kept out."""

    kind: Kind = Field(alias="as", description="What `who` is.", examples=["clientid"])
    who: str = Field(description="Whom.", examples=["sensor-1"])
    by: str = Field(description="Who wanted it.", examples=["admin"])
    reason: str = Field(description="Why.", examples=["sends nonsense"])
    at: str = Field(description="Since when.", examples=["2026-01-01T00:00:00.000+00:00"])
    until: str = Field(description="Until when, or `infinity`.", examples=["infinity"])


class Filters:
    """Which bans; one has to fit all that is asked for."""

    def __init__(
        self,
        clientid: Annotated[str | None, Query(description="This client.")] = None,
        username: Annotated[str | None, Query(description="This user name.")] = None,
        peerhost: Annotated[str | None, Query(description="This address.")] = None,
        like_clientid: Annotated[str | None, Query(description="What a client holds.")] = None,
        like_username: Annotated[str | None, Query(description="What a user name holds.")] = None,
        like_peerhost: Annotated[str | None, Query(description="What an address holds.")] = None,
        like_peerhost_net: Annotated[str | None, Query(description="What a network holds.")] = None,
    ) -> None:
        self.exact = _given(clientid=clientid, username=username, peerhost=peerhost)
        self.like = _given(
            clientid=like_clientid,
            username=like_username,
            peerhost=like_peerhost,
            peerhost_net=like_peerhost_net,
        )


def _given(**values: str | None) -> dict[BanKind, str]:
    found: dict[Any, str] = {kind: value for kind, value in values.items() if value is not None}
    return found


class Bans:
    """Changes bans and leaves what it did in the audit log."""

    def __init__(self, access: ConfiguredAccess, audit: AuditLog) -> None:
        self._access = access
        self._audit = audit

    @property
    def service(self) -> BanService:
        return self._access.stores.bans

    async def create(self, ban: NewBan, *, replace: bool) -> dict[str, Any]:
        before = await self._known(ban) if replace else None
        try:
            entry = await self.service.create(
                ban.kind,
                ban.who,
                by=ban.by,
                reason=ban.reason,
                at_ms=_ms("at", ban.at),
                until_ms=None if ban.until == FOR_EVER else _ms("until", ban.until),
                replace=replace,
            )
        except ConflictError as error:
            # 400 in EMQX, with the code of a conflict.
            raise BadRequestError(
                error.message, code=error.code, message_zh=error.message_zh
            ) from None
        row = _row(entry)
        target = f"banned/{entry.kind}/{entry.who}"
        self._audit.record("create", target, before=before, after=row)
        return row

    async def delete(self, kind: str, who: str) -> None:
        entry = await self.service.delete(kind, who)
        self._audit.record("delete", f"banned/{kind}/{who}", before=_row(entry))

    async def _known(self, ban: NewBan) -> dict[str, Any] | None:
        wanted = WantedBans(exact={ban.kind: ban.who}, limit=1)
        found, _ = await self.service.find(wanted)
        return _row(found[0]) if found else None

    async def clear(self) -> None:
        count = await self.service.clear()
        self._audit.record("delete", "banned", before={"bans": count})


def router(node: NodeContext) -> APIRouter:
    bans = Bans(node.services.access.access, node.services.audit)
    api = APIRouter(tags=["Banned"])

    @api.get("/banned", summary="List bans", response_model=Page[BanRow])
    async def list_bans(
        page: PageQuery,
        wanted: Annotated[Filters, Depends()],
        sort: Annotated[
            BanOrder | None, Query(description="Sort by this field; the latest first without it.")
        ] = None,
        order: OrderQuery = "asc",
    ) -> Any:
        """Everybody who is kept out."""
        found, count = await bans.service.find(
            WantedBans(
                exact=wanted.exact,
                like=wanted.like,
                start=page.start,
                limit=page.limit,
                order=sort,
                is_descending=order == "desc",
            )
        )
        return fast(page_of([_row(entry) for entry in found], page.page, page.limit, count))

    @api.post(
        "/banned",
        summary="Create a ban",
        response_model=BanRow,
        responses=errors("BAD_REQUEST", (400, "ALREADY_EXISTS"), "EXCEED_LIMIT") | example(SHOWN),
    )
    async def create_ban(
        body: NewBan,
        replace: Annotated[bool, Query(description="Whether a ban that is there goes.")] = False,
    ) -> Any:
        """Keep somebody out; whoever it fits is disconnected at once."""
        return await bans.create(body, replace=replace)

    _deleting(api, bans)
    return api


def _deleting(api: APIRouter, bans: Bans) -> None:
    @api.post(
        "/banned/lift",
        status_code=204,
        summary="Delete a ban by its name",
        responses=errors("NOT_FOUND"),
    )
    async def lift_ban(body: BanName) -> Response:
        """As `DELETE /banned/{as}/{who}`, for names that a browser cannot put into an address: it
        takes `.` and `..` as steps of a path.
        """
        await bans.delete(body.kind, body.who)
        return Response(status_code=204)

    @api.delete("/banned", status_code=204, summary="Delete all bans")
    async def clear_bans() -> Response:
        """Everybody may come again."""
        await bans.clear()
        return Response(status_code=204)

    @api.delete(
        "/banned/{as}/{who}",
        status_code=204,
        summary="Delete a ban",
        responses=errors("NOT_FOUND"),
    )
    async def delete_ban(
        kind: Annotated[Kind, Path(alias="as", description="What `who` is.")], who: str
    ) -> Response:
        """Who was kept out may come again."""
        await bans.delete(kind, who)
        return Response(status_code=204)


def _row(entry: BanEntry) -> dict[str, Any]:
    return {
        "as": entry.kind,
        "who": entry.who,
        "by": entry.by,
        "reason": entry.reason,
        "at": rfc3339(entry.at_ms),
        "until": FOR_EVER if entry.until_ms is None else rfc3339(entry.until_ms),
    }


def _ms(name: str, value: int | str | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    try:
        if isinstance(value, int):
            ms = value * 1000
        else:
            when = datetime.fromisoformat(value)
            ms = round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise BadRequestError(f"{name} is a time as RFC 3339 or in seconds since 1970") from None
    if not 0 <= ms <= LATEST_MS:
        raise BadRequestError(f"{name} lies too far away")
    return ms
