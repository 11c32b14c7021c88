"""The application of ``management.listener.http``: ``/api/v3`` and ``/status``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from rookery.broker.management.context import NodeContext
from rookery.broker.management.status import Status
from rookery.broker.rest.audit import RestAudit
from rookery.broker.rest.operations import Operation as Guarded
from rookery.broker.rest_v3 import apps, banned, clients, nodes, plugins, pubsub
from rookery.broker.rest_v3.admission import AppAdmission, AppRules
from rookery.broker.rest_v3.answers import (
    UNKNOWN_ERROR,
    RefusedError,
    answer,
    answer_failure,
    refusal,
)
from rookery.broker.rest_v3.asking import PREFIX, Ask, Operation, ask_of
from rookery.errors import RookeryError
from rookery.web.errors import in_language
from rookery.web.origin import OwnOrigin, SecurityHeaders
from rookery.web.segments import Segments


async def _listed(_ask: Ask) -> list[dict[str, str]]:
    return [
        {
            "name": operation.name,
            "method": operation.method,
            "path": plain(operation.path, r":\1"),
            "descr": operation.summary,
        }
        for operation in OPERATIONS
    ]


OPERATIONS: Sequence[Operation] = (
    Operation(
        method="GET",
        path="/",
        handle=_listed,
        name="list_api",
        summary="The operations of this interface.",
        data=[{"name": "list_nodes", "method": "GET", "path": "/nodes", "descr": "The nodes."}],
    ),
    *nodes.OPERATIONS,
    *clients.OPERATIONS,
    *pubsub.OPERATIONS,
    *plugins.OPERATIONS,
    *banned.OPERATIONS,
    *apps.OPERATIONS,
)


def plain(path: str, form: str = r"{\1}") -> str:
    """The path without what only the router has to know."""
    return re.sub(r"\{([^}:]+)[^}]*\}", form, path)


def make_v3(node: NodeContext, audit: RestAudit) -> ASGIApp:
    """The application; it serves from the first request on."""
    admission = AppAdmission(node.services.admins)
    routes: list[BaseRoute] = [
        Route(
            operation.path,
            Guarded(
                _Handling(node, operation),
                PREFIX + plain(operation.path),
                admission,
                audit,
                rules=AppRules(),
                answer_error=answer_failure,
            ),
            methods=[operation.method],
        )
        for operation in OPERATIONS
    ]
    api = Segments(_without_last_slash(Router(routes, redirect_slashes=False)))
    failures = (RefusedError, RookeryError, HTTPException, Exception)
    return Starlette(
        routes=[
            Route("/status", Status(node).get, methods=["GET"]),
            Route(PREFIX, _first_page, methods=["GET"]),
            Mount(PREFIX, OwnOrigin(api, _foreign)),
            Route("/{path:path}", _not_found),
        ],
        exception_handlers=dict.fromkeys(failures, answer_failure),
        middleware=[Middleware(SecurityHeaders)],
    )


class _Handling:
    """Runs an operation and writes its answer."""

    def __init__(self, node: NodeContext, operation: Operation) -> None:
        self._node = node
        self._handle = operation.handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        value: Any = await self._handle(await ask_of(self._node, request))
        await answer(value)(scope, receive, send)


def _without_last_slash(app: ASGIApp) -> ASGIApp:
    """EMQX's documents write ``/nodes/``, its clients ``/nodes``."""

    async def without(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scope["type"] == "http" and path.endswith("/") and len(path) > len(PREFIX) + 1:
            scope = {**scope, "path": path[:-1]}
        await app(scope, receive, send)

    return without


async def _first_page(_request: Request) -> Response:
    return RedirectResponse(PREFIX + "/")


def _foreign(scope: Scope, text: str) -> Response:
    return refusal(UNKNOWN_ERROR, in_language(scope, "", text), 403)


async def _not_found(request: Request) -> Response:
    message = in_language(request.scope, "", f"the interface begins with {PREFIX}")
    return refusal(UNKNOWN_ERROR, message, 404)
