"""Keeps pages of other origins out, and tells browsers what our own pages may do."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rookery.web.addresses import parts_of
from rookery.web.errors import in_language, problem

_ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""For everything that is no page: it loads nothing and is shown nowhere."""
HSTS = "max-age=31536000"
# A page of the same origin, or something that is no page at all.
_OWN_SITES = frozenset({"same-origin", "none"})


class SecurityHeaders:
    """Puts them on every answer that does not bring its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", POLICY)
                if scope.get("scheme") == "https":
                    headers.setdefault("strict-transport-security", HSTS)
            await send(message)

        await self._app(scope, receive, with_headers)


class OwnOrigin:
    """Refuses what a page of another origin asks for, and keeps answers out of caches.

    Tokens are sent by scripts alone, and another origin's scripts have none. This is for what a
    browser adds by itself: HTTP Basic that it remembers.
    """

    def __init__(
        self, app: ASGIApp, refuse: Callable[[Scope, str], Response] | None = None
    ) -> None:
        """``refuse`` makes the answer of a sentence, where errors look otherwise."""
        self._app = app
        self._refuse = refuse or _refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_foreign(Headers(scope=scope)):
            text = "pages of other origins may not use this interface"
            await self._refuse(scope, text)(scope, receive, send)
            return

        async def uncached(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, uncached)


def _refusal(scope: Scope, text: str) -> Response:
    return problem(403, "CROSS_ORIGIN", in_language(scope, "CROSS_ORIGIN", text))


def is_foreign(headers: Headers) -> bool:
    """Whether a browser sends this for a page of another origin."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in _OWN_SITES:
        return True
    return any(not _is_same(origin, headers) for origin in _origins(headers))


def _origins(headers: Headers) -> Iterable[str]:
    return headers.getlist("origin")


def _is_same(origin: str, headers: Headers) -> bool:
    # The scheme is left out: a proxy in front of us may speak TLS.
    place = parts_of(origin).netloc
    return bool(place) and place == headers.get("host", "")
