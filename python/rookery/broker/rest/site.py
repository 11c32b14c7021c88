"""What ``dashboard.listeners`` serve: ``/status``, ``/api/v5``, its document, the dashboard's pages."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from rookery.broker.management.context import NodeContext
from rookery.broker.management.status import Status
from rookery.broker.rest.app import PREFIX, document_of, on_listener
from rookery.web.errors import HANDLERS
from rookery.web.rest import FastJson


def make_site(node: NodeContext, api: FastAPI) -> Starlette:
    """The application of the HTTP listener."""
    routes = [
        Route("/status", Status(node).get, methods=["GET"]),
        Route("/api-docs/swagger.json", Document(api).get, methods=["GET"]),
        Mount(PREFIX, on_listener(api)),
    ]
    return Starlette(routes=routes, exception_handlers=HANDLERS)


class Document:
    """The OpenAPI document, made when it is asked for the first time."""

    def __init__(self, api: FastAPI) -> None:
        self._api = api
        self._made: bytes = b""

    async def get(self, _request: Request) -> Response:
        if not self._made:
            self._made = FastJson(document_of(self._api)).body
        return Response(self._made, media_type="application/json")
