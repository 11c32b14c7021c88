"""Passes what a browser asks on through the tunnel, and the answers back.

What belongs to the port stays here: what lets people in is a cookie that no cluster gets, those of a cluster
are kept here and no browser gets them, and nothing says where the page came from.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from rookery.control.doors.service import Visit
from rookery.control.errors import OutOfReachError, Text
from rookery.control.relay.tunnel import Answer, Asks, Call, WebSocket
from rookery.errors import RookeryError

TIMEOUT_S = 300.0
HANDSHAKE_S = 15.0
BODY_MAX = 64 << 20
MESSAGE_MAX = 4 << 20
HEADERS_MAX = 60
HEADERS_CHARS_MAX = 14_000
"""Beside the cookies that are kept here."""
LOOK_AGAIN_S = 15.0
PING_S = 30.0
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
TOO_LONG, BAD_TEXT, GONE = 1009, 1007, 1008

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "expect",
    }
)
_NOT_SENT = _HOP_BY_HOP | {
    "cookie",
    "origin",
    "referer",
    "content-length",
    "forwarded",
    "via",
    "x-real-ip",
    "service-worker",
}
# What would hold for more than this port, or for longer than the visit.
_NOT_RECEIVED = _HOP_BY_HOP | {
    "set-cookie",
    "set-cookie2",
    "set-login",
    "strict-transport-security",
    "alt-svc",
    "clear-site-data",
    "public-key-pins",
    "expect-ct",
    "nel",
    "report-to",
    "reporting-endpoints",
    "service-worker-allowed",
    "access-control-allow-origin",
    "access-control-allow-credentials",
}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OURS = frozenset(name.lower() for name in ALWAYS)
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; form-action 'self'; "
    "base-uri 'self'; frame-ancestors 'none'"
)
"""Beside the cluster's own: its pages speak to their own port and to nothing else."""
_PATH = re.compile(r"/[\x21-\x5b\x5d-\x7e]{0,8000}")
_WORD = re.compile(r"[A-Za-z0-9._~-]{1,512}")

REFUSED = Text("the agent got no answer: {reason}", "代理未得到应答：{reason}")
TOO_LARGE = Text("at most {most} bytes", "最多 {most} 字节")

Look = Callable[[], Awaitable[Visit | None]]


class Cookies(Protocol):
    """Those of the pages, kept in the browser's place."""

    def cookies(self, visit: Visit, path: str) -> str:
        """What a request says; empty: nothing."""
        ...

    async def keep(self, visit: Visit, said: Sequence[str], path: str) -> None:
        """Keep what an answer set."""
        ...


def is_word(text: str) -> bool:
    """Whether a text is one that needs no quoting in an address."""
    return _WORD.fullmatch(text) is not None


def is_web_socket(request: web.BaseRequest) -> bool:
    """Whether a browser wants to speak WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


async def pass_request(
    request: web.BaseRequest, tunnel: Asks, visit: Visit, jar: Cookies
) -> web.StreamResponse:
    """One request and its answer, as it comes.

    Raises:
        OutOfReachError: there was no answer; nothing was said to the browser yet.
    """
    if request.method not in METHODS:
        return web.Response(status=405)
    if _PATH.fullmatch(request.raw_path) is None:
        return web.Response(status=400)
    call = _call(request, visit, jar, TIMEOUT_S)
    async with tunnel.call(visit.agent_id, call, _body(request)) as answer:
        if answer.error:
            raise OutOfReachError(REFUSED, reason=answer.error)
        await _keep(jar, visit, answer.headers, request)
        response = web.StreamResponse(status=answer.status)
        for name, value in received(answer.headers, visit.address):
            response.headers.add(name, value)
        response.headers.extend(ALWAYS)
        response.headers.add("Content-Security-Policy", POLICY)
        await response.prepare(request)
        try:
            async for part in answer.body:
                await response.write(part)
            await response.write_eof()
        except RookeryError:
            # A browser takes an answer for whole that just ends.
            if request.transport is not None:
                request.transport.abort()
        return response


async def pass_web_socket(
    request: web.BaseRequest, tunnel: Asks, visit: Visit, jar: Cookies, look: Look
) -> web.StreamResponse:
    """A WebSocket, to its end, or to that of the right to be there.

    Raises:
        OutOfReachError: there was no answer; nothing was said to the browser yet.
    """
    if request.method != "GET" or _PATH.fullmatch(request.raw_path) is None:
        return web.Response(status=400)
    call = _call(request, visit, jar, HANDSHAKE_S)
    async with tunnel.web_socket(visit.agent_id, call) as opened:
        if isinstance(opened, Answer):
            if opened.error:
                raise OutOfReachError(REFUSED, reason=opened.error)
            return web.Response(status=opened.status if opened.status >= 400 else 502)
        await _keep(jar, visit, opened.headers, request)
        chosen = _value(opened.headers, "sec-websocket-protocol")
        browser = web.WebSocketResponse(
            protocols=(chosen,) if chosen else (),
            max_msg_size=MESSAGE_MAX,
            heartbeat=PING_S,
            compress=False,
        )
        await browser.prepare(request)
        await _carry(browser, opened, look)
        return browser


async def _carry(browser: web.WebSocketResponse, cluster: WebSocket, look: Look) -> None:
    tasks = [
        asyncio.ensure_future(work)
        for work in (_up(browser, cluster), _down(browser, cluster), _until_gone(browser, look))
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await browser.close()


async def _up(browser: web.WebSocketResponse, cluster: WebSocket) -> None:
    async for message in browser:
        if message.type is WSMsgType.TEXT:
            await cluster.send(message.data.encode(), "text")
        elif message.type is WSMsgType.BINARY:
            await cluster.send(message.data, "binary")
    code = browser.close_code or 1000
    with contextlib.suppress(RookeryError):
        # 1006 is for what was not said: the other side is to hear that it ended.
        said = code if code != 1006 else 1001
        await cluster.send(said.to_bytes(2, "big"), "close")


async def _down(browser: web.WebSocketResponse, cluster: WebSocket) -> None:
    held = bytearray()
    try:
        async for chunk in cluster.messages():
            if chunk.frame == "close":
                code = int.from_bytes(chunk.body[:2], "big") if len(chunk.body) > 1 else 1000
                await browser.close(code=code, message=chunk.body[2:])
                return
            held += chunk.body
            if len(held) > MESSAGE_MAX:
                await browser.close(code=TOO_LONG)
                return
            if chunk.frame and chunk.final:
                if chunk.frame == "text":
                    await browser.send_str(held.decode())
                else:
                    await browser.send_bytes(bytes(held))
                held.clear()
    except UnicodeDecodeError:
        await browser.close(code=BAD_TEXT)
    except (RookeryError, ConnectionError):
        await browser.close(code=1011)


async def _until_gone(browser: web.WebSocketResponse, look: Look) -> None:
    while True:
        await asyncio.sleep(LOOK_AGAIN_S)
        if await look() is None:
            await browser.close(code=GONE)
            return


def _call(request: web.BaseRequest, visit: Visit, jar: Cookies, timeout_s: float) -> Call:
    headers = [*sent(request.headers.items())]
    cookies = jar.cookies(visit, _path(request))
    if cookies:
        headers.append(("cookie", cookies))
    return Call(
        request.method,
        request.raw_path,
        headers,
        target="dashboard",
        credential=visit.credential,
        timeout_s=timeout_s,
        caller=visit.caller,
    )


def sent(headers: Iterable[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """What of a browser's headers reaches the cluster."""
    kept: list[tuple[str, str]] = []
    room = HEADERS_CHARS_MAX
    for name, value in headers:
        small = name.lower()
        is_ours = small in _NOT_SENT or small.startswith(("sec-fetch-", "x-forwarded-"))
        if is_ours or len(kept) == HEADERS_MAX:
            continue
        room -= len(name) + len(value)
        if room < 0:
            break
        kept.append((small, value))
    return kept


def received(headers: Iterable[tuple[str, str]], address: str) -> Iterable[tuple[str, str]]:
    """What of the cluster's headers reaches the browser."""
    for name, value in headers:
        small = name.lower()
        if small in _NOT_RECEIVED or small in _OURS:
            continue
        yield name, _here(value, address) if small == "location" else value


def _here(location: str, address: str) -> str:
    """Where a redirection leads, seen from the port."""
    if address and location.startswith(f"{address}/"):
        parts = urlsplit(location)
        return parts.path + (f"?{parts.query}" if parts.query else "")
    return location


async def _keep(
    jar: Cookies, visit: Visit, headers: Iterable[tuple[str, str]], request: web.BaseRequest
) -> None:
    said = [value for name, value in headers if name.lower() == "set-cookie"]
    if said:
        await jar.keep(visit, said, _path(request))


def _path(request: web.BaseRequest) -> str:
    return request.raw_path.partition("?")[0]


def _value(headers: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


async def _body(request: web.BaseRequest) -> AsyncIterator[bytes]:
    length = 0
    async for part in request.content.iter_any():
        length += len(part)
        if length > BODY_MAX:
            raise OutOfReachError(TOO_LARGE, most=BODY_MAX)
        yield part
