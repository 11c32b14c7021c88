"""The pages of an application, the dashboard, the console or those of an edge service: files that were built before, served as they are.

A path that is no file is the application's own business: it gets the first page, whose script finds
out what to show. Files under ``assets/`` have a hash of their content in their name and may be kept
for ever; everything else is asked for again each time.
"""

from __future__ import annotations

import mimetypes
import secrets
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

DASHBOARD = Path(__file__).resolve().parent / "pages"
CONSOLE = Path(__file__).resolve().parent / "console"
EDGE = Path(__file__).resolve().parent / "edge"
INDEX = "index.html"
NONCE_PLACE = "__CSP_NONCE__"
"""Stands in the first page where a style may be put in by its script."""

FOR_EVER = "public, max-age=31536000, immutable"
EACH_TIME = "no-cache"

# The client tool speaks MQTT over WebSocket to another port of the node.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' ws: wss:; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_NOT_BUILT = """\
The pages of the {name} are not part of this installation: they are built from the folder
"dashboard" of the sources by tools/setup.sh, and every released package has them.

The REST interface is here all the same: {api}, described at /api-docs.
"""


class Pages:
    """Serves a folder."""

    def __init__(self, folder: Path, *, name: str, api: str) -> None:
        """``name`` is what people call the application, ``api`` where its interface begins."""
        self._folder = folder
        self._not_built = _NOT_BUILT.format(name=name, api=api)

    async def get(self, request: Request) -> Response:
        path = request.path_params["path"]
        file = await anyio.to_thread.run_sync(self._file, path)
        if file is not None:
            cached = FOR_EVER if path.startswith("assets/") else EACH_TIME
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            return FileResponse(file, media_type=kind, headers={"cache-control": cached})
        if path.startswith(("api/", "assets/")) or path == "api":
            return PlainTextResponse("Not Found", 404)
        return await self._index()

    async def _index(self) -> Response:
        try:
            text = await anyio.Path(self._folder / INDEX).read_text("utf-8")
        except OSError:
            return PlainTextResponse(self._not_built, 404)
        nonce = secrets.token_urlsafe(16)
        headers = {
            "cache-control": EACH_TIME,
            "content-security-policy": _POLICY.format(nonce=nonce),
        }
        return HTMLResponse(text.replace(NONCE_PLACE, nonce), headers=headers)

    def _file(self, path: str) -> Path | None:
        """The file of that path, if there is one inside the folder."""
        if not path or path == INDEX or "\0" in path:
            return None
        try:
            file = (self._folder / path).resolve()
            is_ours = file.is_relative_to(self._folder.resolve()) and file.is_file()
        except OSError:
            return None
        return file if is_ours else None
