"""``/clients``: who is there, and what an operator does to them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from rookery.broker.audit import changed
from rookery.broker.clients import messages, subscribing
from rookery.broker.clients.filters import Filters, Order
from rookery.broker.clients.models import (
    AclCacheEntry,
    ClientPage,
    ClientRow,
    ClientsAfter,
    KeepAlive,
    example_client,
    example_page,
)
from rookery.broker.clients.rows import client_row, with_fields
from rookery.broker.management.context import NodeContext
from rookery.broker.rest.parameters import ClientIdNotFoundError, InvalidParameterError, check_node
from rookery.web.models import LIMIT_DEFAULT, LIMIT_MAX
from rookery.web.rest import PageQuery, errors, example, fast, page_of

KICKS_MAX = 10_000
_NOT_FOUND = errors("CLIENTID_NOT_FOUND")
_DONE: dict[int | str, dict[str, Any]] = {204: {"description": "Done."}}
_EXAMPLE_CURSOR = {
    "data": [example_client()],
    "meta": {"count": 1, "hasnext": True, "cursor": "4294967396"},
}


def router(node: NodeContext) -> APIRouter:
    """The operations."""
    api = APIRouter(tags=["Clients"])
    _lists(api, node)
    _one(api, node)
    _cache(api, node)
    subscribing.add_to(api, node)
    messages.add_to(api, node)
    return api


def _lists(api: APIRouter, node: NodeContext) -> None:
    @api.get(
        "/clients",
        summary="List clients",
        response_model=ClientPage,
        responses=errors("INVALID_PARAMETER") | example(example_page(example_client())),
    )
    async def clients(filters: Filters, order: Order, page: PageQuery) -> Response:
        """Clients that are connected or whose session lives on, filtered and sorted by the node.

        All filters must fit. `count` is exact.
        """
        check_node(node, filters.node)
        query = filters.query._replace(sort=order.sort, is_descending=order.is_descending)
        if filters.is_impossible:
            return fast(page_of([], page.page, page.limit, 0))
        lists = node.services.lists
        found = await lists.page("clients", query, page.start, page.limit, filters.node)
        rows = with_fields(found.rows, filters.fields)
        return fast(page_of(rows, page.page, page.limit, found.total))

    @api.get(
        "/clients_v2",
        summary="List clients by cursor",
        response_model=ClientsAfter,
        responses=errors("INVALID_PARAMETER") | example(_EXAMPLE_CURSOR),
    )
    async def clients_after(
        filters: Filters,
        cursor: Annotated[
            str | None, Query(description="`meta.cursor` of the answer before; absent at first.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Most rows.")] = LIMIT_DEFAULT,
    ) -> Response:
        """As `/clients`, for those who want all of them: each answer goes on where the last ended,
        and nothing is counted.
        """
        check_node(node, filters.node)
        if filters.is_impossible:
            return fast({"data": [], "meta": {"count": 0, "hasnext": False}})

        try:
            found = await node.services.lists.after(
                filters.query, cursor or "", limit, filters.node
            )
        except ValueError:
            raise InvalidParameterError(
                "cursor is what the answer before gave as meta.cursor"
            ) from None
        meta: dict[str, Any] = {"count": len(found.rows), "hasnext": bool(found.cursor)}
        if found.cursor:
            meta["cursor"] = found.cursor
        return fast({"data": with_fields(found.rows, filters.fields), "meta": meta})

    @api.post(
        "/clients/kickout/bulk",
        summary="Kick out clients",
        status_code=204,
        responses=errors("BAD_REQUEST") | _DONE,
    )
    async def kick_all(
        clientids: Annotated[
            list[str],
            Body(max_length=KICKS_MAX, description="Client identifiers.", examples=[["a", "b"]]),
        ],
    ) -> Response:
        """End their connections and sessions. Who is not there is passed over."""
        count = await node.services.lists.kick(clientids)
        changed("clients", before={"clients": count})
        return Response(status_code=204)


def _one(api: APIRouter, node: NodeContext) -> None:
    @api.get(
        "/clients/{clientid}",
        summary="Show a client",
        response_model=ClientRow,
        responses=_NOT_FOUND | example(example_client()),
    )
    async def client(clientid: str) -> Response:
        """A client that is connected or whose session lives on."""
        found = await node.services.lists.client(clientid)
        if found is None:
            raise ClientIdNotFoundError(clientid)
        return fast(found)

    @api.delete(
        "/clients/{clientid}",
        summary="Kick out a client",
        status_code=204,
        responses=_NOT_FOUND | _DONE,
    )
    async def kick(clientid: str) -> Response:
        """End its connection (MQTT 5.0 is told 0x98) and its session."""
        if not await node.services.lists.kick([clientid]):
            raise ClientIdNotFoundError(clientid)
        return Response(status_code=204)

    @api.put(
        "/clients/{clientid}/keepalive",
        summary="Change Keep Alive",
        response_model=ClientRow,
        responses=errors("BAD_REQUEST", "CLIENTID_NOT_FOUND") | example(example_client()),
    )
    async def keep_alive(clientid: str, body: KeepAlive) -> Response:
        """Give a connected client another Keep Alive until it connects again."""
        native = node.native
        if not await asyncio.to_thread(native.lists.set_keep_alive, clientid, body.interval):
            raise ClientIdNotFoundError(clientid)
        found = await asyncio.to_thread(native.lists.client_view, clientid)
        if found is None:
            raise ClientIdNotFoundError(clientid)
        return fast(client_row(found, node.node_name))


def _cache(api: APIRouter, node: NodeContext) -> None:
    shown = {
        "access": "publish", "topic": "plant/7", "result": "allow",
        "updated_time": 1769860800000, "qos": 1, "retain": False,
    }  # fmt: skip

    @api.get(
        "/clients/{clientid}/authorization/cache",
        summary="Show kept answers of authorization",
        response_model=list[AclCacheEntry],
        responses=_NOT_FOUND | example([shown]),
    )
    async def cache(clientid: str) -> Response:
        """What was answered about its topics and is kept while it is connected."""
        rows = await node.services.kept_answers.of(clientid)
        if rows is None:
            raise ClientIdNotFoundError(clientid)
        return fast(rows)

    @api.delete(
        "/clients/{clientid}/authorization/cache",
        summary="Forget kept answers of authorization",
        status_code=204,
        responses=errors("CLIENTID_NOT_FOUND", "SERVICE_UNAVAILABLE") | _DONE,
    )
    async def forget(clientid: str) -> Response:
        """Its topics are judged anew, on whichever node it is."""
        if not await node.services.kept_answers.forget(clientid):
            raise ClientIdNotFoundError(clientid)
        return Response(status_code=204)
