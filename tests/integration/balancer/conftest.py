"""Nodes behind the real balancers, with the files of ``deploy``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.balanced import DEVICE, KINDS, BalancedNode, Site, StartSite
from harness.balancer import Balancer, HaProxy
from harness.node import HOST, ROOT, Settings


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``rookery tls init`` makes, and HAProxy's form of it."""
    folder = tmp_path_factory.mktemp("certs")
    cli = str(ROOT / ".venv/bin/rookery")
    command = [os.environ.get("ROOKERY_TEST_CLI", cli), "tls", "init", "--dir", str(folder)]
    subprocess.run([*command, "--host", HOST, "--client", DEVICE], check=True, capture_output=True)
    return folder


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    """Which balancer, and where TLS ends."""
    name: str = request.param
    return name


@pytest.fixture
def start_site(
    kind: str, certs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartSite]:
    """Two nodes and a balancer in front of them."""
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
            balancer.await_up(
                *(
                    f"{pool}/node{number}"
                    for pool in ("mqtt_nodes", "ws_nodes")
                    for number in (1, 2)
                )
            )
        return Site(balancer, nodes, certs, start_node)

    yield start
    for balancer in balancers:
        balancer.stop()
    for node in nodes:
        node.stop()


@pytest.fixture
def site(start_site: StartSite) -> Site:
    """With the times of the files."""
    return start_site()
