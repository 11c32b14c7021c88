"""Who may do an operation, checked before a byte of its body is read.

A viewer may everything that is a GET, an administrator everything: an operation for which that is not so says
``openapi_extra=FOR_VIEWERS`` and the like.
"""

from __future__ import annotations

import logging
from typing import Any, Literal, TypeAlias

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rookery.edge.context import EdgeContext
from rookery.edge.users import texts
from rookery.errors import NotAllowedError, UnauthorizedError
from rookery.web.caller import ASSERTED, CALLER, Caller
from rookery.web.peer import HEADER_BYTES_MAX, address_of
from rookery.web.rest import BODY_BYTES_MAX
from rookery.web.segments import decoded

_audit = logging.getLogger("rookery.edge.audit")

Need: TypeAlias = Literal["nobody", "anybody", "viewer", "administrator"]
"""``nobody``: has not to be known; ``anybody``: is, even with a password that has to be changed first."""

NEED = "x-role"
BEFORE_SIGN_IN: dict[str, Any] = {NEED: "nobody"}
BEFORE_ALL: dict[str, Any] = {NEED: "anybody"}
FOR_VIEWERS: dict[str, Any] = {NEED: "viewer"}
FOR_ADMINISTRATORS: dict[str, Any] = {NEED: "administrator"}

JSON_BYTES_MAX = 8 << 20
"""Ten thousand tags with everything that can be said of them are 4 MB."""


def need_of(route: APIRoute) -> Need:
    """What an operation asks of its caller."""
    method = min(route.methods or {"GET"})
    usual: Need = "viewer" if method == "GET" else "administrator"
    found: Need = (route.openapi_extra or {}).get(NEED, usual)
    return found


class Operation:
    """An operation with all that stands around it."""

    def __init__(self, edge: EdgeContext, route: APIRoute) -> None:
        """``route`` is what the framework made."""
        self._edge = edge
        self._app: ASGIApp = route.app
        self._need = need_of(route)
        self._is_change = min(route.methods or {"GET"}) != "GET" and self._need == "administrator"
        extra = route.openapi_extra or {}
        self._body_bytes_max = int(extra.get(BODY_BYTES_MAX, JSON_BYTES_MAX))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["path_params"] = {
            name: decoded(value) for name, value in scope["path_params"].items()
        }
        request = Request(scope)
        caller = None if self._need == "nobody" else caller_of(self._edge, request)
        if caller is not None:
            check(self._need, caller)
        scope[CALLER] = caller
        await self._app(scope, self._bounded(receive), self._told(request, caller, send))

    def _told(self, request: Request, caller: Caller | None, send: Send) -> Send:
        """Have the log say who changed what, and what was answered."""
        if not self._is_change or caller is None:
            return send

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                _audit.info(
                    "%s from %s: %s %s %d",
                    caller.name,
                    caller.address or "this machine",
                    request.method,
                    request.url.path,
                    message["status"],
                )
            await send(message)

        return told

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


def caller_of(edge: EdgeContext, request: Request) -> Caller:
    """Who asks.

    Raises:
        UnauthorizedError: the request does not say, or what it says is not good.
    """
    asserted: Caller | None = request.scope.get(ASSERTED)
    if asserted is not None:
        return asserted
    header = request.headers.get("authorization", "")[:HEADER_BYTES_MAX]
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise UnauthorizedError(
            texts.NO_HEADER.en,
            code="AUTHORIZATION_HEADER_ERROR",
            message_zh=texts.NO_HEADER.zh,
        )
    return edge.users.caller_of(token.strip(), address_of(request))


def check(need: Need, caller: Caller) -> None:
    """Whether that one may.

    Raises:
        NotAllowedError: not that one, or not yet.
    """
    if need == "anybody":
        return
    if caller.must_change_password:
        words = texts.CHANGE_FIRST
        raise NotAllowedError(words.en, code="PASSWORD_CHANGE_REQUIRED", message_zh=words.zh)
    if need == "administrator" and caller.role != "administrator":
        words = texts.NOT_ALLOWED
        raise NotAllowedError(words.en, code="UNAUTHORIZED_ROLE", message_zh=words.zh)
