"""``ANY /clusters/{cluster}/proxy/{path}``: the REST interface of a cluster, through its agent.

Whoever may look at a cluster may read, whoever may edit it may do everything: the agent asks with
its own key, and for who may only look with one that may not do more either. What passes is a list of headers in both directions, so that nothing that belongs to
control reaches a cluster, and nothing of a cluster speaks for control to a browser.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rookery.control.caller import Access
from rookery.control.clusters.passage import Passage
from rookery.control.context import ControlContext
from rookery.control.errors import InvalidError, Text
from rookery.control.relay.tunnel import Answer, Call
from rookery.control.rest.guard import signed_in
from rookery.control.rest.operations import ANY_QUERY
from rookery.web.rest import BODY_BYTES_MAX, errors

MARK = b"/proxy/"
BODY_MAX = 64 << 20
TIMEOUT_S = 60.0
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENT = frozenset({b"accept", b"accept-language", b"content-type", b"if-none-match", b"range"})
"""Request headers that reach the cluster."""
RECEIVED = frozenset(
    {
        "content-type",
        "content-encoding",
        "content-disposition",
        "content-range",
        "etag",
        "last-modified",
        "retry-after",
    }
)
"""Headers of its answer that reach the caller."""

SignedIn = Annotated[Access, signed_in()]
BAD_PATH = Text("the path of the cluster is missing", "缺少集群接口路径")


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Clusters"])
    for method in METHODS:
        _add(api, control, method)
    return api


def _add(api: APIRouter, control: ControlContext, method: str) -> None:
    async def proxy(request: Request, access: SignedIn, cluster: str, path: str) -> Response:
        """Path and query go on as they are, and the answer comes back as it is."""
        target = _target(request.scope)
        passage = await control.adoption.passages.open(access, cluster, method, target)
        call = Call(method, target, sent(request), timeout_s=TIMEOUT_S)
        return TunnelResponse(passage, call, request.stream())

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


def _target(scope: Scope) -> str:
    """What stands behind ``/proxy``, with everything that was encoded in it left so."""
    raw: bytes = scope["raw_path"].partition(b"?")[0]
    _, mark, path = raw.partition(MARK)
    if not mark or not path:
        raise InvalidError(BAD_PATH)
    query: bytes = scope["query_string"]
    return (b"/" + path + (b"?" + query if query else b"")).decode("latin-1")


def sent(request: Request) -> Sequence[tuple[str, str]]:
    """Headers of a request that go on."""
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in request.headers.raw
        if name in SENT
    ]


class TunnelResponse(Response):
    """The answer of a cluster, passed on while it comes."""

    def __init__(self, passage: Passage, call: Call, body: AsyncIterator[bytes]) -> None:
        super().__init__()
        self._passage = passage
        self._call = call
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._passage.ask(self._call, self._body) as answer:
            await send(
                {
                    "type": "http.response.start",
                    "status": answer.status,
                    "headers": received(answer, is_head=self._call.method == "HEAD"),
                }
            )
            async for part in answer.body:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def received(answer: Answer, *, is_head: bool) -> list[tuple[bytes, bytes]]:
    """Headers of an answer that come back."""
    # How long the body would be, where none comes; else the server counts what it passes on.
    kept = RECEIVED | {"content-length"} if is_head else RECEIVED
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in answer.headers
        if name.lower() in kept
    ]
    # A page of a cluster is no page of control, whatever it says.
    return [*headers, (b"content-security-policy", b"sandbox"), (b"cache-control", b"no-store")]
