"""Watches the sockets of the management plane until somebody connects; then a server is imported.

Loads no web framework itself. **Invariant:** a connection that was made is answered, however long the
server takes to come: it waits in the socket's queue.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, NamedTuple

from rookery.broker.management.context import NodeContext
from rookery.broker.rest.audit import RestAudit
from rookery.web.counters import COUNTERS

if TYPE_CHECKING:
    from rookery.web.server import WebServer

_log = logging.getLogger("rookery.web")

LOCAL_CONNECTIONS_MAX = 64
RETRY_S = 10.0
NEEDED = ("anyio", "fastapi", "h11", "pydantic", "python_multipart", "starlette", "uvicorn")


class Door(NamedTuple):
    """A socket, and what is behind it."""

    name: str
    sock: socket.socket
    serves: Literal["local", "site", "v3"]
    connections_max: int
    tls: ssl.SSLContext | None = None


class Doors:
    """All sockets of the management plane."""

    def __init__(self, context: NodeContext, doors: Sequence[Door]) -> None:
        self._context = context
        self._doors = doors
        self._audit = RestAudit(context.services.audit, context.clock)
        self._servers: dict[str, WebServer] = {}
        self._opening: asyncio.Task[None] | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._watched = False
        context.metrics.register("rest audit", self._audit.metrics)
        for door in doors:
            context.metrics.register(f"web/{door.name}", partial(self._counters, door.name))

    def open(self) -> None:
        """Begin to watch on the running loop."""
        for name in NEEDED:
            if not _is_there(name):
                # Told at the start, not when somebody needs it.
                _log.error("the REST interface will not work: the package %s is missing", name)
        self._watch()

    async def close(self) -> None:
        """Let answers that are on their way finish, for a moment. May be called twice."""
        self._unwatch()
        if self._retry is not None:
            self._retry.cancel()
        if self._opening is not None:
            await self._opening
        servers, self._servers = self._servers, {}
        for server in servers.values():
            await server.close()

    def _counters(self, name: str) -> Mapping[str, int]:
        server = self._servers.get(name)
        return dict.fromkeys(COUNTERS, 0) if server is None else dict(server.counters)

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._retry, self._watched = None, True
        for door in self._doors:
            loop.add_reader(door.sock, self._somebody_came)

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            loop = asyncio.get_running_loop()
            for door in self._doors:
                loop.remove_reader(door.sock)

    def _somebody_came(self) -> None:
        self._unwatch()
        self._opening = asyncio.get_running_loop().create_task(self._open_servers())

    async def _open_servers(self) -> None:
        try:
            # In a thread: the loop goes on while the server is imported.
            await asyncio.to_thread(import_module, "rookery.broker.management.serve")
            from rookery.broker.management.serve import open_servers  # noqa: PLC0415

            self._servers = open_servers(self._context, self._audit, self._doors)
        except Exception:  # noqa: BLE001 — whatever it is, clients go on being served
            _log.exception("the management plane cannot be served, next attempt in %s s", RETRY_S)
            self._retry = asyncio.get_running_loop().call_later(RETRY_S, self._watch)


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False
