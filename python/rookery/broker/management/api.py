"""The operations on a node's own socket. Whoever can open the socket may do all of them."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from rookery.broker.management.context import NodeContext
from rookery.broker.management.rows import client_row, rfc3339, subscription_row
from rookery.broker.management.status import Status
from rookery.errors import NotFoundError
from rookery.web.errors import HANDLERS
from rookery.web.paging import PageRequest, page


class ManagementApi:
    """Reads a request, asks the node, writes the answer."""

    def __init__(self, context: NodeContext, status: Status) -> None:
        self._context = context
        self._status = status

    def app(self, rest: ASGIApp | None = None) -> Starlette:
        """``rest`` answers ``/api/v5``."""
        routes: list[BaseRoute] = [] if rest is None else [Mount("/api/v5", rest)]
        routes += [
            Route("/status", self._status.get, methods=["GET"]),
            Route("/node", self.node, methods=["GET"]),
            Route("/ports", self.ports, methods=["GET"]),
            Route("/clients", self.clients, methods=["GET"]),
            Route("/clients/{client_id:path}/subscriptions", self.subscriptions, methods=["GET"]),
            Route("/clients/{client_id:path}", self.client, methods=["GET"]),
            Route("/clients/{client_id:path}", self.kick, methods=["DELETE"]),
            Route("/stop", self.stop, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers=HANDLERS)

    async def node(self, _request: Request) -> Response:
        """What the node is and how long it has been up."""
        context = self._context
        return JSONResponse(
            {
                "node": context.node_name,
                "node_status": "running" if context.state.is_running else "stopping",
                "version": context.version,
                "uptime": context.clock.now_ms() - context.started_at_ms,
                "started_at": rfc3339(context.started_at_ms),
            }
        )

    async def ports(self, _request: Request) -> Response:
        """Every port in use, by what, and what it is for."""
        return JSONResponse([port._asdict() for port in self._context.ports()])

    async def clients(self, request: Request) -> Response:
        """``?limit=&cursor=``: a page of clients."""
        asked = PageRequest.parse(request.query_params)
        native = self._context.native
        clients, cursor = await asyncio.to_thread(native.clients, asked.cursor, asked.limit)
        rows = [client_row(client, self._context.node_name) for client in clients]
        return JSONResponse(page(rows, cursor or None))

    async def client(self, request: Request) -> Response:
        client_id = _client_id(request)
        client = await asyncio.to_thread(self._context.native.client, client_id)
        if client is None:
            raise NotFoundError(f"no client {client_id!r}")
        return JSONResponse(client_row(client, self._context.node_name))

    async def subscriptions(self, request: Request) -> Response:
        client_id = _client_id(request)
        found = await asyncio.to_thread(self._context.native.subscriptions, client_id)
        if found is None:
            raise NotFoundError(f"no client {client_id!r}")
        node_name = self._context.node_name
        return JSONResponse([subscription_row(item, client_id, node_name) for item in found])

    async def kick(self, request: Request) -> Response:
        """End a client's connection and session."""
        client_id = _client_id(request)
        if not await asyncio.to_thread(self._context.native.kick, client_id):
            raise NotFoundError(f"no client {client_id!r}")
        return Response(status_code=204)

    async def stop(self, _request: Request) -> Response:
        """Stop the node gracefully; the answer comes before it does."""
        return Response(status_code=202, background=BackgroundTask(self._begin_stop))

    async def _begin_stop(self) -> None:
        self._context.stop()


def _client_id(request: Request) -> str:
    client_id: str = request.path_params["client_id"]  # may hold anything, a slash too
    return client_id
