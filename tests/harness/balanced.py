"""Nodes behind a balancer, all with the files of ``deploy``."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.balancer import Balancer, HaProxy, Nginx, render
from harness.client import DEADLINE_S, ClosedError
from harness.node import HOST, ROOT, Node, Settings
from harness.secure import SecureClient, client_context
from harness.waiting import until
from rookery.client.management import ManagementClient

DEVICE = "device-7"
KINDS: dict[str, tuple[type[Balancer], str, str]] = {
    "haproxy": (HaProxy, "haproxy/haproxy.cfg", "haproxy/rookery.conf"),
    "haproxy-passthrough": (
        HaProxy,
        "haproxy/haproxy-passthrough.cfg",
        "haproxy/rookery-passthrough.conf",
    ),
    "nginx": (Nginx, "nginx/nginx.conf", "nginx/rookery.conf"),
    "nginx-passthrough": (
        Nginx,
        "nginx/nginx-passthrough.conf",
        "nginx/rookery-passthrough.conf",
    ),
}


class BalancedNode(Node):
    """A node with a configuration file of ``deploy``; every port is one that was free."""

    def __init__(self, data_dir: Path, file: str, certs: Path, settings: Settings) -> None:
        super().__init__(data_dir, {"access.anonymous": "everyone", **settings})
        text = (ROOT / "deploy" / file).read_text()
        ports = (1884, 8085, 8884, 8086, 18083)
        names = [name for port in ports if (name := f"192.0.2.11:{port}") in text]
        replacements = dict.fromkeys(names, f"{HOST}:0") | {'"192.0.2.10"': f'"{HOST}"'}
        if '"certs/' in text:
            replacements['"certs/'] = f'"{certs}/'
        (data_dir / "rookery.conf").write_text(render(text, replacements))

    def ports(self) -> tuple[int, int, int]:
        """Where MQTT, WebSocket and the status page of this node are."""
        rows = self._ask("/ports")
        found = {
            row["listener"]: int(str(row["address"]).rpartition(":")[2] or 0)
            for row in rows
            if ":" in str(row["address"])
        }
        mqtt = found.get("tcp:balanced") or found["ssl:balanced"]
        ws = found.get("ws:balanced") or found["wss:balanced"]
        return mqtt, ws, found["http:dashboard"]

    def row(self, client_id: str) -> dict[str, Any] | None:
        """What the node knows of a connected client."""
        for row in self._ask("/api/v5/clients?limit=1000")["data"]:
            if row["clientid"] == client_id and row["connected"]:
                found: dict[str, Any] = row
                return found
        return None

    def connected(self) -> set[str]:
        """Client identifiers."""
        rows = self._ask("/api/v5/clients?limit=1000")["data"]
        return {row["clientid"] for row in rows if row["connected"]}

    def _ask(self, path: str) -> Any:
        # Longer than a person waits: whatever else this machine does, the answer comes.
        return ManagementClient(self.data_dir, timeout_s=DEADLINE_S).get(path)


class Site(NamedTuple):
    """A balancer and its nodes."""

    balancer: Balancer
    nodes: list[BalancedNode]
    certs: Path
    start_node: Callable[[], BalancedNode]

    def context(self, *, with_certificate: bool = False) -> ssl.SSLContext:
        shown = (self.certs / f"{DEVICE}.pem", self.certs / f"{DEVICE}.key")
        return client_context(self.certs / "ca.pem", shown if with_certificate else None)

    def client(
        self,
        client_id: str,
        source: str = HOST,
        *,
        keep_alive: int = 60,
        level: int = 4,
        is_websocket: bool = False,
        with_certificate: bool = False,
    ) -> SecureClient:
        """A client that was accepted; tried again while the balancer has nobody to ask."""
        port = self.balancer.wss_port if is_websocket else self.balancer.mqtt_port

        def attempt() -> SecureClient | None:
            try:
                client = SecureClient(
                    port,
                    self.context(with_certificate=with_certificate),
                    source=source,
                    level=level,
                    is_websocket=is_websocket,
                )
                return client.enter(client_id, keep_alive)
            except (OSError, ClosedError):
                return None

        return until(attempt, f"{client_id} is accepted")

    def node_of(self, client_id: str) -> BalancedNode:
        """The node on which a client is."""

        def find() -> BalancedNode | None:
            running = [node for node in self.nodes if node.is_running]
            return next((node for node in running if node.row(client_id)), None)

        return until(find, f"{client_id} is on a node")


StartSite = Callable[..., Site]


@contextlib.contextmanager
def sites(kind: str, certs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartSite]:
    """Starts two nodes and a balancer in front of them."""
    balancer_class, balancer_file, node_file = KINDS[kind]
    nodes: list[BalancedNode] = []
    balancers: list[Balancer] = []
    folder = tmp_path_factory.mktemp("balancer")
    own_certs = folder / "certs"
    own_certs.mkdir()
    for file in certs.iterdir():
        (own_certs / file.name).write_bytes(file.read_bytes())
    if kind == "haproxy":
        together = (certs / "server.pem").read_text() + (certs / "server.key").read_text()
        (own_certs / "server.pem").write_text(together)

    def start(settings: Settings | None = None, **times: str) -> Site:
        def start_node() -> BalancedNode:
            data_dir = tmp_path_factory.mktemp("node")
            node = BalancedNode(data_dir, node_file, certs, settings or {})
            nodes.append(node)
            node.start()
            # Puts the REST interface together, before a time-out of the balancer runs.
            node.connected()
            return node

        first, second = start_node(), start_node()
        balancer = balancer_class(folder, balancer_file, own_certs)
        balancers.append(balancer)
        balancer.start([first.ports(), second.ports()], **times)
        if isinstance(balancer, HaProxy):
            pools = ("mqtt_nodes", "ws_nodes")
            balancer.await_up(*(f"{pool}/node{number}" for pool in pools for number in (1, 2)))
        return Site(balancer, nodes, certs, start_node)

    try:
        yield start
    finally:
        for balancer in balancers:
            balancer.stop()
        for node in nodes:
            node.stop()
