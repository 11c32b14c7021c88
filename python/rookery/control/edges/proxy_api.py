"""``ANY /edgeservice/proxy/{service}/{path}``: the interface of an edge service, through its agent or at its address.

As what the caller asks, an administrator or a viewer, is said to the edge service; of one with an agent no
password is known here.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.rest.guard import signed_in
from rookery.control.rest.operations import ANY_QUERY
from rookery.control.rest.passing_on import BODY_MAX, METHODS, PassedOn, call_of, target_of
from rookery.web.rest import BODY_BYTES_MAX, errors

MARK = b"/edgeservice/proxy/"
SignedIn = Annotated[Access, signed_in()]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Edge services"])
    for method in METHODS:
        _add(api, control, method)
    return api


def _add(api: APIRouter, control: ControlContext, method: str) -> None:
    async def proxy(request: Request, access: SignedIn, service: str, path: str) -> Response:
        """Path and query go on as they are, and the answer comes back as it is."""
        target = target_of(request.scope, MARK, has_id=True)
        passage = await control.edges.passages.open(access, service, method, target)
        return PassedOn(passage, call_of(request, target), request.stream())

    api.add_api_route(
        "/edgeservice/proxy/{service}/{path:path}",
        proxy,
        methods=[method],
        operation_id=f"{method.lower()}_edge_proxy",
        summary="Ask an edge service's own interface",
        response_class=Response,
        responses=errors("NOT_FOUND", "CONFLICT", "SERVICE_UNAVAILABLE", "TIMEOUT"),
        openapi_extra={BODY_BYTES_MAX: BODY_MAX, ANY_QUERY: True},
    )
