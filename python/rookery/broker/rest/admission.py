"""Finds out who asks: a token, or an API key and its secret.

Nothing here is a cookie, so no page of another origin can make a browser say who its user is. What a
browser remembers of HTTP Basic it would send along; ``rookery.web.origin`` refuses that.

Guessing of secrets is slowed down as for passwords: five wrong ones for one key from one address within
five minutes lock that key from there for ten minutes, and from nowhere else.
"""

from __future__ import annotations

import base64
import binascii
import logging
from math import ceil

from starlette.requests import Request

from rookery.broker.admins import AdminService
from rookery.errors import UnauthorizedError
from rookery.web.caller import Caller
from rookery.web.peer import HEADER_BYTES_MAX, address_of

_log = logging.getLogger("rookery.admins")

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
            UnauthorizedError: what it says is wrong, or too much that was wrong came from there.
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
            message_zh="Authorization 头应为 Bearer 令牌，或使用 API 密钥的 Basic 认证",
        )

    def _key(self, text: str, address: str) -> Caller:
        try:
            decoded = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, ValueError):
            raise UnauthorizedError(
                "the Authorization header is no Basic credentials",
                code="AUTHORIZATION_HEADER_ERROR",
                message_zh="Authorization 头不是有效的 Basic 凭据",
            ) from None
        name, _, secret = decoded.partition(":")
        lockout = self._admins.key_lockout
        if locked_s := lockout.locked_for_s(name, address):
            wait_s = ceil(locked_s)
            raise UnauthorizedError(
                f"too many wrong secrets for this API key from there, try again in {wait_s} s",
                code="LOGIN_LOCKED",
                message_zh=f"该 API 密钥从此地址认证失败次数过多，请在 {wait_s} 秒后重试",
            )
        key = self._admins.keys.verify(name, secret)
        if key is None:
            if lockout.was_bad(name, address):
                _log.warning("the API key %r is locked for %s after wrong secrets", name, address)
            raise UnauthorizedError(
                "the API key or its secret is wrong, is disabled, or has expired",
                code="BAD_API_KEY_OR_SECRET",
                message_zh="API 密钥或密文错误，或密钥已停用、已过期",
            )
        lockout.was_good(name, address)
        return Caller(name=key.name, role=key.role, via="api_key", address=address)
