"""Runs a control plane in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rookery.access import own_certificates as certificates
from rookery.clock import SystemClock
from rookery.config.control import ControlConfig
from rookery.config.data_dir import CONTROL_LOCK_NAME, DataDir
from rookery.config.local_socket import CONTROL_SOCKET_NAME, socket_path
from rookery.control.agents.downloads import AgentFile
from rookery.control.assembly import make, opened
from rookery.control.context import ControlContext
from rookery.control.rest.app import make_api, make_site
from rookery.lasting import settle
from rookery.native.node import version
from rookery.web.errors import HANDLERS
from rookery.web.line_journal import Journal
from rookery.web.process import open_as_many_files_as_allowed, told_to_stop
from rookery.web.server import WebServer
from rookery.web.sockets import address_of, open_http, open_unix

_log = logging.getLogger("rookery.control")

CONNECTIONS_MAX = 2048
LOCAL_CONNECTIONS_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What can be told of a control plane that accepts requests.

    Attributes:
        address: ``host:port`` of the console.
        setup_code: What the wizard asks for; none when it is done.
    """

    address: str
    setup_code: str | None
    ca_sha256: str


Ready: TypeAlias = Callable[[Running], None]


def run(
    config: ControlConfig,
    *,
    agent_file: AgentFile,
    ready: Ready | None = None,
    attached: bool = False,
) -> int:
    """Run until told to stop, or when ``attached`` until standard input ends; the exit code.

    ``agent_file`` is what agents are downloaded as.

    Raises:
        StartError: it cannot start; nothing is left open.
    """
    os.umask(0o077)
    open_as_many_files_as_allowed()
    data_dir = DataDir(config.data_dir, lock_name=CONTROL_LOCK_NAME)
    data_dir.open()
    with contextlib.ExitStack() as stack:
        stack.callback(data_dir.close)
        port = open_http(config.host, config.port, "control")
        stack.callback(port.close)
        local = open_unix(socket_path(config.data_dir, CONTROL_SOCKET_NAME))
        stack.callback(local.close)
        stack.enter_context(Journal(config.values["log"]["level"], sys.stdout))
        return asyncio.run(_serve(config, port, local, ready, agent_file, attached=attached))


async def _serve(
    config: ControlConfig,
    port: socket.socket,
    local: socket.socket,
    ready: Ready | None,
    agent_file: AgentFile,
    *,
    attached: bool,
) -> int:
    clock = SystemClock()
    stopping = asyncio.Event()
    files = certificates.prepare(config)
    control = make(config, clock, files, agent_file=agent_file)
    tls = control.server_certificate.context()
    started_at_ms = clock.now_ms()
    async with opened(control):
        servers = (
            WebServer(
                make_site(control, make_api(control)),
                [port],
                connections_max=CONNECTIONS_MAX,
                tls=tls,
                plain_too=True,
            ),
            WebServer(
                _local_site(control, stopping.set, address_of(port), started_at_ms),
                [local],
                connections_max=LOCAL_CONNECTIONS_MAX,
            ),
        )
        running = Running(
            address=address_of(port),
            setup_code=await control.setup.code(),
            ca_sha256=files.ca_sha256,
        )
        with told_to_stop(stopping.set, attached=attached):
            for server in servers:
                server.open()
            settle()
            _log.info("ready on %s, database %s", running.address, control.database.shown)
            if ready is not None:
                ready(running)
            await stopping.wait()
            _log.info("stopping")
            for server in servers:
                await server.close()
    _log.info("stopped")
    return 0


def _local_site(
    control: ControlContext, stop: Callable[[], None], address: str, started_at_ms: int
) -> Starlette:
    """What the command line asks on the process's own socket."""

    async def status(_request: Request) -> Response:
        return JSONResponse(
            {
                "status": "running",
                "version": version(),
                "address": address,
                "database": control.database.shown,
                "setupFinished": await control.setup.is_finished(),
                "uptimeMs": control.clock.now_ms() - started_at_ms,
                "background": dict(control.once.runs),
            }
        )

    async def stopped(_request: Request) -> Response:
        stop()
        return Response(status_code=204)

    routes: Sequence[Route] = (
        Route("/control", status, methods=["GET"]),
        Route("/stop", stopped, methods=["POST"]),
    )
    return Starlette(routes=list(routes), exception_handlers=HANDLERS)
