"""``/dl/agent``: the agent as a file to download, for everybody who reaches the port.

There is no secret in it. Commands compare its digest, so that the download may come from a server
whose certificate is not known yet.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rookery.control.agents.instructions import DOWNLOADS, FILE_NAME

if TYPE_CHECKING:
    from rookery.control.context import ControlContext

_ENTRY = re.compile(r"[0-9a-f]{16}")


class AgentFile:
    """The one file that an agent is; made when it is wanted first, the same bytes each time."""

    def __init__(self, make: Callable[[], bytes], install_script: Callable[[], str]) -> None:
        """``make`` makes it, ``install_script`` reads what installs it."""
        self._make = make
        self.install_script = install_script
        self._made: tuple[bytes, str] | None = None
        self._making = asyncio.Lock()

    async def content(self) -> bytes:
        """The file."""
        return (await self._file())[0]

    async def sha256(self) -> str:
        """Its digest in hexadecimal digits."""
        return (await self._file())[1]

    async def _file(self) -> tuple[bytes, str]:
        async with self._making:
            if self._made is None:
                content = await asyncio.to_thread(self._make)
                self._made = content, hashlib.sha256(content).hexdigest()
            return self._made


def routes(control: ControlContext) -> Sequence[Route]:
    """Outside ``/api``."""

    async def file(request: Request) -> Response:
        content = await control.adoption.file.content()
        entry = request.query_params.get("entry", "")
        if request.method == "GET" and _ENTRY.fullmatch(entry):
            await control.adoption.agents.downloaded(entry)
        return Response(
            content,
            media_type="application/zip",
            headers={
                "content-disposition": f'attachment; filename="{FILE_NAME}"',
                "cache-control": "no-cache",
            },
        )

    async def script(_request: Request) -> Response:
        text = await asyncio.to_thread(control.adoption.file.install_script)
        return Response(text, media_type="text/x-shellscript")

    async def authority(_request: Request) -> Response:
        content = await asyncio.to_thread(control.certificates.ca_file.read_bytes)
        return Response(content, media_type="application/x-pem-file")

    return [
        Route(f"{DOWNLOADS}/{FILE_NAME}", file, methods=["GET"]),
        Route(f"{DOWNLOADS}/install.sh", script, methods=["GET"]),
        # Compared with the digest that the commands name, so nobody has to trust how it came.
        Route(f"{DOWNLOADS}/ca.pem", authority, methods=["GET"]),
    ]
