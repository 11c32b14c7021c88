"""``/neuron/read…``, ``/neuron/write…``, the live values of a group, and looking through a device."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from rookery.edge.api.names import GroupName, GroupQuery, NodeName, NodeQuery, TagName
from rookery.edge.api.streams import HEADERS, LIFE_S, may_still_look
from rookery.edge.context import EdgeContext
from rookery.edge.model import Report, TagValue, Write
from rookery.edge.rest.guard import FOR_VIEWERS
from rookery.edge.rest.models import DONE, Done
from rookery.edge.wire import tag_of, tag_row, value_json
from rookery.web.language import LanguageQuery
from rookery.web.models import Model, Row

PAGE_SIZE_MAX = 10_000
STILL_HERE_S = 15.0

AnyValue = Annotated[
    Any, Field(description="Number, boolean, text, or a list of bytes.", examples=[21])
]


class QueryGiven(Model):
    """Which tags."""

    name: str = Field(default="", max_length=1024, description="What the name holds.")
    description: str = Field(default="", max_length=1024, description="What the description holds.")


class ReadGiven(Model):
    """Tags of a group."""

    node: NodeName
    group: GroupName
    sync: bool = Field(default=False, description="Ask the device now.", examples=[False])
    tags: list[TagName] | None = Field(default=None, description="Only these.", max_length=100_000)
    query: QueryGiven = Field(default_factory=QueryGiven, description="Only some.")


class ValueShown(Row):
    """A value, or why there is none."""

    name: str = Field(description="The tag.", examples=["temperature"])
    value: AnyValue = None
    error: int | None = Field(
        default=None, description="What went wrong, instead of a value.", examples=[None]
    )
    timestamp: int = Field(
        default=0, description="When, in milliseconds since 1970.", examples=[1769846400000]
    )


class ValuesShown(Row):
    """Values."""

    tags: list[ValueShown] = Field(description="In the order of the group.")


class PageGiven(Model):
    """A page of a group."""

    node: NodeName
    group: GroupName
    sync: bool = Field(default=False, description="Ask the device now.", examples=[False])
    query: QueryGiven = Field(default_factory=QueryGiven, description="Only some.")
    currentPage: int = Field(default=1, ge=1, le=1 << 31, description="From 1.")  # noqa: N815
    pageSize: int = Field(default=100, ge=1, le=PAGE_SIZE_MAX, description="Rows of a page.")  # noqa: N815
    isError: bool = Field(default=False, description="Only those without a value.")  # noqa: N815


class PageMetaShown(Row):
    """Where a page stands."""

    currentPage: int = Field(description="From 1.", examples=[1])  # noqa: N815
    pageSize: int = Field(description="Rows of a page.", examples=[100])  # noqa: N815
    total: int = Field(description="Rows of all pages.", examples=[1])


class ItemsShown(Row):
    """A page of values with their tags."""

    meta: PageMetaShown = Field(description="Where it stands.")
    items: list[dict[str, Any]] = Field(
        description="Tags, each with `value` or `error`, and `timestamp`.",
        examples=[[{"name": "temperature", "address": "1!40001", "type": 3, "value": 21}]],
    )


class TestGiven(Model):
    """A tag that need not be kept."""

    driver: NodeName
    group: GroupName = ""
    tag: TagName
    address: str = Field(default="", max_length=1024, description="Where.", examples=["1!40001"])
    attribute: int = Field(default=1, description="As of a tag.", examples=[1])
    type: int = Field(description="As of a tag.", examples=[3])
    precision: int = Field(default=0, description="As of a tag.", examples=[0])
    decimal: float = Field(default=0, description="As of a tag.", examples=[0])
    bias: float = Field(default=0, description="As of a tag.", examples=[0])


class TestShown(Row):
    """What was read."""

    value: AnyValue = None
    error: int = Field(default=0, description="0, or what went wrong.", examples=[0])


class WriteGiven(Model):
    """A value for a tag."""

    node: NodeName
    group: GroupName
    tag: TagName
    value: AnyValue


class TagWrite(Model):
    """A value for a tag."""

    tag: TagName
    value: AnyValue


class WritesGiven(Model):
    """Values for tags of a group."""

    node: NodeName
    group: GroupName
    tags: list[TagWrite] = Field(max_length=10_000, description="Tag by tag.")


class WrittenShown(Row):
    """What became of a write."""

    tag: str = Field(description="The tag.", examples=["temperature"])
    error: int = Field(description="0, or what went wrong.", examples=[0])
    message: str = Field(default="", description="The same for people.")


class WritesShown(Done):
    """What became of each."""

    tags: list[WrittenShown] = Field(description="Tag by tag.")


class PlaceShown(Row):
    """A place in a device's own tree."""

    id: str = Field(description="With which its children are asked for, and a tag's address.")
    name: str = Field(description="Its name.", examples=["Temperature"])
    has_children: bool = Field(description="Whether there is something below.")
    type: int | None = Field(default=None, description="Of a variable: the type of its tag.")
    is_writable: bool = Field(default=False, description="Whether it can be written.")


class PlacesShown(Row):
    """Places of a device."""

    places: list[PlaceShown] = Field(description="Below the one that was asked for.")


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(prefix="/neuron", tags=["Values"])
    _reading(api, edge)
    _writing(api, edge)
    _looking(api, edge)
    return api


def _reading(api: APIRouter, edge: EdgeContext) -> None:
    @api.post("/read", summary="Values of a group", openapi_extra=FOR_VIEWERS)
    async def read(given: ReadGiven) -> ValuesShown:
        """What was read last, or with `sync` what the device answers now."""
        names = None if given.tags is None else frozenset(given.tags)
        found = await _values(edge, given.node, given.group, sync=given.sync)
        wanted = _described(edge, given.node, given.group, given.query)
        rows = [
            _value(one)
            for one in found
            if one.name in wanted and (names is None or one.name in names)
        ]
        return ValuesShown(tags=rows)

    @api.post(
        "/read/paginate", summary="A page of the values of a group", openapi_extra=FOR_VIEWERS
    )
    async def paginate(given: PageGiven) -> ItemsShown:
        """With the tags that they are of."""
        found = await _values(edge, given.node, given.group, sync=given.sync)
        wanted = _described(edge, given.node, given.group, given.query)
        rows = [
            wanted[one.name] | _value(one).model_dump(exclude_none=True)
            for one in found
            if one.name in wanted and (one.error or not given.isError)
        ]
        start = (given.currentPage - 1) * given.pageSize
        meta = PageMetaShown(
            currentPage=given.currentPage, pageSize=given.pageSize, total=len(rows)
        )
        return ItemsShown(meta=meta, items=rows[start : start + given.pageSize])

    @api.post("/read/test", summary="Read a tag that is not kept", openapi_extra=FOR_VIEWERS)
    async def test(given: TestGiven) -> TestShown:
        """To try an address before adding it. The driver has to run."""
        members = ("address", "attribute", "type", "precision", "decimal", "bias")
        raw = {name: getattr(given, name) for name in members}
        tag = tag_of({**raw, "name": given.tag})
        found = await edge.service.values.test(given.driver, given.group or None, tag)
        return TestShown(value=value_json(found.value), error=found.error)

    @api.get(
        "/read/stream",
        summary="Values of a group as they are read",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}, "description": "A stream"}},
    )
    async def stream(request: Request, node: NodeQuery, group: GroupQuery) -> Response:
        """Server-sent events: `values` with `{timestamp, tags: [{name, value | error}]}`, at first what was
        read last. A reader that is slow gets the newest.
        """
        first = edge.service.values.read(node, group)
        return StreamingResponse(
            _live(edge, request, node, group, first),
            media_type="text/event-stream",
            headers=HEADERS,
        )


def _writing(api: APIRouter, edge: EdgeContext) -> None:
    @api.post("/write", summary="Write a value")
    async def write(given: WriteGiven) -> Done:
        """To the device, and read back."""
        await edge.service.values.write(given.node, given.group, given.tag, given.value)
        return DONE

    @api.post("/write/tags", summary="Write values of a group")
    async def write_tags(given: WritesGiven, language: LanguageQuery) -> WritesShown:
        """To the device; what became of each is answered."""
        writes = [Write(given.group, one.tag, one.value) for one in given.tags]
        found = await edge.service.values.write_all(given.node, writes)
        rows = [
            WrittenShown(
                tag=one.tag,
                error=one.error,
                message=one.reason.text(language) if one.reason is not None else "",
            )
            for one in found
        ]
        return WritesShown(error=next((row.error for row in rows if row.error), 0), tags=rows)


def _looking(api: APIRouter, edge: EdgeContext) -> None:
    @api.get("/browse", summary="Look through a device")
    async def browse(
        node: NodeQuery,
        parent: Annotated[
            str, Query(max_length=1024, description="Below which place; none: the top.")
        ] = "",
    ) -> PlacesShown:
        """Where its driver can do that, such as OPC UA. The driver has to run."""
        found = await edge.service.nodes.browse(node, parent)
        return PlacesShown(
            places=[
                PlaceShown(
                    id=one.id,
                    name=one.name,
                    has_children=one.has_children,
                    type=None if one.type is None else int(one.type),
                    is_writable=one.is_writable,
                )
                for one in found
            ]
        )


async def _values(edge: EdgeContext, node: str, group: str, *, sync: bool) -> Sequence[TagValue]:
    if sync:
        return await edge.service.values.read_now(node, group)
    return edge.service.values.read(node, group)


def _described(
    edge: EdgeContext, node: str, group: str, query: QueryGiven
) -> dict[str, dict[str, Any]]:
    """Tags that are asked for, by name."""
    name, description = query.name.casefold(), query.description.casefold()
    return {
        tag.name: tag_row(tag)
        for tag in edge.service.tags.list(node, group)
        if name in tag.name.casefold() and description in tag.description.casefold()
    }


def _value(one: TagValue) -> ValueShown:
    if one.error:
        return ValueShown(name=one.name, error=one.error, timestamp=one.timestamp_ms)
    return ValueShown(name=one.name, value=value_json(one.value), timestamp=one.timestamp_ms)


async def _live(
    edge: EdgeContext, request: Request, node: str, group: str, first: Iterable[TagValue]
) -> AsyncIterator[str]:
    deadline_s = edge.clock.monotonic_s() + LIFE_S
    yield _event(edge.clock.now_ms(), [_pair(one.name, one.value, one.error) for one in first])
    async with edge.service.values.follow(node, group) as reports:
        waiting = asyncio.ensure_future(anext(reports))
        try:
            while edge.clock.monotonic_s() < deadline_s and may_still_look(edge, request):
                done, _ = await asyncio.wait([waiting], timeout=STILL_HERE_S)
                if not done:
                    yield ": still here\n\n"
                    continue
                report = waiting.result()
                waiting = asyncio.ensure_future(anext(reports))
                yield _event(report.timestamp_ms, _pairs(report))
        except StopAsyncIteration:
            return  # the group is gone
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


def _pairs(report: Report) -> list[dict[str, Any]]:
    found = [_pair(name, value, 0) for name, value in report.values.items()]
    return found + [_pair(name, None, number) for name, number in report.errors.items()]


def _pair(name: str, value: Any, error: int) -> dict[str, Any]:
    return {"name": name, "error": error} if error else {"name": name, "value": value_json(value)}


def _event(at_ms: int, tags: list[dict[str, Any]]) -> str:
    text = json.dumps({"timestamp": at_ms, "tags": tags}, ensure_ascii=False)
    return f"event: values\ndata: {text}\n\n"
