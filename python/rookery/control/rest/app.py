"""Makes the application of the port: ``/api``, its document, the console's pages."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from rookery.control.agents import downloads
from rookery.control.context import ControlContext
from rookery.control.features import routes
from rookery.control.oidc.api import callback
from rookery.control.oidc.service import CALLBACK
from rookery.control.rest.document import document
from rookery.control.rest.operations import Operation
from rookery.web.errors import HANDLERS, problem
from rookery.web.invalid import answer_invalid
from rookery.web.only_tls import OnlyTls
from rookery.web.origin import OwnOrigin, SecurityHeaders
from rookery.web.reference import Reference
from rookery.web.segments import Segments
from rookery.web.static_pages import CONSOLE, Pages
from rookery.web.whole_text import whole_text
from rookery.web.words_of_paths import grouped

PREFIX = "/api"


def make_api(control: ControlContext) -> FastAPI:
    """What lies below ``/api``, and knows nothing of it.

    Raises:
        ValueError: an operation does not say who may do it.
    """
    handlers = {**HANDLERS, RequestValidationError: answer_invalid}
    app = FastAPI(
        title="Rookery control plane",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=handlers,
    )
    app.router.routes.extend(grouped(guarded(control)))
    return app


def guarded(control: ControlContext) -> Sequence[APIRoute]:
    """All operations with what stands around them."""
    found = list(routes(control))
    for route in found:
        route.app = whole_text(route)
        route.app = Operation(control, route)
    return found


def make_site(control: ControlContext, api: ASGIApp) -> ASGIApp:
    """What port 8082 serves; ``api`` is what :func:`make_api` made."""

    async def status(_request: Request) -> Response:
        installation = await control.access_address.installation()
        return JSONResponse({"status": "running", "installation": installation})

    site = Starlette(
        routes=[
            Route("/status", status, methods=["GET"]),
            *downloads.routes(control),
            Route(CALLBACK, callback, methods=["GET"]),
            *Reference(document, PREFIX, control.clock).routes(),
            Mount(PREFIX, OwnOrigin(Segments(api))),
            Route(PREFIX, _not_found),
            Route("/{path:path}", Pages(CONSOLE, name="console", api=PREFIX).get, methods=["GET"]),
        ],
        exception_handlers=HANDLERS,
        middleware=[Middleware(SecurityHeaders)],
    )
    return OnlyTls(site)


async def _not_found(_request: Request) -> Response:
    return problem(404, "NOT_FOUND", f"the interface begins with {PREFIX}/")
