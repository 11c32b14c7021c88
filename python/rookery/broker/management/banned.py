"""``/banned``: who is kept out, in EMQX's shapes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rookery.access.bans import BanEntry, BanService
from rookery.broker.audit import AuditLog
from rookery.broker.management.body import read_object, text_of
from rookery.engine.access import ConfiguredAccess
from rookery.errors import BadRequestError
from rookery.web.paging import PageRequest, page

FOR_EVER = "infinity"


class BannedApi:
    """Reads a request, changes the bans, writes the answer."""

    def __init__(self, access: ConfiguredAccess, audit: AuditLog) -> None:
        self._access = access
        self._audit = audit

    @property
    def _bans(self) -> BanService:
        return self._access.stores.bans

    def routes(self) -> list[Route]:
        return [
            Route("/banned", self.list_all, methods=["GET"]),
            Route("/banned", self.create, methods=["POST"]),
            Route("/banned", self.clear, methods=["DELETE"]),
            Route("/banned/{kind}/{who:path}", self.delete, methods=["DELETE"]),
        ]

    async def list_all(self, request: Request) -> Response:
        """``?limit=&cursor=``: the latest first."""
        asked = PageRequest.parse(request.query_params)
        entries = await self._bans.all()
        end = asked.cursor + asked.limit
        rows = [_row(entry) for entry in entries[asked.cursor : end]]
        return JSONResponse(page(rows, end if end < len(entries) else None))

    async def create(self, request: Request) -> Response:
        """``{"as", "who", "reason"?, "by"?, "until"?}``; until in seconds or RFC 3339."""
        body = await read_object(request)
        entry = await self._bans.create(
            text_of(body, "as"),
            text_of(body, "who"),
            by=text_of(body, "by", ""),
            reason=text_of(body, "reason", ""),
            until_ms=_until_ms(body.get("until")),
        )
        row = _row(entry)
        self._audit.record("create", f"banned/{entry.kind}/{entry.who}", after=row)
        return JSONResponse(row)

    async def clear(self, _request: Request) -> Response:
        """Lift every ban."""
        await self._bans.clear()
        self._audit.record("delete", "banned")
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        kind, who = request.path_params["kind"], request.path_params["who"]
        await self._bans.delete(kind, who)
        self._audit.record("delete", f"banned/{kind}/{who}")
        return Response(status_code=204)


def _row(entry: BanEntry) -> dict[str, Any]:
    return {
        "as": entry.kind,
        "who": entry.who,
        "by": entry.by,
        "reason": entry.reason,
        "at": _when(entry.at_ms),
        "until": FOR_EVER if entry.until_ms is None else _when(entry.until_ms),
    }


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _until_ms(value: Any) -> int | None:
    if value is None or value == FOR_EVER:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value * 1000
    if isinstance(value, str):
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
    raise BadRequestError("until is a time as RFC 3339, in seconds since 1970, or infinity")
