r"""JSON whose texts are Unicode: half of a surrogate pair is refused before anything reads it.

JSON can write what no UTF-8 has (``"\ud800"``), and Python reads it. Whatever encodes such a text
later, a database, the native side, a log, would fail in the middle of its work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from fastapi.routing import APIRoute, request_response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

_ESCAPED = re.compile(rb"\\u[dD][89a-fA-F]")
_NO_TEXT = "{where} has half of a surrogate pair, which is no character: send it whole"


def whole_text(route: APIRoute) -> ASGIApp:
    """What answers a route, with bodies that are refused when a text in them is no Unicode."""
    return request_response(_asked_whole(route.get_route_handler()))


def _asked_whole(
    handler: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def asked(request: Request) -> Response:
        return await handler(_Request(request.scope, request.receive))

    return asked


class _Request(Request):
    async def json(self) -> Any:
        value = await super().json()
        # What is written without an escape was decoded, so it is whole.
        if _ESCAPED.search(await self.body()) is not None and not _is_whole(value):
            where = next(_halves(value, ""), "") or "the body"
            raise HTTPException(400, _NO_TEXT.format(where=where))
        return value


def _is_whole(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _halves(value: Any, where: str) -> Iterator[str]:
    """Where they are. As deep as the decoder went, which is not deep."""
    match value:
        case str():
            if not _is_whole(value):
                yield where
        case dict():
            for name, item in value.items():
                if _is_whole(name):
                    yield from _halves(item, f"{where}.{name}".removeprefix("."))
                else:
                    yield where
        case list():
            for index, item in enumerate(value):
                yield from _halves(item, f"{where}[{index}]")
