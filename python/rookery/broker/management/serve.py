"""Puts the operations on their sockets. Imported when somebody connects to one of them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from rookery.broker.audit import asked_by
from rookery.broker.management.api import ManagementApi
from rookery.broker.management.context import NodeContext
from rookery.broker.management.doors import Door
from rookery.broker.management.status import Status
from rookery.broker.rest.audit import RestAudit
from rookery.broker.rest.deferred import DeferredApi, name_of_local
from rookery.broker.rest.site import make_site
from rookery.broker.rest_v3.app import make_v3
from rookery.web.server import WebServer


def open_servers(
    context: NodeContext, audit: RestAudit, doors: Sequence[Door]
) -> dict[str, WebServer]:
    """Begin to answer on the running loop; the servers by the names of their doors."""
    rest = DeferredApi(context, audit)
    private = ManagementApi(context, Status(context)).app(rest.on_socket)
    apps: dict[str, ASGIApp] = {
        "local": _noting_who(private),
        "site": make_site(context, rest),
        "v3": make_v3(context, audit),
    }
    servers = {
        door.name: WebServer(
            apps[door.serves], [door.sock], connections_max=door.connections_max, tls=door.tls
        )
        for door in doors
    }
    for server in servers.values():
        server.open()
    return servers


def _noting_who(app: ASGIApp) -> ASGIApp:
    """The audit log says which user of the machine asked."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        with asked_by(name_of_local(scope)):
            await app(scope, receive, send)

    return noting
