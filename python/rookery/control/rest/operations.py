"""What stands around every operation: who asks, whether that one may, what and how much it sends.

Wrapped around each route after the framework has matched it and before it has read a byte of the body.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rookery.control.context import ControlContext
from rookery.control.errors import InvalidError, Text
from rookery.control.rest import guard
from rookery.web.rest import BODY_BYTES_MAX
from rookery.web.segments import decoded

JSON_BYTES_MAX = 1 << 20
ANY_QUERY = "x-any-query"
"""``openapi_extra={ANY_QUERY: True}`` on an operation that passes its query on to somebody else."""
UNKNOWN_QUERY = Text(
    "there is no query parameter {name} here; there are: {known}",
    "没有查询参数 {name}；可用参数：{known}",
)
NO_QUERY = Text(
    "there is no query parameter {name} here, nor any other",
    "没有查询参数 {name}，此接口不接受查询参数",
)
NAME_TOLD_MAX = 100


class Operation:
    """An operation with all that stands around it."""

    def __init__(self, control: ControlContext, route: APIRoute) -> None:
        """``route`` is what the framework made.

        Raises:
            ValueError: it does not say who may do it.
        """
        self._control = control
        self._app: ASGIApp = route.app
        self._need = guard.need_of(route)
        self._query = None if (route.openapi_extra or {}).get(ANY_QUERY) else query_of(route)
        self._body_bytes_max = int((route.openapi_extra or {}).get(BODY_BYTES_MAX, JSON_BYTES_MAX))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["path_params"] = {
            name: decoded(value) for name, value in scope["path_params"].items()
        }
        caller = None
        if self._need.kind != "open":
            caller = await guard.caller_of(self._control, Request(scope))
        scope[guard.ACCESS] = await guard.check(
            self._control, self._need, caller, scope["path_params"]
        )
        if self._query is not None:
            _refuse_unknown(scope["query_string"], self._query)
        await self._app(scope, self._bounded(receive), send)

    def _bounded(self, receive: Receive) -> Receive:
        got = 0

        async def bounded() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._body_bytes_max:
                raise HTTPException(413, f"at most {self._body_bytes_max} bytes")
            return message

        return bounded


def query_of(route: APIRoute) -> frozenset[str]:
    """The names of the query parameters that an operation knows."""
    return frozenset(_query_of(route.dependant))


def _query_of(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for below in dependant.dependencies:
        yield from _query_of(below)


def _refuse_unknown(query: bytes, known: Collection[str]) -> None:
    """A filter that is mistyped would otherwise give everything.

    Raises:
        InvalidError: there is a parameter of another name.
    """
    if not query:
        return
    for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in known:
            text = UNKNOWN_QUERY if known else NO_QUERY
            raise InvalidError(
                text, name=repr(name[:NAME_TOLD_MAX]), known=", ".join(sorted(known))
            )
