"""Puts the operations on their sockets. Imported when clients are served already."""

from __future__ import annotations

import socket
from functools import partial

from rookery.broker.management.api import ManagementApi
from rookery.broker.management.context import NodeContext
from rookery.broker.management.features import features_of
from rookery.broker.management.status import Status, public_app
from rookery.web.server import WebServer

LOCAL_CONNECTIONS_MAX = 64


def open_servers(
    context: NodeContext,
    *,
    local: socket.socket,
    http: socket.socket | None,
    http_connections_max: int,
) -> tuple[Status, list[WebServer]]:
    """Begin to answer on the running loop."""
    status = Status(context.node_name)
    features = features_of(context.services, context.stats)
    api = ManagementApi(context, status, features).app()
    servers = [WebServer(api, [local], connections_max=LOCAL_CONNECTIONS_MAX)]
    if http is not None:
        app = public_app(status)
        servers.append(WebServer(app, [http], connections_max=http_connections_max))
    for number, server in enumerate(servers, start=1):
        server.open()
        context.metrics.register(f"web/{number}", partial(dict, server.counters))
    return status, servers
