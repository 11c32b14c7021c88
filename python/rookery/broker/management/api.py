"""The operations on a node's own socket. Whoever can open the socket may do all of them."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from rookery.broker.management.context import NodeContext
from rookery.broker.management.rows import rfc3339
from rookery.broker.management.status import Status
from rookery.web.errors import HANDLERS

# Shorter than who waits for an answer has patience.
STEP_WAIT_S = 20.0
DIGITS_MAX = 16


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
            Route("/evacuation", self.evacuation, methods=["GET"]),
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

    async def evacuation(self, request: Request) -> Response:
        """How far the node is with sending its clients elsewhere. With ``seen``, the number of steps of an
        earlier answer, it comes when there was another step, or after a while.
        """
        seen = request.query_params.get("seen", "")
        is_number = seen.isascii() and seen.isdecimal() and len(seen) < DIGITS_MAX
        rebalancing = self._context.services.rebalancing
        found = await rebalancing.next_status(int(seen) if is_number else -1, STEP_WAIT_S)
        return JSONResponse(found)

    async def stop(self, _request: Request) -> Response:
        """Stop the node gracefully; the answer comes before it does."""
        return Response(status_code=202, background=BackgroundTask(self._begin_stop))

    async def _begin_stop(self) -> None:
        self._context.stop()
