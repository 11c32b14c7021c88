"""Makes the application of the port: ``/api``, its document, the pages."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from rookery.edge.context import EdgeContext
from rookery.edge.features import routes
from rookery.edge.rest.document import document
from rookery.edge.rest.errors import HANDLERS, problem
from rookery.edge.rest.guard import Operation
from rookery.edge.rest.speaking import SpeaksFor
from rookery.edge.users import texts
from rookery.web.caller import ASSERTED
from rookery.web.only_tls import OnlyTls, is_near
from rookery.web.origin import OwnOrigin, SecurityHeaders
from rookery.web.reference import Reference
from rookery.web.segments import Segments
from rookery.web.static_pages import EDGE, Pages
from rookery.web.whole_text import whole_text

PREFIX = "/api"


def make_api(edge: EdgeContext) -> FastAPI:
    """What lies below ``/api``, and knows nothing of it."""
    app = FastAPI(
        title="Rookery edge service",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
    )
    app.router.routes.extend(guarded(edge))
    return app


def guarded(edge: EdgeContext) -> Sequence[APIRoute]:
    """All operations with what stands around them."""
    found = list(routes(edge))
    for route in found:
        route.app = whole_text(route)
        route.app = Operation(edge, route)
    return found


def make_site(edge: EdgeContext) -> ASGIApp:
    """What port 8085 serves."""

    async def status(_request: Request) -> Response:
        return JSONResponse({"status": "running"})

    site: ASGIApp = Starlette(
        routes=[
            Route("/status", status, methods=["GET"]),
            *Reference(document, PREFIX, edge.clock).routes(),
            Mount(PREFIX, OwnOrigin(Segments(make_api(edge)))),
            Route(PREFIX, _not_found),
            Route(
                "/{path:path}", Pages(EDGE, name="edge service", api=PREFIX).get, methods=["GET"]
            ),
        ],
        exception_handlers=HANDLERS,
        middleware=[Middleware(SecurityHeaders)],
    )
    site = SpeaksFor(site, edge)
    if not edge.config.is_plain_everywhere:
        site = OnlyTls(site)
    return NearOnly(site, edge)


class NearOnly:
    """Answers other machines with nothing but why, until the administrator has chosen a password."""

    def __init__(self, app: ASGIApp, edge: EdgeContext) -> None:
        self._app = app
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_let_in = is_near(scope) or ASSERTED in scope
        if scope["type"] != "http" or not self._edge.users.is_initial or is_let_in:
            await self._app(scope, receive, send)
            return
        words = texts.NEAR_ONLY.format(port=self._edge.config.port)
        headers = Headers(scope=scope)
        is_page = "text/html" in headers.get("accept", "")
        is_chinese = headers.get("accept-language", "")[:2].lower() == "zh"
        answer: Response
        if is_page:
            answer = PlainTextResponse(f"{words.en}\n\n{words.zh}\n", 403)
        else:
            answer = problem(403, 1018, words.zh if is_chinese else words.en)
        await answer(scope, receive, send)


async def _not_found(_request: Request) -> Response:
    return problem(404, 1003, f"the interface begins with {PREFIX}/")
