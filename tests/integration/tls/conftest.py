"""A certificate authority made by the openssl command, and nodes with TLS listeners."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.authority import Authority
from harness.tls_listener import StartTls, tls_listener
from rookery.native.config import NodeConfig
from rookery.native.node import Node


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that clients and nodes trust."""
    return Authority(tmp_path_factory.mktemp("ca"), "Test CA")


@pytest.fixture(scope="module")
def foreign_ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another one, which nobody trusts."""
    return Authority(tmp_path_factory.mktemp("foreign"), "Foreign CA")


@pytest.fixture
def start_tls(ca: Authority) -> Iterator[StartTls]:
    """Nodes with one TLS listener ``ssl:default``; keywords are settings of ``TlsConfig``."""
    started: list[Node] = []

    def start(**settings: Any) -> Node:
        if "certfile" not in settings:
            pair = ca.issue("localhost")
            settings |= {"certfile": str(pair.cert), "keyfile": str(pair.key)}
        node = Node(NodeConfig(workers=2, listeners=(tls_listener(**settings),)))
        started.append(node)
        return node

    yield start
    for node in started:
        node.stop(0.0)
