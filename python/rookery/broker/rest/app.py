"""Makes the application that answers ``/api/v5``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp

from rookery.broker.audit import hide, keep_no_body
from rookery.broker.management.context import NodeContext
from rookery.broker.rest import document
from rookery.broker.rest.deferred import WHERE
from rookery.broker.rest.features import FEATURES, Feature
from rookery.broker.rest.looks import LOOKS, UNRECORDED
from rookery.broker.rest.operations import JSON_BYTES_MAX, Admission, Operation, RequestAudit
from rookery.broker.rest.reader import Reader
from rookery.errors import BadRequestError
from rookery.web.errors import HANDLERS, answer_error
from rookery.web.invalid import answer_invalid
from rookery.web.rest import BODY_BYTES_MAX
from rookery.web.whole_text import whole_text


class Api:
    """The application and the operations that it has so far. Lives on one event loop.

    It lies below ``/api/v5`` and knows nothing of it.
    """

    def __init__(self, node: NodeContext, admission: Admission, audit: RequestAudit) -> None:
        self._node = node
        self._admission = admission
        self._audit = audit
        self._reading: dict[str, ASGIApp] = {}
        handlers = {**HANDLERS, BadRequestError: _answer_refused}
        handlers[RequestValidationError] = _answer_invalid
        handlers[HTTPException] = self._answer_unmatched
        self.app = FastAPI(
            title="Rookery",
            version=document.VERSION,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            exception_handlers=handlers,
        )

    def routes_of(self, features: Sequence[Feature]) -> list[APIRoute]:
        """The operations of some features; imports them, so it may take its time."""
        routes = [
            route
            for feature in features
            for route in feature.router(self._node).routes
            if isinstance(route, APIRoute)
        ]
        for route in routes:
            if "GET" in _methods(route):
                self._reading[route.path_format] = route.app
        for route in routes:
            keys = [(method, route.path_format) for method in _methods(route)]
            looks = [look for key in keys for look in LOOKS.get(key, ())]
            most = int((route.openapi_extra or {}).get(BODY_BYTES_MAX, JSON_BYTES_MAX))
            route.app = Operation(
                whole_text(route),
                route.path_format,
                self._admission,
                None if UNRECORDED.issuperset(keys) else self._audit,
                body_bytes_max=most,
                look=Reader(self._reading, looks) if looks else None,
            )
        return routes

    async def _answer_unmatched(self, request: Request, error: Exception) -> Response:
        """No operation, or none with that method: the framework would name those of one route."""
        scope = request.scope
        if isinstance(error, HTTPException) and error.status_code == 405:
            routes = [route for route in self.app.router.routes if isinstance(route, APIRoute)]
            found = [route for route in routes if route.matches(scope)[0] is not Match.NONE]
            methods = {method for route in found for method in _methods(route)}
            headers = {"Allow": ", ".join(sorted(methods))}
            error = HTTPException(405, error.detail, headers)
        elif isinstance(error, HTTPException) and error.status_code == 404:
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if path.strip("/") == "":
                error = HTTPException(404, WHERE)
        return await answer_error(request, error)

    def add(self, routes: Sequence[APIRoute]) -> None:
        """Answer these from now on."""
        # Not include_router: its copies would not have what was put around them.
        self.app.router.routes.extend(routes)


def document_without_node() -> dict[str, Any]:
    """The OpenAPI document, which is the same for every node: routers do nothing with one before
    they are asked.
    """
    nothing: Any = _Nothing()
    return document.make(Api(nothing, nothing, nothing).routes_of(FEATURES))


def _methods(route: APIRoute) -> Collection[str]:
    return route.methods or ()


class _Nothing:
    """Stands for whatever a router takes out of a node to keep it."""

    def __getattr__(self, _name: str) -> _Nothing:
        return self

    def __call__(self, *_args: Any, **_named: Any) -> _Nothing:
        return self


async def _answer_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, BadRequestError)
    hide(error.unknown_keys)
    return await answer_error(request, error)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    for item in error.errors():
        is_other_type = item["type"].endswith("_type")
        if is_other_type and item["loc"] == ("body",):
            keep_no_body()
        elif item["type"] == "extra_forbidden" or (
            is_other_type and isinstance(item["input"], list | dict)
        ):
            hide([str(item["loc"][-1])])
    return await answer_invalid(request, error)
