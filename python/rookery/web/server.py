"""Runs an ASGI application on sockets that are bound already."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from rookery.web.connections import HEAD_BYTES_MAX, REQUEST_DEADLINE_S, Connections
from rookery.web.one_port import OnePort

STOP_GRACE_S = 2


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it is part of, and sleeps while nobody asks."""

    def __init__(self, config: uvicorn.Config, one_port: ssl.SSLContext | None = None) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()
        self._one_port = one_port
        self._ports: list[OnePort] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._one_port is None:
            await super().startup(sockets)
            return
        await self.lifespan.startup()
        protocol = partial(
            cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class),
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        self.servers = []
        for sock in sockets or ():
            port = OnePort(sock, self._one_port, protocol)
            port.open()
            self._ports.append(port)
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for port in self._ports:
            port.close()
        await super().shutdown(sockets)

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
        plain_too: bool = False,
    ) -> None:
        """Describe it.

        Args:
            app: What answers.
            sockets: Where.
            connections_max: Most connections at a time.
            deadline_s: How long a client may take for a request, or to read an answer.
            tls: For HTTPS.
            plain_too: Whether the same sockets speak HTTP as well.
        """
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
        config.ssl = None if plain_too else tls
        self._server = _Server(config, tls if plain_too else None)
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
