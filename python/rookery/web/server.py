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
    """A server that leaves signals to the process it is part of, and sleeps while nobody asks."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        # The inherited loop wakes ten times a second, which a quiet broker would pay for.
        await self._ended.wait()

    def end(self) -> None:
        self.should_exit = True
        self._ended.set()


class WebServer:
    """Serves one application until it is closed."""

    def __init__(
        self, app: ASGIApp, sockets: Sequence[socket.socket], *, connections_max: int
    ) -> None:
        self._sockets = list(sockets)
        self._server = _Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
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
            self._server.end()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for sock in self._sockets:
            sock.close()
