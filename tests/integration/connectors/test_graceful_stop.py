"""A node that is told to stop sends what its actions have, as far as their services take it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from harness.databases import Server, postgresql_server
from harness.node import Node
from harness.operator import Operator, eventually, operated
from harness.packets import PubAck, Publish
from harness.web_sink import WebSink

COUNT = 300
RULE = {"id": "all", "sql": 'SELECT payload.n AS n FROM "out"'}
# One at a time, so that all but one wait for it.
OPTIONS = {"inflight_window": 1, "request_ttl": "infinity"}


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    with operated(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    with postgresql_server() as server:
        yield server


def define(operator: Operator, connector: dict[str, Any], parameters: dict[str, Any]) -> None:
    """Make a rule that gives everything to one action."""
    kind = connector["type"]
    post = operator.rest.post
    post("/connectors", {"name": "c", **connector})
    action = {"type": kind, "name": "a", "connector": "c", "resource_opts": OPTIONS}
    post("/actions", {**action, "parameters": parameters})
    post("/rules", {**RULE, "actions": [f"{kind}:a"]})


def publish(operator: Operator, kind: str) -> None:
    """Publish, and see that all of it has come to the action."""
    with operator.login() as client:
        for number in range(COUNT):
            client.send(Publish("out", b'{"n":%d}' % number, 1, number + 1))
        for number in range(COUNT):
            client.expect(PubAck, packet_id=number + 1)
    metrics = operator.rest.get(f"/actions/{kind}:a/metrics")["metrics"]
    assert metrics["matched"] == COUNT


def begin_to_stop(node: Node) -> threading.Thread:
    """Tell the node to stop; returns when it is about to."""
    stopping = threading.Thread(target=node.stop)
    stopping.start()
    eventually(lambda: any("stopping" in line for line in node.log))
    return stopping


def test_what_waits_for_a_web_service_is_sent_before_the_node_ends(operator: Operator) -> None:
    service = WebSink()
    try:
        service.gate.clear()
        connector = {"type": "http", "url": service.url}
        define(operator, connector, {"body": "${n}"})
        publish(operator, "http")
        assert not service.taken
        stopping = begin_to_stop(operator.node)
        service.gate.set()
        stopping.join()
    finally:
        service.gate.set()
        service.stop()
    assert service.taken == list(range(COUNT))
    log = "\n".join(operator.node.log)
    assert "dropped" not in log
    assert operator.node.log[-1].split()[1] == "stopped"


async def test_what_waits_for_a_database_is_written_before_the_node_ends(
    operator: Operator, database: Server
) -> None:
    login = {"user": "rookery", "password": "it's secret", "database": "postgres"}
    connection = await asyncpg.connect(host=database.host, port=database.port, **login)
    await connection.execute("CREATE TABLE out (id serial, n integer)")
    connector = {"type": "pgsql", "server": database.address, "database": "postgres"}
    connector |= {"username": login["user"], "password": login["password"]}
    sql = "INSERT INTO out (n) VALUES (${n})"
    await asyncio.to_thread(define, operator, connector, {"sql": sql})
    async with connection.transaction():
        await connection.execute("LOCK TABLE out IN EXCLUSIVE MODE")
        await asyncio.to_thread(publish, operator, "pgsql")
        stopping = await asyncio.to_thread(begin_to_stop, operator.node)
    await asyncio.to_thread(stopping.join)
    rows = await connection.fetch("SELECT n FROM out ORDER BY id")
    await connection.close()
    assert [row["n"] for row in rows] == list(range(COUNT))
    assert "dropped" not in "\n".join(operator.node.log)
