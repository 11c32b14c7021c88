"""What ``dashboard.listeners`` serve: ``/status``, ``/api/v5``, its document, the dashboard's pages."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from rookery.broker.management.context import NodeContext
from rookery.broker.management.status import Status
from rookery.broker.rest.deferred import PREFIX, DeferredApi
from rookery.web.errors import HANDLERS, problem
from rookery.web.origin import OwnOrigin, SecurityHeaders
from rookery.web.reference import Reference
from rookery.web.static_pages import DASHBOARD, Pages


def make_site(node: NodeContext, api: DeferredApi) -> ASGIApp:
    """The application of the HTTP and HTTPS listeners."""
    reference = Reference(
        _document,
        PREFIX,
        is_on=lambda: node.services.settings.config.management.dashboard.swagger_support,
        switch="dashboard.swagger_support",
    )
    routes: list[BaseRoute] = [
        Route("/status", Status(node).get, methods=["GET"]),
        *reference.routes(),
        Mount(PREFIX, OwnOrigin(api.on_listener)),
        Route("/api", _not_found),
        Route("/api/{path:path}", _not_found),
        Route("/{path:path}", Pages(DASHBOARD, name="dashboard", api=PREFIX).get, methods=["GET"]),
    ]
    return Starlette(
        routes=routes,
        exception_handlers=HANDLERS,
        middleware=[Middleware(SecurityHeaders)],
    )


async def _not_found(_request: Request) -> Response:
    return problem(404, "NOT_FOUND", f"the interface begins with {PREFIX}")


def _document() -> dict[str, Any]:
    from rookery.broker.rest.app import document_without_node  # noqa: PLC0415 - takes its time

    return document_without_node()
