"""The ports themselves: opened when they are wanted, HTTPS, and HTTP from this machine alone.

**Bounds.** :data:`CONNECTIONS_MAX` connections at all ports together; one that has asked nothing for
:data:`SILENCE_S` is closed, one between two requests after :data:`IDLE_S`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable

from aiohttp import web

from rookery.errors import StartError
from rookery.web.one_port import OnePort
from rookery.web.sockets import open_http

_log = logging.getLogger("rookery.control.doors")

CONNECTIONS_MAX = 512
SILENCE_S = 10.0
IDLE_S = 30.0
STOP_S = 2.0

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Ports:
    """What stands open. Lives on one event loop."""

    def __init__(self, host: str, tls: Callable[[], ssl.SSLContext], handler: Handler) -> None:
        """``tls`` makes the context when the first port is opened."""
        self._host = host
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._handler = handler
        self._server: web.Server | None = None
        self._open: dict[int, tuple[socket.socket, OnePort]] = {}
        self._silent: set[web.RequestHandler] = set()
        self._is_closed = False

    def open(self, port: int) -> bool:
        """Open a port; whether it stands open, perhaps since before."""
        if port in self._open:
            return True
        if self._is_closed:
            return False
        try:
            sock = open_http(self._host, port, "control")
        except StartError as error:
            _log.warning("a port for dashboards is left out: %s", error)
            return False
        if self._server is None:
            self._server = web.Server(self._serve, access_log=None, keepalive_timeout=IDLE_S)
            self._context = self._tls()
        assert self._context is not None
        door = OnePort(sock, self._context, self._protocol)
        door.open()
        self._open[port] = (sock, door)
        return True

    async def close(self) -> None:
        """May be called twice."""
        self._is_closed = True
        doors, self._open = self._open, {}
        for sock, door in doors.values():
            door.close()
            sock.close()
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown(STOP_S)

    # -- inside --------------------------------------------------------------------------------

    def _protocol(self) -> asyncio.Protocol:
        if self._server is None or len(self._server.connections) >= CONNECTIONS_MAX:
            return _Refused()
        made = self._server()
        self._silent.add(made)
        asyncio.get_running_loop().call_later(SILENCE_S, self._close_silent, made)
        return made

    def _close_silent(self, made: web.RequestHandler) -> None:
        if made in self._silent:
            self._silent.discard(made)
            if made.transport is not None:
                made.transport.close()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self._silent.discard(request.protocol)
        return await self._handler(request)


class _Refused(asyncio.Protocol):
    """There are too many already."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
