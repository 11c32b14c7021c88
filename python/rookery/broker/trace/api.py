"""``/trace``."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query
from pydantic import Field
from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.broker.trace.files import CHUNK_BYTES_MAX
from rookery.broker.trace.models import DURATION_S, Trace
from rookery.errors import BadRequestError, NotFoundError
from rookery.observability.logs import timestamp
from rookery.web.lists import ListQuery
from rookery.web.models import Model, Page, Row
from rookery.web.rest import errors, example, fast
from rookery.web.sorting import OrderQuery

POSITION_MAX = 1 << 53
# Of the three subjects one is given: an example made of all members would be refused.
_EXAMPLE = {"name": "slow-device", "type": "clientid", "clientid": "dev-001"}
_TYPES = ("clientid", "topic", "ip_address")

Type = Literal["clientid", "topic", "ip_address"]
TraceSort = Literal["name", "type", "status", "payload_encode", "start_at", "end_at", "formatter"]
Encode = Literal["text", "hex", "hidden"]
Formatter = Literal["text", "json"]
Moment = Annotated[
    int | str,
    Field(union_mode="left_to_right", examples=["2026-11-04T18:17:38+08:00", 1793874000]),
]
Name = Annotated[str, Path(description="Name of the trace.", examples=["slow-device"])]
OfNode = Annotated[
    str | None,
    Query(alias="node", description="Name of the node.", examples=["rookery@127.0.0.1"]),
]


class TraceInput(Model):
    """A trace to be started. Of `clientid`, `topic` and `ip_address` the one that `type` names is given."""

    name: str = Field(
        description="Its name: a letter, then letters, digits, `-` and `_`.",
        examples=["slow-device"],
        pattern=r"^[A-Za-z][A-Za-z0-9_-]*$",
        max_length=200,
    )
    type: Type = Field(description="What it is about.", examples=["clientid"])
    clientid: str | None = Field(default=None, description="The client.", examples=["dev-001"])
    topic: str | None = Field(default=None, description="Topic or topic filter.", examples=["a/#"])
    ip_address: str | None = Field(
        default=None, description="Address of clients.", examples=["192.0.2.7"]
    )
    payload_encode: Encode = Field(
        default="text",
        description="Payloads as `text`, as `hex`, or `hidden` as `******`.",
        examples=["text"],
    )
    start_at: Moment | None = Field(
        default=None, description="RFC 3339 or seconds since 1970; now if absent."
    )
    end_at: Moment | None = Field(
        default=None, description="RFC 3339 or seconds since 1970; 10 minutes later if absent."
    )
    formatter: Formatter = Field(
        default="text", description="Lines as text or as JSON objects.", examples=["text"]
    )


class TraceRow(Row):
    """A trace."""

    name: str = Field(description="Its name.", examples=["slow-device"])
    type: Type = Field(description="What it is about.", examples=["clientid"])
    clientid: str | None = Field(default=None, description="The client.")
    topic: str | None = Field(default=None, description="Topic or topic filter.")
    ip_address: str | None = Field(default=None, description="Address of clients.")
    status: Literal["running", "stopped", "waiting"] = Field(
        description="What it does now.", examples=["running"]
    )
    payload_encode: Encode = Field(description="How payloads are shown.")
    start_at: str = Field(description="When it began or begins, RFC 3339.")
    end_at: str = Field(description="When it ends, RFC 3339.")
    formatter: Formatter = Field(description="Form of a line.")
    log_size: list[dict[str, Any]] = Field(description="Bytes of its log, by node.")


class LogMeta(Row):
    """Where a part of a log stands."""

    bytes: int = Field(description="Bytes asked for.")
    position: int = Field(description="Where to go on.")


class LogPart(Row):
    """A part of a log."""

    items: str = Field(description="The lines.")
    meta: LogMeta = Field(description="Where they stand.")


class LogDetail(Row):
    """A log of a trace."""

    node: str = Field(description="The node that wrote it.")
    size: int = Field(description="Its bytes.")
    mtime: int = Field(description="When it was written last, ms since 1970.")


_ROW = {
    "name": "slow-device",
    "type": "clientid",
    "clientid": "dev-001",
    "status": "running",
    "payload_encode": "text",
    "start_at": "2026-11-04T18:17:38.000+08:00",
    "end_at": "2026-11-04T18:27:38.000+08:00",
    "formatter": "text",
    "log_size": [{"node": "rookery@127.0.0.1", "size": 1024}],
}
_LOG = {"items": "2026-11-04T18:17:39… [MQTT] dev-001@…\n", "meta": {"bytes": 1000, "position": 60}}
_DETAIL = [{"node": "rookery@127.0.0.1", "size": 1024, "mtime": 1793874000000}]
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A zip archive with the log.",
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": "(the lines of the trace)",
            }
        },
    }
}


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Trace"])
    _add_traces(api, node)
    _add_logs(api, node)
    return api


def _add_traces(api: APIRouter, node: NodeContext) -> None:
    @api.get(
        "/trace",
        summary="List traces",
        response_model=list[TraceRow] | Page[TraceRow],
        response_model_exclude_none=True,
        responses=example([_ROW]),
    )
    async def traces(
        wanted: ListQuery,
        sort: Annotated[
            TraceSort | None,
            Query(description="Sort by this field; the one that began last first without it."),
        ] = None,
        order: OrderQuery = "asc",
    ) -> Response:
        """Every trace, those that are over included. With `page` or `limit` the answer is a page."""
        found = node.services.trace.traces()

        def read() -> Any:
            rows = [_row(node, trace).model_dump(exclude_none=True) for trace in found]
            return wanted.answer(rows, ("name", *_TYPES), sort, order)

        return fast(await asyncio.to_thread(read))

    @api.post(
        "/trace",
        summary="Start a trace",
        response_model_exclude_none=True,
        responses=errors(
            "BAD_REQUEST", "INVALID_PARAMS", "ALREADY_EXISTS", "DUPLICATE_CONDITION", "EXCEED_LIMIT"
        )
        | example(_ROW),
    )
    async def create(body: Annotated[TraceInput, Body(examples=[_EXAMPLE])]) -> TraceRow:
        """From its start to its end everything about its subject is written to a file."""
        trace = await node.services.trace.create(_trace(node, body))
        return _row(node, trace)

    @api.delete("/trace", summary="Delete all traces", status_code=204)
    async def clear() -> None:
        """Stop and forget every trace, with the logs."""
        await node.services.trace.clear()

    @api.delete(
        "/trace/{name}", summary="Delete a trace", status_code=204, responses=errors("NOT_FOUND")
    )
    async def delete(name: Name) -> None:
        """Stop and forget a trace, with its log."""
        await node.services.trace.delete(name)

    @api.put(
        "/trace/{name}/stop",
        summary="Stop a trace",
        response_model_exclude_none=True,
        responses=errors("NOT_FOUND") | example({**_ROW, "status": "stopped"}),
    )
    async def stop(name: Name) -> TraceRow:
        """End a trace before its time; its log stays."""
        return _row(node, await node.services.trace.stop(name))


def _add_logs(api: APIRouter, node: NodeContext) -> None:
    service = node.services.trace

    @api.get(
        "/trace/{name}/download",
        summary="Download the log of a trace",
        response_class=Response,
        responses=errors("NOT_FOUND") | _ZIP,
    )
    async def download(name: Name, node_: OfNode = None) -> Response:
        """The whole log, compressed."""
        _check_node(node, node_)
        service.get(name)
        data = await asyncio.to_thread(service.files.zipped, name, node.node_name)
        headers = {"content-disposition": f'attachment; filename="trace_{name}.zip"'}
        return Response(data, media_type="application/octet-stream", headers=headers)

    @api.get(
        "/trace/{name}/log_detail",
        summary="Get the size of the log of a trace",
        responses=errors("NOT_FOUND") | example(_DETAIL),
    )
    async def log_detail(name: Name) -> list[LogDetail]:
        """How large the log is, and when it was written last."""
        service.get(name)
        size, mtime = service.files.size(name), service.files.modified_ms(name)
        return [LogDetail(node=node.node_name, size=size, mtime=mtime)]

    @api.get(
        "/trace/{name}/log",
        summary="Read the log of a trace",
        responses=errors("BAD_REQUEST", "NOT_FOUND") | example(_LOG),
    )
    async def log(
        name: Name,
        position: Annotated[
            int, Query(ge=0, le=POSITION_MAX, description="From this byte on.")
        ] = 0,
        bytes_: Annotated[
            int,
            Query(
                alias="bytes",
                ge=0,
                le=(1 << 31) - 1,
                description=f"Most bytes; never more than {CHUNK_BYTES_MAX} at once.",
            ),
        ] = 1000,
        node_: OfNode = None,
    ) -> LogPart:
        """A part of the log; `meta.position` is where the next part begins."""
        _check_node(node, node_)
        service.get(name)
        items, at = await asyncio.to_thread(service.files.read, name, position, bytes_)
        return LogPart(items=items, meta=LogMeta(bytes=bytes_, position=at))


def _check_node(node: NodeContext, name: str | None) -> None:
    if name is not None and name != node.node_name:
        raise NotFoundError(f"no node {name[:200]}")


def _trace(node: NodeContext, body: TraceInput) -> Trace:
    value = getattr(body, body.type)
    others = [name for name in _TYPES if name != body.type and getattr(body, name) is not None]
    if value is None or others:
        raise BadRequestError(
            f"a trace of type {body.type} names {body.type} and nothing else", code="INVALID_PARAMS"
        )
    now_s = node.clock.now_ms() // 1000
    start = now_s if body.start_at is None else _seconds(body.start_at)
    end = start + DURATION_S if body.end_at is None else _seconds(body.end_at)
    return Trace(
        number=0,
        name=body.name,
        type=body.type,
        value=value,
        start_at_s=start,
        end_at_s=end,
        payload_encode=body.payload_encode,
        formatter=body.formatter,
    )


def _seconds(moment: int | str) -> int:
    if isinstance(moment, int):
        return moment
    try:
        when = datetime.fromisoformat(moment)
        return int(when.timestamp())
    except (ValueError, OverflowError, OSError):
        text = f"{moment[:40]!r} is neither RFC 3339 nor a number of seconds"
        raise BadRequestError(text, code="INVALID_PARAMS") from None


def _row(node: NodeContext, trace: Trace) -> TraceRow:
    service = node.services.trace
    return TraceRow.model_validate(
        {
            "name": trace.name,
            "type": trace.type,
            trace.type: trace.value,
            "status": service.status(trace),
            "payload_encode": trace.payload_encode,
            "start_at": timestamp(trace.start_at_s),
            "end_at": timestamp(trace.end_at_s),
            "formatter": trace.formatter,
            "log_size": [{"node": node.node_name, "size": service.files.size(trace.name)}],
        }
    )
