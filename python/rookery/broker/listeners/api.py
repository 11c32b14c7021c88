"""``/listeners``: where clients connect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from rookery.broker.listeners.models import (
    EXAMPLE,
    Kind,
    Listener,
    ListenerRow,
    ListenerUpdate,
    NewListener,
    TypeRow,
)
from rookery.broker.listeners.service import ListenerService
from rookery.broker.management.context import NodeContext
from rookery.config.build import LISTENER_KINDS
from rookery.errors import BadRequestError, ConflictError, ListenerTlsError, StartError
from rookery.web.lists import ListQuery
from rookery.web.models import Page
from rookery.web.rest import errors, example, fast
from rookery.web.sorting import OrderQuery

_T = TypeVar("_T")

ListenerSort = Literal[
    "id", "type", "name", "enable", "bind", "running", "current_connections", "max_connections"
]

SHOWN = {
    **EXAMPLE,
    "id": "tcp:extra",
    "enable": True,
    "running": True,
    "current_connections": 0,
}
_MISSING = (404, "BAD_LISTENER_ID")
_CHANGES = ("BAD_REQUEST", "BAD_CONFIG", "BAD_LISTENER_ID", "CONFLICT")


def router(node: NodeContext) -> APIRouter:
    listeners = node.services.listeners
    api = APIRouter(tags=["Listeners"])
    _list(api, listeners, node)
    _one(api, listeners)
    for verb, summary, told in (
        ("start", "Start a listener", "Open it, until the node ends; `enable` is for good."),
        ("stop", "Stop a listener", "Close it and its connections, until the node ends."),
        ("restart", "Restart a listener", "Close it and its connections, and open it again."),
    ):
        _action(api, listeners, verb, summary, told)
    return api


def _list(api: APIRouter, listeners: ListenerService, node: NodeContext) -> None:
    @api.get(
        "/listeners",
        summary="List listeners",
        response_model=list[ListenerRow] | Page[ListenerRow],
        response_model_exclude_none=True,
    )
    async def list_listeners(
        wanted: ListQuery,
        type: Annotated[Kind | None, Query(description="Only of this kind.")] = None,
        sort: Annotated[
            ListenerSort | None,
            Query(description="Sort by this field, or by this one of `status`."),
        ] = None,
        order: OrderQuery = "asc",
    ) -> Response:
        """Every listener of the configuration and what it does now. With `page` or `limit` the
        answer is a page.
        """
        found = [row for row in await listeners.all() if type is None or row["type"] == type]
        rows = [_row(row, node.node_name) for row in found]

        def place(row: dict[str, Any]) -> tuple[bool, Any]:
            value = row["status"].get(sort, row.get(str(sort)))
            # No bound is more than any.
            return value == "infinity", value

        return fast(wanted.answer(rows, ("id", "bind"), sort, order, place))

    @api.post(
        "/listeners",
        summary="Create a listener",
        response_model=Listener,
        responses=errors(*_CHANGES) | example(SHOWN),
    )
    async def create_listener(body: Annotated[NewListener, Body(examples=[EXAMPLE])]) -> Any:
        """Define a listener and open it. One that cannot be opened is not defined."""
        listener_id = f"{body.root.get('type')}:{body.root.get('name')}"
        try:
            return await _opened(lambda: listeners.create(listener_id, body.root))
        except ConflictError as error:
            if error.code != "ALREADY_EXISTS":
                raise
            # As in EMQX.
            raise BadRequestError(
                error.message, code="BAD_LISTENER_ID", message_zh=error.message_zh
            ) from None

    @api.get("/listeners_status", summary="List kinds of listeners", response_model=list[TypeRow])
    async def listeners_status() -> Any:
        """The listeners of each kind together."""
        rows = await listeners.all()
        kinds = [kind for kind in LISTENER_KINDS if any(row["type"] == kind for row in rows)]
        return fast(
            [
                _kind_row(kind, [row for row in rows if row["type"] == kind], node.node_name)
                for kind in kinds
            ]
        )


def _one(api: APIRouter, listeners: ListenerService) -> None:
    @api.get(
        "/listeners/{id}",
        summary="Get a listener",
        response_model=Listener,
        responses=errors(_MISSING) | example(SHOWN),
    )
    async def get_listener(id: str) -> Any:
        """All settings of a listener and what it does now. Secrets are hidden."""
        return await listeners.get(id)

    @api.put(
        "/listeners/{id}",
        summary="Update a listener",
        response_model=Listener,
        responses=errors(*_CHANGES, _MISSING) | example(SHOWN),
    )
    async def update_listener(
        id: str, body: Annotated[ListenerUpdate, Body(examples=[{"max_connections": 1000}])]
    ) -> Any:
        """Change what is named, the rest stays. Connections go on unless the address or the way to
        speak on it is another one; what cannot be opened so goes on as before.
        """
        return await _opened(lambda: listeners.update(id, body.root))

    @api.delete(
        "/listeners/{id}",
        status_code=204,
        summary="Delete a listener",
        responses=errors("CONFLICT", _MISSING),
    )
    async def delete_listener(id: str) -> Response:
        """Close a listener and its connections for good."""
        await listeners.delete(id)
        return Response(status_code=204)


def _action(api: APIRouter, listeners: ListenerService, verb: str, summary: str, told: str) -> None:
    act: Callable[[str], Awaitable[None]] = getattr(listeners, verb)

    @api.post(
        f"/listeners/{{id}}/{verb}",
        summary=summary,
        response_model=Listener,
        description=told,
        responses=errors("BAD_REQUEST", _MISSING) | example(SHOWN),
    )
    async def change(id: str) -> Any:
        await _opened(lambda: act(id))
        return await listeners.get(id)


async def _opened(change: Callable[[], Awaitable[_T]]) -> _T:
    """What came of a change; that a socket cannot be had is the fault of what was asked."""
    try:
        return await change()
    except ListenerTlsError as error:
        raise error.as_sent() from None
    except StartError as error:
        raise BadRequestError(error.message, message_zh=error.message_zh) from None


def _status(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("running", "max_connections", "current_connections")}


def _row(row: dict[str, Any], node: str) -> dict[str, Any]:
    status = _status(row)
    shown = {
        **{name: row[name] for name in ("id", "type", "name", "enable")},
        "number": 1,
        "bind": str(row["bind"]),
        "status": status,
        "node_status": [{"node": node, "status": status}],
    }
    error = row.get("error")
    return shown if error is None else shown | {"error": error}


def _kind_row(kind: str, rows: list[dict[str, Any]], node: str) -> dict[str, Any]:
    running = {row["running"] for row in rows}
    most = [row["max_connections"] for row in rows]
    status = {
        "running": "inconsistent" if len(running) > 1 else running.pop(),
        "max_connections": "infinity" if "infinity" in most else sum(most),
        "current_connections": sum(row["current_connections"] for row in rows),
    }
    return {
        "type": kind,
        "enable": any(row["enable"] for row in rows),
        "ids": [row["id"] for row in rows],
        "status": status,
        "node_status": [{"node": node, "status": status}],
    }
