"""Path segments stay whole: ``/clients/a%2Fb`` is one client whose id has a slash.

Servers hand over a decoded path in which that slash looks like any other. Here an encoded one becomes
a character that no path has otherwise, until the framework has taken the path apart.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rookery.web.errors import problem

# A noncharacter: no text that is exchanged may hold it (Unicode 23.7).
_SLASH = "\uffff"
_ENCODED = re.compile(rb"%2[fF]")


class Segments:
    """Keeps encoded slashes apart, around an application whose routes then see whole segments."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                scope = {**scope, "path": encoded(scope["raw_path"])}
            except ValueError:
                answer: Response = problem(400, "BAD_REQUEST", "the path is no UTF-8")
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def encoded(raw_path: bytes) -> str:
    """The decoded path, with encoded slashes kept apart.

    Raises:
        ValueError: it is no UTF-8, or holds the character that stands for them.
    """
    path = raw_path.partition(b"?")[0]
    parts = [unquote_to_bytes(part).decode() for part in _ENCODED.split(path)]
    if any(_SLASH in part for part in parts):
        raise ValueError("not a path")
    return _SLASH.join(parts)


def decoded(segment: str) -> str:
    """What a segment says."""
    return segment.replace(_SLASH, "/")
