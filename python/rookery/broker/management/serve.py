"""Puts the operations on their sockets. Imported when clients are served already."""

from __future__ import annotations

import socket
import ssl
from functools import partial
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from rookery.broker.audit import asked_by
from rookery.broker.management.api import ManagementApi
from rookery.broker.management.context import NodeContext
from rookery.broker.management.status import Status
from rookery.broker.rest.admission import RestAdmission
from rookery.broker.rest.app import make_app, name_of_local, on_socket
from rookery.broker.rest.audit import RestAudit
from rookery.broker.rest.site import make_site
from rookery.web.server import WebServer

LOCAL_CONNECTIONS_MAX = 64


class Door(NamedTuple):
    """A listener of ``dashboard.listeners``."""

    sock: socket.socket
    connections_max: int
    tls: ssl.SSLContext | None = None


class Apps(NamedTuple):
    """What is served: to this machine, and to everybody."""

    private: ASGIApp
    site: ASGIApp


def make_apps(context: NodeContext) -> Apps:
    """Build them. Takes a good part of a second: not for the event loop."""
    audit = RestAudit(context.services.audit, context.clock)
    context.metrics.register("rest audit", audit.metrics)
    rest = make_app(context, RestAdmission(context.services.admins), audit)
    private = ManagementApi(context, Status(context)).app(on_socket(rest))
    return Apps(_noting_who(private), make_site(context, rest))


def open_servers(
    context: NodeContext, apps: Apps, *, local: socket.socket, doors: list[Door]
) -> list[WebServer]:
    """Begin to answer on the running loop."""
    servers = [WebServer(apps.private, [local], connections_max=LOCAL_CONNECTIONS_MAX)]
    servers += [
        WebServer(apps.site, [door.sock], connections_max=door.connections_max, tls=door.tls)
        for door in doors
    ]
    for number, server in enumerate(servers, start=1):
        server.open()
        context.metrics.register(f"web/{number}", partial(dict, server.counters))
    return servers


def _noting_who(app: ASGIApp) -> ASGIApp:
    """The audit log says which user of the machine asked."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        with asked_by(name_of_local(scope)):
            await app(scope, receive, send)

    return noting
