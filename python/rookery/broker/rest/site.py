"""What ``dashboard.listeners`` serve: ``/status``, ``/api/v5``, its document, the dashboard's pages."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from rookery.broker.management.context import NodeContext
from rookery.broker.management.status import Status
from rookery.broker.rest.deferred import PREFIX, WHERE, DeferredApi
from rookery.broker.rest.origin import OwnOrigin, SecurityHeaders
from rookery.broker.rest.pages import Pages
from rookery.broker.rest.reference import Reference
from rookery.web.errors import HANDLERS, in_language, problem


def make_site(node: NodeContext, api: DeferredApi) -> ASGIApp:
    """The application of the HTTP and HTTPS listeners."""
    reference = Reference(lambda: node.services.settings.config.management.dashboard, node.clock)
    routes: list[BaseRoute] = [
        Route("/status", Status(node).get, methods=["GET"]),
        *reference.routes(),
        Mount(PREFIX, OwnOrigin(api.on_listener)),
        Route("/api", _not_found),
        Route("/api/{path:path}", _not_found),
        Route("/{path:path}", Pages().get, methods=["GET"]),
    ]
    return Starlette(
        routes=routes,
        exception_handlers=HANDLERS,
        middleware=[Middleware(SecurityHeaders)],
    )


async def _not_found(request: Request) -> Response:
    return problem(404, "NOT_FOUND", in_language(request.scope, "NOT_FOUND", WHERE))
