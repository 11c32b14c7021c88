"""Runs an ASGI application on sockets that are bound already."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence

import uvicorn
from starlette.types import ASGIApp

from rookery.web.connections import HEAD_BYTES_MAX, REQUEST_DEADLINE_S, Connections

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
        self,
        app: ASGIApp,
        sockets: Sequence[socket.socket],
        *,
        connections_max: int,
        deadline_s: float = REQUEST_DEADLINE_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``deadline_s`` is how long a client may take for a request, or to read an answer."""
        self._sockets = list(sockets)
        self._connections = Connections(connections_max=connections_max, deadline_s=deadline_s)
        config = uvicorn.Config(
            app,
            http=self._connections.protocol(),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=HEAD_BYTES_MAX,
            timeout_graceful_shutdown=STOP_GRACE_S,
        )
        config.load()
        config.ssl = tls
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin on the running loop; the sockets are the server's from here on."""
        serving = self._server.serve(sockets=self._sockets)
        self._task = asyncio.get_running_loop().create_task(serving)

    @property
    def counters(self) -> Mapping[str, int]:
        """How often a client was too slow, gave way to another, or was one too many."""
        return self._connections.counters

    async def close(self) -> None:
        """Let answers that are on their way finish, for a moment. May be called twice."""
        if self._task is not None:
            self._server.end()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for sock in self._sockets:
            sock.close()
