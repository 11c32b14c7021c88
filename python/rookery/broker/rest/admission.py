"""Finds out who asks: a token, or an API key and its secret."""

from __future__ import annotations

from starlette.requests import Request

from rookery.web.errors import UnauthorizedError
from rookery.web.rest import Caller


class RestAdmission:
    """Reads the Authorization header."""

    async def caller(self, request: Request) -> Caller | None:
        """Who asks; none when the request does not say.

        Raises:
            UnauthorizedError: what it says is wrong.
        """
        if "authorization" not in request.headers:
            return None
        raise UnauthorizedError("the token is not known", code="BAD_TOKEN")
