"""A control plane that signs in here, because no agent of this service dials it, says for whom it asks.

It is an administrator by its own account; with the two headers below a request is taken as one of somebody
else, who may as much as the first header says, and no page asks that one for a password. Nobody gets more by
them than the token has: a viewer's token with them is refused.
"""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import unquote

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from rookery.edge.context import EdgeContext
from rookery.edge.rest.errors import answer_error
from rookery.edge.rest.guard import caller_of, check
from rookery.edge.users import texts
from rookery.edge.users.models import EdgeRole
from rookery.errors import BadRequestError, RookeryError
from rookery.web.caller import ASSERTED, Caller

ROLE, NAME = "x-rookery-role", "x-rookery-caller"
"""What somebody may, and who it is, percent-encoded."""
ROLES = ("administrator", "viewer")
NAME_MAX = 256


class SpeaksFor:
    """Stands before everything that asks who the caller is."""

    def __init__(self, app: ASGIApp, edge: EdgeContext) -> None:
        self._app = app
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ASSERTED not in scope:
            request = Request(scope)
            if ROLE in request.headers:
                try:
                    scope = cast(
                        dict[str, Any], {**scope, ASSERTED: _asserted(self._edge, request)}
                    )
                except RookeryError as error:
                    await (await answer_error(request, error))(scope, receive, send)
                    return
        await self._app(scope, receive, send)


def _asserted(edge: EdgeContext, request: Request) -> Caller:
    """Who is spoken for.

    Raises:
        UnauthorizedError: nobody speaks.
        NotAllowedError: who speaks is no administrator.
        BadRequestError: the headers say nothing that can be.
    """
    account = caller_of(edge, request)
    check("administrator", account)
    role, name = request.headers[ROLE], unquote(request.headers.get(NAME, ""))
    if role not in ROLES or len(name) > NAME_MAX or not name.isprintable():
        words = texts.BAD_SPEAKING.format(role=ROLE, name=NAME)
        raise BadRequestError(words.en, message_zh=words.zh)
    return Caller(
        name=name or account.name,
        role=cast(EdgeRole, role),
        via="control",
        address=f"{account.address} ({account.name})",
    )
