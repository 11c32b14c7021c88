"""``/audit``: who changed what, in EMQX's shape and with what it was before and after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from rookery.broker.audit import reader
from rookery.broker.management.context import NodeContext
from rookery.errors import BadRequestError
from rookery.web.models import Page, Row
from rookery.web.rest import PageQuery, example, fast, page_of
from rookery.web.sorting import OrderQuery

Origin = Literal["dashboard", "rest_api", "cli", "node"]
Method = Literal["post", "put", "delete"]
Result = Literal["success", "failure"]
AuditSort = Literal[
    "created_at", "from", "source", "source_ip", "operation_id", "operation_type",
    "operation_result", "http_status_code", "http_method", "duration_ms",
]  # fmt: skip


class AuditRequest(Row):
    """What was sent, secrets masked."""

    method: Method = Field(description="HTTP method.", examples=["put"])
    bindings: dict[str, str] = Field(
        description="Parameters in the path.", examples=[{"username": "alice"}]
    )
    query: str = Field(description="The query string.", examples=[""])
    body: Any = Field(description="The body.", examples=[{"role": "viewer"}])


class AuditRow(Row):
    """Something that somebody did, or tried to."""

    created_at: str = Field(description="When.", examples=["2026-01-31T08:00:00.000+08:00"])
    node: str = Field(description="On which node.", examples=["rookery@127.0.0.1"])
    from_: Origin = Field(
        alias="from",
        description="`dashboard`: a user; `rest_api`: an API key; `cli`: this machine; `node`: "
        "the node itself.",
        examples=["dashboard"],
    )
    source: str = Field(description="Who.", examples=["admin"])
    source_ip: str = Field(description="From where.", examples=["192.0.2.10"])
    operation_id: str = Field(description="Path of the operation.", examples=["/users/:username"])
    operation_type: str = Field(description="What it is about.", examples=["users"])
    operation_result: Result = Field(description="What became of it.", examples=["success"])
    http_status_code: int | None = Field(description="Status of the answer.", examples=[200])
    http_method: Method | None = Field(description="HTTP method.", examples=["put"])
    duration_ms: int | None = Field(description="How long it took.", examples=[12])
    args: list[str] = Field(description="Arguments; always empty here.", examples=[[]])
    failure: list[str] = Field(description="Why it failed.", examples=[[]])
    http_request: AuditRequest | None = Field(description="What was sent, secrets masked.")
    before: Any = Field(description="How it was.", examples=[{"role": "administrator"}])
    after: Any = Field(description="How it is.", examples=[{"role": "viewer"}])


EXAMPLE: dict[str, Any] = {
    "data": [
        {
            "created_at": "2026-01-31T08:00:00.000+08:00",
            "node": "rookery@127.0.0.1",
            "from": "dashboard",
            "source": "admin",
            "source_ip": "192.0.2.10",
            "operation_id": "/users/:username",
            "operation_type": "users",
            "operation_result": "success",
            "http_status_code": 200,
            "http_method": "put",
            "duration_ms": 12,
            "args": [],
            "failure": [],
            "http_request": {
                "method": "put",
                "bindings": {"username": "alice"},
                "query": "",
                "body": {"role": "viewer"},
            },
            "before": {"role": "administrator", "description": ""},
            "after": {"role": "viewer", "description": ""},
        }
    ],
    "meta": {"page": 1, "limit": 100, "hasnext": False},
}


class AuditFilter:
    """EMQX's filters; all that are given have to fit."""

    def __init__(
        self,
        node: Annotated[str | None, Query(description="On which node.")] = None,
        from_: Annotated[
            Origin | None, Query(alias="from", description="How it was asked for.")
        ] = None,
        source: Annotated[str | None, Query(description="Who.")] = None,
        source_ip: Annotated[str | None, Query(description="From where.")] = None,
        operation_id: Annotated[str | None, Query(description="Path of the operation.")] = None,
        operation_type: Annotated[str | None, Query(description="What it is about.")] = None,
        operation_result: Annotated[Result | None, Query(description="What became of it.")] = None,
        http_status_code: Annotated[int | None, Query(description="Status of the answer.")] = None,
        http_method: Annotated[Method | None, Query(description="HTTP method.")] = None,
        gte_duration_ms: Annotated[int | None, Query(description="At least so long.")] = None,
        lte_duration_ms: Annotated[int | None, Query(description="At most so long.")] = None,
        gte_created_at: Annotated[
            str | None, Query(description="Not before: RFC 3339, or microseconds since 1970.")
        ] = None,
        lte_created_at: Annotated[
            str | None, Query(description="Not after: RFC 3339, or microseconds since 1970.")
        ] = None,
    ) -> None:
        self._same = {
            "node": node,
            "from": from_,
            "source": source,
            "source_ip": source_ip,
            "operation_id": operation_id,
            "operation_type": operation_type,
            "operation_result": operation_result,
            "http_status_code": http_status_code,
            "http_method": http_method,
        }
        self._durations = (gte_duration_ms, lte_duration_ms)
        self._times = (_ms("gte_created_at", gte_created_at), _ms("lte_created_at", lte_created_at))

    def wants(self, row_of: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., bool]:
        """A predicate for entries."""
        same = {name: value for name, value in self._same.items() if value is not None}

        def wanted(entry: dict[str, Any]) -> bool:
            if not _within(reader.at_ms(entry), self._times):
                return False
            row = row_of(entry)
            return all(row[name] == value for name, value in same.items()) and (
                self._durations == (None, None) or _within(row["duration_ms"], self._durations)
            )

        return wanted


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Audit"])
    row_of = _Rows(node.node_name)

    @api.get(
        "/audit",
        summary="Search the audit log",
        response_model=Page[AuditRow],
        responses=example(EXAMPLE),
    )
    async def audit(
        page: PageQuery,
        filters: Annotated[AuditFilter, Depends()],
        sort: Annotated[
            AuditSort | None, Query(description="Sort by this field; the latest first without it.")
        ] = None,
        order: OrderQuery = "asc",
    ) -> Any:
        """What was changed or tried. Nobody counts them: `count` is absent."""
        log, wanted, is_descending = node.services.audit, filters.wants(row_of), order == "desc"

        def read() -> reader.Found:
            if sort is None or (sort == "created_at" and is_descending):
                return reader.find(log, wanted, page.start, page.limit)
            return reader.find_sorted(
                log,
                wanted,
                lambda entry: _place(entry, row_of(entry), sort),
                page.start,
                page.limit,
                is_descending=is_descending,
            )

        found = await asyncio.to_thread(read)
        rows = [row_of(entry) for entry in found.entries]
        return fast(page_of(rows, page.page, page.limit, None, hasnext=found.is_more))

    return api


class _Rows:
    """Turns entries into EMQX's rows."""

    def __init__(self, node_name: str) -> None:
        self._node_name = node_name

    def __call__(self, entry: dict[str, Any]) -> dict[str, Any]:
        request = entry.get("request") or {}
        result = entry.get("result", "ok")
        operation = request.get("operation") or str(entry.get("target", ""))
        method = request.get("method")
        return {
            "created_at": entry.get("at", ""),
            "node": self._node_name,
            "from": request.get("from", "node"),
            "source": entry.get("by", ""),
            "source_ip": request.get("address", ""),
            "operation_id": operation,
            "operation_type": operation.strip("/").split("/")[0],
            "operation_result": "success" if result == "ok" else "failure",
            "http_status_code": request.get("status"),
            "http_method": method,
            "duration_ms": request.get("duration_ms"),
            "args": [],
            "failure": [] if result == "ok" else [str(result)],
            "http_request": {
                "method": method,
                "bindings": request.get("bindings", {}),
                "query": request.get("query", ""),
                "body": request.get("body"),
            }
            if request
            else None,
            "before": entry.get("before"),
            "after": entry.get("after"),
        }


def _place(entry: dict[str, Any], row: dict[str, Any], sort: AuditSort) -> reader.Place:
    if sort == "created_at":
        return True, reader.at_ms(entry)
    value = row[sort]
    return (False, "") if value is None else (True, value)


def _within(value: int | None, bounds: tuple[int | None, int | None]) -> bool:
    least, most = bounds
    if value is None:
        return False
    return (least is None or value >= least) and (most is None or value <= most)


def _ms(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 17:
        return int(text) // 1000
    try:
        # A plus sign in a query that nobody encoded is a space.
        when = datetime.fromisoformat(text.replace(" ", "+"))
        return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise BadRequestError(f"{name} is a time as RFC 3339, or microseconds since 1970") from None
