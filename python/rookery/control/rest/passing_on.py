"""A request that is answered by somebody else: by a cluster or an edge service, through whatever leads there.

What passes is a list of headers in both directions, so that nothing that belongs to control reaches the other
side, and nothing from there speaks for control to a browser.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rookery.control.errors import InvalidError, Text
from rookery.control.relay.tunnel import Answer, Call

BODY_MAX = 64 << 20
TIMEOUT_S = 60.0
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
READING = frozenset({"GET", "HEAD"})
SENT = frozenset({b"accept", b"accept-language", b"content-type", b"if-none-match", b"range"})
"""Request headers that go on."""
RECEIVED = frozenset(
    {
        "content-type",
        "content-encoding",
        "content-disposition",
        "content-range",
        "etag",
        "last-modified",
        "retry-after",
    }
)
"""Headers of an answer that come back."""

NO_PATH = Text("the path behind it is missing", "缺少目标接口路径")


class Passage(Protocol):
    """The way there, for a caller who may go it."""

    def ask(
        self, call: Call, body: AsyncIterator[bytes] | None = None
    ) -> contextlib.AbstractAsyncContextManager[Answer]:
        """Ask; the answer can be read inside the block."""
        ...


def target_of(scope: Scope, mark: bytes, *, has_id: bool) -> str:
    """What stands behind a mark in the path, and behind an id after it, with what was encoded in it left so.

    Raises:
        InvalidError: nothing does.
    """
    raw: bytes = scope["raw_path"].partition(b"?")[0]
    _, found, path = raw.partition(mark)
    if has_id:
        _, found, path = path.partition(b"/")
    if not found or not path:
        raise InvalidError(NO_PATH)
    query: bytes = scope["query_string"]
    return (b"/" + path + (b"?" + query if query else b"")).decode("latin-1")


def call_of(request: Request, target: str) -> Call:
    """The request as it is asked there."""
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in request.headers.raw
        if name in SENT
    ]
    return Call(request.method, target, headers, timeout_s=TIMEOUT_S)


class PassedOn(Response):
    """The answer from there, passed on while it comes; of what only reads it ends with who asked."""

    def __init__(self, passage: Passage, call: Call, body: AsyncIterator[bytes]) -> None:
        super().__init__()
        self._passage = passage
        self._call = call
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._passage.ask(self._call, self._body) as answer:
            headers = _received(answer, is_head=self._call.method == "HEAD")
            start = {"type": "http.response.start", "status": answer.status, "headers": headers}
            await send(start)
            passing = asyncio.ensure_future(_pass_on(answer, send))
            watching = [passing]
            if self._call.method in READING:
                # Streams last as long as somebody reads them.
                watching.append(asyncio.ensure_future(_gone(receive)))
            try:
                await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in watching:
                    task.cancel()
                await asyncio.gather(*watching, return_exceptions=True)
            if not passing.cancelled():
                passing.result()


def _received(answer: Answer, *, is_head: bool) -> Sequence[tuple[bytes, bytes]]:
    # How long the body would be, where none comes; else the server counts what it passes on.
    kept = RECEIVED | {"content-length"} if is_head else RECEIVED
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in answer.headers
        if name.lower() in kept
    ]
    # A page from there is no page of control, whatever it says.
    return [*headers, (b"content-security-policy", b"sandbox"), (b"cache-control", b"no-store")]


async def _pass_on(answer: Answer, send: Send) -> None:
    async for part in answer.body:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    """Until whoever asked goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass
