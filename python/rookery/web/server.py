"""Runs an ASGI application on sockets that are bound already."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp

STOP_GRACE_S = 2


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it is part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Serves one application until it is closed."""

    def __init__(self, app: ASGIApp, sockets: Sequence[socket.socket], *, connections_max: int) -> None:
        self._sockets = list(sockets)
        self._server = _Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=connections_max,
                timeout_graceful_shutdown=STOP_GRACE_S,
            )
        )
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin on the running loop; the sockets are the server's from here on."""
        serving = self._server.serve(sockets=self._sockets)
        self._task = asyncio.get_running_loop().create_task(serving)

    async def close(self) -> None:
        """Let answers that are on their way finish, for a moment. May be called twice."""
        if self._task is not None:
            self._server.should_exit = True
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for sock in self._sockets:
            sock.close()
