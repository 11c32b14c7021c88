"""Keeps passwords off the network: plain HTTP is for this machine alone."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rookery.access.lockout import is_loopback
from rookery.web.errors import problem


class OnlyTls:
    """Sends whoever comes without TLS, and not from this machine, to the same place with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["scheme"] == "https" or is_near(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        answer: Response
        if request.headers.get("host"):
            answer = RedirectResponse(str(request.url.replace(scheme="https")), 308)
        else:
            answer = problem(400, "BAD_REQUEST", "use https")
        await answer(scope, receive, send)


def is_near(scope: Scope) -> bool:
    """Whether a request came from this machine."""
    client = scope.get("client")
    return client is not None and is_loopback(str(client[0]))
