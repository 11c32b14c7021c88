"""Makes the application that answers ``/api/v5``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from rookery.broker.management.context import NodeContext
from rookery.broker.rest import document
from rookery.broker.rest.features import FEATURES, Feature
from rookery.broker.rest.operations import JSON_BYTES_MAX, Admission, Operation, RequestAudit
from rookery.web.errors import HANDLERS
from rookery.web.invalid import answer_invalid
from rookery.web.rest import BODY_BYTES_MAX


class Api:
    """The application and the operations that it has so far. Lives on one event loop.

    It lies below ``/api/v5`` and knows nothing of it.
    """

    def __init__(self, node: NodeContext, admission: Admission, audit: RequestAudit) -> None:
        self._node = node
        self._admission = admission
        self._audit = audit
        handlers = {**HANDLERS}
        handlers[RequestValidationError] = answer_invalid
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
            most = int((route.openapi_extra or {}).get(BODY_BYTES_MAX, JSON_BYTES_MAX))
            route.app = Operation(
                route.app, route.path_format, self._admission, self._audit, body_bytes_max=most
            )
        return routes

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


class _Nothing:
    """Stands for whatever a router takes out of a node to keep it."""

    def __getattr__(self, _name: str) -> _Nothing:
        return self

    def __call__(self, *_args: Any, **_named: Any) -> _Nothing:
        return self
