"""What stands around every operation: who asks, whether that one may, how much it sends.

Wrapped around each route after the framework has matched it and before it has read a byte of the body.
"""

from __future__ import annotations

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rookery.control.context import ControlContext
from rookery.control.rest import guard
from rookery.web.rest import BODY_BYTES_MAX
from rookery.web.segments import decoded

JSON_BYTES_MAX = 1 << 20


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
