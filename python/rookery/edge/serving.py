"""Runs an edge service in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rookery.access import own_certificates
from rookery.clock import Clock, SystemClock
from rookery.config.data_dir import EDGE_LOCK_NAME, DataDir
from rookery.config.edge import EdgeConfig
from rookery.config.local_socket import EDGE_SOCKET_NAME, socket_path
from rookery.edge.agent.service import EdgeAgent
from rookery.edge.context import EdgeContext
from rookery.edge.rest.app import make_site
from rookery.edge.service import EdgeService
from rookery.edge.system.log_lines import LogLines, log_file
from rookery.edge.templates import Templates
from rookery.edge.users.models import ADMIN
from rookery.edge.users.service import Users
from rookery.errors import BadRequestError, StartError
from rookery.lasting import settle
from rookery.native.node import version
from rookery.web.errors import HANDLERS
from rookery.web.line_journal import Journal
from rookery.web.process import open_as_many_files_as_allowed, told_to_stop
from rookery.web.server import WebServer
from rookery.web.sockets import address_of, open_http, open_unix

_log = logging.getLogger("rookery.edge")

CONNECTIONS_MAX = 256
LOCAL_CONNECTIONS_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What can be told of an edge service that accepts requests.

    Attributes:
        address: ``host:port`` of the pages.
        is_initial: Nobody has chosen the administrator's password.
    """

    address: str
    is_initial: bool


Ready: TypeAlias = Callable[[Running], None]


def run(
    config: EdgeConfig,
    *,
    ready: Ready | None = None,
    attached: bool = False,
    detached: bool = False,
) -> int:
    """Run until told to stop, or when ``attached`` until standard input ends; the exit code.

    ``detached``: the log goes to its files alone.

    Raises:
        StartError: it cannot start; nothing is left open.
    """
    os.umask(0o077)
    open_as_many_files_as_allowed()
    data_dir = DataDir(config.data_dir, lock_name=EDGE_LOCK_NAME)
    data_dir.open()
    with contextlib.ExitStack() as stack:
        stack.callback(data_dir.close)
        port = open_http(config.host, config.port, "edge")
        stack.callback(port.close)
        local = open_unix(socket_path(config.data_dir, EDGE_SOCKET_NAME))
        stack.callback(local.close)
        lines = LogLines()
        try:
            handlers = (log_file(config.data_dir), lines)
        except OSError as error:
            raise StartError(f"{config.data_dir}: {error.strerror or error}") from None
        stream = None if detached else sys.stdout
        stack.enter_context(Journal(config.log_level, stream, handlers))
        return asyncio.run(_serve(config, port, local, lines, ready, attached=attached))


def users_of(config: EdgeConfig, clock: Clock) -> Users:
    """The users of the data directory, not read yet."""
    return Users(
        config.data_dir,
        clock,
        lifetime_s=config.token_lifetime_s,
        first_password=config.admin_password,
    )


@contextlib.asynccontextmanager
async def opened(config: EdgeConfig, clock: Clock, lines: LogLines) -> AsyncIterator[EdgeContext]:
    """Everything runs while the block does.

    Raises:
        StartError: something cannot; nothing is left open.
    """
    users = users_of(config, clock)
    service = EdgeService(config.data_dir, clock)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(users.close)
        await users.open()
        stack.push_async_callback(service.close)
        await service.open()
        agent = EdgeAgent(service, clock, lambda: make_site(edge), lines)
        edge = EdgeContext(
            config=config,
            clock=clock,
            users=users,
            service=service,
            agent=agent,
            templates=Templates(service),
            log_lines=lines,
            started_at_ms=clock.now_ms(),
        )
        stack.push_async_callback(agent.close)
        await agent.open()
        yield edge


async def _serve(
    config: EdgeConfig,
    port: socket.socket,
    local: socket.socket,
    lines: LogLines,
    ready: Ready | None,
    *,
    attached: bool,
) -> int:
    stopping = asyncio.Event()
    files = own_certificates.prepare(config)
    address = address_of(port)
    async with opened(config, SystemClock(), lines) as edge:
        servers = (
            WebServer(
                make_site(edge),
                [port],
                connections_max=CONNECTIONS_MAX,
                tls=files.context(),
                plain_too=True,
            ),
            WebServer(
                _local_site(edge, stopping.set, address),
                [local],
                connections_max=LOCAL_CONNECTIONS_MAX,
            ),
        )
        with told_to_stop(stopping.set, attached=attached):
            for server in servers:
                server.open()
            settle()
            _log.info("ready on %s", address)
            if ready is not None:
                ready(Running(address=address, is_initial=edge.users.is_initial))
            await stopping.wait()
            _log.info("stopping")
            for server in servers:
                await server.close()
    _log.info("stopped")
    return 0


def _local_site(edge: EdgeContext, stop: Callable[[], None], address: str) -> Starlette:
    """What the command line asks on the process's own socket."""

    async def status(_request: Request) -> Response:
        statuses = edge.service.nodes.statuses()
        return JSONResponse(
            {
                "status": "running",
                "version": version(),
                "address": address,
                "passwordChosen": not edge.users.is_initial,
                "uptimeMs": edge.clock.now_ms() - edge.started_at_ms,
                "nodes": len(statuses),
                "nodesRunning": sum(status.state == 3 for status in statuses),
            }
        )

    async def stopped(_request: Request) -> Response:
        stop()
        return Response(status_code=204)

    async def password(request: Request) -> Response:
        given = await request.json()
        if not isinstance(given, dict):
            raise BadRequestError("not an object")
        name = str(given.get("name") or ADMIN)
        await edge.users.reset_password(name, str(given.get("password")), must_change=False)
        _log.info("the password of %s was reset on the machine", name)
        return Response(status_code=204)

    async def ports(_request: Request) -> Response:
        path = str(socket_path(edge.config.data_dir, EDGE_SOCKET_NAME))
        return JSONResponse(
            [
                {"listener": "http:edge", "address": address},
                {"listener": "unix:edge", "address": path},
            ]
        )

    routes = (
        Route("/edge", status, methods=["GET"]),
        Route("/stop", stopped, methods=["POST"]),
        Route("/password", password, methods=["POST"]),
        Route("/ports", ports, methods=["GET"]),
    )
    return Starlette(routes=list(routes), exception_handlers=HANDLERS)
