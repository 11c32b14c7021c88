"""Finds out who asks: a token, or an API key and its secret.

Nothing here is a cookie, so no page of another origin can make a browser say who its user is. What a
browser remembers of HTTP Basic it would send along; ``rookery.web.origin`` refuses that.
"""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request

from rookery.broker.admins import AdminService
from rookery.errors import UnauthorizedError
from rookery.web.caller import Caller
from rookery.web.peer import HEADER_BYTES_MAX, address_of

AUTOMATIC = "x-automatic-request"
"""The header of a request that nobody caused: a page that is open asks by itself every few seconds.
Such a request does not extend a session."""


class RestAdmission:
    """Reads the Authorization header."""

    def __init__(self, admins: AdminService) -> None:
        self._admins = admins

    async def caller(self, request: Request) -> Caller | None:
        """Who asks; none when the request does not say.

        Raises:
            UnauthorizedError: what it says is wrong.
        """
        header = request.headers.get("authorization")
        if header is None:
            return None
        kind, _, rest = header[:HEADER_BYTES_MAX].partition(" ")
        match kind.lower():
            case "bearer":
                return self._admins.caller_of_token(
                    rest.strip(), address_of(request), is_automatic=AUTOMATIC in request.headers
                )
            case "basic":
                return self._key(rest.strip(), address_of(request))
        raise UnauthorizedError(
            "the Authorization header is Bearer TOKEN or Basic with an API key",
            code="AUTHORIZATION_HEADER_ERROR",
        )

    def _key(self, text: str, address: str) -> Caller:
        try:
            decoded = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, ValueError):
            raise UnauthorizedError(
                "the Authorization header is no Basic credentials",
                code="AUTHORIZATION_HEADER_ERROR",
            ) from None
        name, _, secret = decoded.partition(":")
        key = self._admins.keys.verify(name, secret)
        if key is None:
            raise UnauthorizedError(
                "the API key or its secret is wrong, is disabled, or has expired",
                code="BAD_API_KEY_OR_SECRET",
            )
        return Caller(name=key.name, role=key.role, via="api_key", address=address)
