"""The configuration file of the NATS server that a node runs beside itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

ACCOUNT_USER = "rookery"
SYSTEM_USER = "rookery-system"
ROUTE_USER = "rookery"
PAYLOAD_MAX = 8 << 20


class RouteTls(NamedTuple):
    """Certificates of the routes between nodes; each side checks the other's."""

    certfile: Path
    keyfile: Path
    cacertfile: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsConfig:
    """What the server is told.

    Attributes:
        server_name: The node's, which is another one whenever it left a cluster.
        cluster_name: Servers of another name are refused by the server itself.
        listen: Where other nodes reach it, ``host:port``.
        advertise: What it tells others to reach it at.
        routes: The servers of the other members.
        store_dir: Where JetStream keeps its data.
        has_store: Whether JetStream runs: not while the node is the only member, for one server of
            a cluster elects nobody.
    """

    server_name: str
    cluster_name: str
    listen: str
    advertise: str
    routes: tuple[str, ...]
    store_dir: Path
    has_store: bool
    route_password: str
    client_password: str
    tls: RouteTls | None = None

    def with_routes(self, routes: tuple[str, ...], *, has_store: bool) -> NatsConfig:
        """The same with other routes."""
        return replace(self, routes=routes, has_store=has_store)

    def needs_restart(self, before: NatsConfig) -> bool:
        """Whether the server cannot take the change while it runs."""
        return replace(self, routes=()) != replace(before, routes=())

    def text(self) -> str:
        """The file."""
        lines = [
            "# Written by Rookery at every start and change.",
            f"server_name: {_quoted(self.server_name)}",
            'listen: "127.0.0.1:-1"',
            "logtime: false",
            # A cable that was cut is noticed in seconds.
            'ping_interval: "1s"',
            "ping_max: 3",
            'write_deadline: "10s"',
            "max_control_line: 128KB",
            f"max_payload: {PAYLOAD_MAX}",
            "max_pending: 256MB",
            *self._accounts(),
            *self._jetstream(),
            "cluster {",
            f"  name: {_quoted(self.cluster_name)}",
            f"  listen: {_quoted(self.listen)}",
            f"  cluster_advertise: {_quoted(self.advertise)}",
            "  pool_size: 1",
            '  ping_interval: "1s"',
            "  authorization {",
            f"    user: {ROUTE_USER}",
            f"    password: {_quoted(self.route_password)}",
            "    timeout: 3",
            "  }",
            *self._tls(),
            "  routes: [",
            *(f"    {_quoted(self._route(address))}" for address in self.routes),
            "  ]",
            "}",
        ]
        return "\n".join(lines) + "\n"

    def _route(self, address: str) -> str:
        return f"nats://{ROUTE_USER}:{self.route_password}@{address}"

    def _accounts(self) -> list[str]:
        password = _quoted(self.client_password)
        jetstream = " jetstream: enabled," if self.has_store else ""
        return [
            "accounts {",
            f"  ROOKERY: {{{jetstream} users: [{{user: {ACCOUNT_USER}, password: {password}}}] }}",
            f"  SYS: {{ users: [{{user: {SYSTEM_USER}, password: {password}}}] }}",
            "}",
            "system_account: SYS",
        ]

    def _jetstream(self) -> list[str]:
        if not self.has_store:
            return []
        return [
            "jetstream {",
            f"  store_dir: {_quoted(self.store_dir)}",
            # Acknowledged is written: the engine's own default is up to two minutes later.
            "  sync_interval: always",
            "  max_memory_store: 64MB",
            "}",
        ]

    def _tls(self) -> list[str]:
        if self.tls is None:
            return []
        return [
            "  tls {",
            f"    cert_file: {_quoted(self.tls.certfile)}",
            f"    key_file: {_quoted(self.tls.keyfile)}",
            f"    ca_file: {_quoted(self.tls.cacertfile)}",
            "    verify: true",
            "    timeout: 5",
            "  }",
        ]


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)
