"""``ANY /edgeservice/proxy/{service}/{path}``: the interface of an edge service, through its agent.

No password of the edge service is known here: its own agent says as what the caller asks, an administrator or
a viewer, and it believes its agent. What passes is a list of headers in both directions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rookery.control.caller import Access
from rookery.control.clusters.proxy_api import METHODS, received, sent
from rookery.control.context import ControlContext
from rookery.control.edges.passage import READING, EdgePassage
from rookery.control.errors import InvalidError, Text
from rookery.control.relay.tunnel import Answer, Call
from rookery.control.rest.guard import signed_in
from rookery.control.rest.operations import ANY_QUERY
from rookery.web.rest import BODY_BYTES_MAX, errors

MARK = b"/edgeservice/proxy/"
BODY_MAX = 64 << 20
TIMEOUT_S = 60.0
SignedIn = Annotated[Access, signed_in()]
BAD_PATH = Text("the path of the edge service is missing", "缺少边缘服务接口路径")


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Edge services"])
    for method in METHODS:
        _add(api, control, method)
    return api


def _add(api: APIRouter, control: ControlContext, method: str) -> None:
    async def proxy(request: Request, access: SignedIn, service: str, path: str) -> Response:
        """Path and query go on as they are, and the answer comes back as it is."""
        target = _target(request.scope)
        passage = await control.edges.passages.open(access, service, method, target)
        call = Call(method, target, sent(request), timeout_s=TIMEOUT_S)
        return EdgeResponse(passage, call, request.stream())

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


def _target(scope: Scope) -> str:
    """What stands behind the id, with everything that was encoded in it left so."""
    raw: bytes = scope["raw_path"].partition(b"?")[0]
    _, mark, rest = raw.partition(MARK)
    _, slash, path = rest.partition(b"/")
    if not mark or not slash or not path:
        raise InvalidError(BAD_PATH)
    query: bytes = scope["query_string"]
    return (b"/" + path + (b"?" + query if query else b"")).decode("latin-1")


class EdgeResponse(Response):
    """The answer of an edge service, passed on while it comes."""

    def __init__(self, passage: EdgePassage, call: Call, body: AsyncIterator[bytes]) -> None:
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
            passing = asyncio.ensure_future(_pass_on(answer, send))
            watching = [passing]
            if self._call.method in READING:
                # Streams last as long as somebody reads them.
                watching.append(asyncio.ensure_future(_gone(receive)))
            try:
                await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in watching:
                    task.cancel()
                await asyncio.gather(*watching, return_exceptions=True)
            if not passing.cancelled():
                passing.result()


async def _pass_on(answer: Answer, send: Send) -> None:
    async for part in answer.body:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    """Until whoever asked goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass
