"""``ANY /clusters/{cluster}/proxy/{path}``: the REST interface of a cluster, through its agent.

Whoever may look at a cluster may read, whoever may edit it may do everything: the agent asks with
its own key, and for who may only look with one that may not do more either.
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

MARK = b"/proxy/"
SignedIn = Annotated[Access, signed_in()]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Clusters"])
    for method in METHODS:
        _add(api, control, method)
    return api


def _add(api: APIRouter, control: ControlContext, method: str) -> None:
    async def proxy(request: Request, access: SignedIn, cluster: str, path: str) -> Response:
        """Path and query go on as they are, and the answer comes back as it is."""
        target = target_of(request.scope, MARK, has_id=False)
        passage = await control.adoption.passages.open(access, cluster, method, target)
        return PassedOn(passage, call_of(request, target), request.stream())

    api.add_api_route(
        "/clusters/{cluster}/proxy/{path:path}",
        proxy,
        methods=[method],
        operation_id=f"{method.lower()}_cluster_proxy",
        summary="Ask a cluster's own interface",
        response_class=Response,
        responses=errors("NOT_FOUND", "FORBIDDEN", "CONFLICT", "SERVICE_UNAVAILABLE", "TIMEOUT"),
        openapi_extra={BODY_BYTES_MAX: BODY_MAX, ANY_QUERY: True},
    )
