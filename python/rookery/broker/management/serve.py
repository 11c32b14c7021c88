"""Puts the operations on their sockets. Imported when clients are served already."""

from __future__ import annotations

import socket
from functools import partial

from rookery.broker.management.api import ManagementApi
from rookery.broker.management.context import NodeContext
from rookery.broker.management.features import features_of
from rookery.broker.management.status import Status
from rookery.broker.rest.admission import RestAdmission
from rookery.broker.rest.app import make_app, on_socket
from rookery.broker.rest.audit import RestAudit
from rookery.broker.rest.site import make_site
from rookery.web.server import WebServer

LOCAL_CONNECTIONS_MAX = 64


def open_servers(
    context: NodeContext,
    *,
    local: socket.socket,
    http: socket.socket | None,
    http_connections_max: int,
) -> list[WebServer]:
    """Begin to answer on the running loop."""
    rest = make_app(context, RestAdmission(), RestAudit(context.services.audit))
    features = features_of(context.services, context.stats)
    private = ManagementApi(context, Status(context), features).app(on_socket(rest))
    servers = [WebServer(private, [local], connections_max=LOCAL_CONNECTIONS_MAX)]
    if http is not None:
        site = make_site(context, rest)
        servers.append(WebServer(site, [http], connections_max=http_connections_max))
    for number, server in enumerate(servers, start=1):
        server.open()
        context.metrics.register(f"web/{number}", partial(dict, server.counters))
    return servers
