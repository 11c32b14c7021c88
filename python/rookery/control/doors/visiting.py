"""Who comes to the port of a cluster: lets in, keeps out, and passes on through the tunnel."""

from __future__ import annotations

import html
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from rookery.access.lockout import is_loopback
from rookery.control.doors import passing, texts
from rookery.control.doors.service import Doors, Visit
from rookery.control.errors import Text
from rookery.control.relay.tunnel import Asks
from rookery.errors import RookeryError
from rookery.web.accept_language import language_asked
from rookery.web.addresses import parts_of

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy

_log = logging.getLogger("rookery.control.doors")

ENTER = "/.rookery/enter"
COOKIE = "rookery_door_{port}"
GUARDED = "__Host-Http-"
"""Begins the names of cookies over HTTPS. Cookies are of a host, not of a port: with it a script of a cluster's page,
which may set cookies for all ports of the host, sets none that shadows one of these (RFC 6265bis, 4.1.3)."""
MARK = "rookery_door_{port}_of"
"""Whose pages this browser saw here last: what is told of a port to one does not reach the others who
entered it before, and a cluster that was deleted left its port to anybody."""
MARK_S = 400 * 86_400
CODE_LENGTH_MAX = 256
_OWN_SITES = frozenset({"same-origin", "none"})
# A page that anybody shows may not use a code; the console is another port of the same host.
_NEAR_SITES = _OWN_SITES | {"same-site"}
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Visitors:
    """Answers at all ports."""

    def __init__(self, doors: Doors, tunnel: Asks) -> None:
        self._doors = doors
        self._tunnel = tunnel

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        port = _port_of(request)
        if request.scheme != "https" and not is_loopback(request.remote or ""):
            return _to_https(request)
        try:
            if request.path == ENTER:
                return await self._enter(request, port)
            return await self._visit(request, port)
        except RookeryError as error:
            if request.transport is None:
                raise
            _log.info("a dashboard through the tunnel: %s", error)
            return _page(request, 503, texts.OUT_OF_REACH, str(error))

    async def _enter(self, request: web.BaseRequest, port: int) -> web.StreamResponse:
        code = request.query.get("code", "")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if request.method != "GET" or site not in _NEAR_SITES or not code:
            return _page(request, 403, texts.NOT_FROM_THERE)
        admitted = await self._doors.admit(port, code[:CODE_LENGTH_MAX])
        if admitted is None:
            return _page(request, 401, texts.CODE_USED)
        sso_code = request.query.get("sso_code", "")
        target = f"/?sso_code={sso_code}" if passing.is_word(sso_code) else "/"
        # A page of this origin goes on from here: what another origin leads to is kept out.
        answer = web.Response(
            text=f'<!doctype html><meta charset="utf-8"><title>…</title>'
            f'<meta http-equiv="refresh" content="0;url={html.escape(target)}">',
            content_type="text/html",
            headers=_headers(_NOTHING),
        )
        mark = _cookie_name(request, MARK, port)
        if admitted.forgets or request.cookies.get(mark) != admitted.mark:
            answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        _keep(answer, request, _cookie_name(request, COOKIE, port), admitted.cookie)
        _keep(answer, request, mark, admitted.mark, max_age=MARK_S)
        return answer

    async def _visit(self, request: web.BaseRequest, port: int) -> web.StreamResponse:
        if is_foreign(request.headers):
            return _page(request, 403, texts.NOT_FROM_THERE)
        name = _cookie_name(request, COOKIE, port)
        cookie = request.cookies.get(name, "")[:CODE_LENGTH_MAX]

        async def visit() -> Visit | None:
            return await self._doors.visit(port, cookie) if cookie else None

        found = await visit()
        if found is None:
            return _page(request, 401, texts.ENTER_AGAIN)
        if passing.is_web_socket(request):
            return await passing.pass_web_socket(request, self._tunnel, found, self._doors, visit)
        return await passing.pass_request(request, self._tunnel, found, self._doors)


def _cookie_name(request: web.BaseRequest, name: str, port: int) -> str:
    guard = GUARDED if request.scheme == "https" else ""
    return guard + name.format(port=port)


def _keep(
    answer: web.Response,
    request: web.BaseRequest,
    name: str,
    value: str,
    *,
    max_age: int | None = None,
) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=max_age,
        httponly=True,
        secure=request.scheme == "https",
        samesite="Strict",
        path="/",
    )


def is_foreign(headers: CIMultiDictProxy[str] | Mapping[str, str]) -> bool:
    """Whether a browser sends this for a page of another origin, or for a worker that would stay."""
    if headers.get("Sec-Fetch-Site", "none") not in _OWN_SITES:
        return True
    if "Service-Worker" in headers or headers.get("Sec-Fetch-Dest") == "serviceworker":
        return True
    origin = headers.get("Origin")
    if origin is None:
        return False
    place = parts_of(origin).netloc
    return not place or place != headers.get("Host", "")


def _port_of(request: web.BaseRequest) -> int:
    assert request.transport is not None
    port: int = request.transport.get_extra_info("sockname")[1]
    return port


def _to_https(request: web.BaseRequest) -> web.Response:
    if not request.headers.get("Host"):
        return _page(request, 400, texts.USE_HTTPS)
    target = f"https://{request.host}{request.raw_path}"
    return web.Response(status=308, headers={"Location": target, **_headers(_NOTHING)})


def _page(request: web.BaseRequest, status: int, text: Text, more: str = "") -> web.Response:
    language = language_asked(request.headers.get("Accept-Language"))
    said = text.zh if language == "zh" else text.en
    told = f"<p>{html.escape(more)}</p>" if more else ""
    return web.Response(
        status=status,
        text=f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f"<title>Rookery</title><p>{html.escape(said)}</p>{told}",
        content_type="text/html",
        headers=_headers(_NOTHING),
    )


def _headers(policy: str) -> dict[str, str]:
    return {"Content-Security-Policy": policy, "Cache-Control": "no-store", **passing.ALWAYS}
