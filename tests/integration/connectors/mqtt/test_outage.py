"""A bridge under traffic whose other end goes away: what was promised arrives, in order per client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.action_buffer import PlainBuffer, adds_up
from harness.connector_manager import managed
from harness.connectors import in_order
from harness.node import Node
from harness.ports import free_port
from rookery.connectors.status import State
from rookery.native.action_fields import UNDEFINED

CLIENTS = 5
COUNT = 600
OPTIONS = {"request_ttl": "infinity", "health_check_interval": "1s", "retry_interval": "1s"}


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Node]:
    folder = tmp_path / "remote"
    folder.mkdir()
    node = Node(folder, {"listeners.tcp.default.bind": f"127.0.0.1:{free_port()}"})
    node.start()
    yield node
    node.stop()


async def offered(buffer: PlainBuffer) -> None:
    """Traffic of some clients, a message each millisecond or so."""
    for number in range(COUNT):
        client = number % CLIENTS
        buffer.offer(
            f"out/{client}", str(number), "1", "false", UNDEFINED, UNDEFINED, key=client + 1
        )
        assert adds_up(buffer.counters())
        await asyncio.sleep(0.001)


async def restarted(node: Node) -> None:
    await asyncio.sleep(COUNT * 0.0003)  # in the middle of the traffic
    await asyncio.to_thread(node.kill9)
    await asyncio.to_thread(node.start)


async def test_an_action_delivers_everything_over_an_outage(remote: Node, tmp_path: Path) -> None:
    remote.durable("watch", 5).subscribe("out/#", qos=1)
    connector = {"server": f"127.0.0.1:{remote.port}", "pool_size": 3, "resource_opts": {}}
    action = {
        "connector": "other",
        "parameters": {"topic": "${topic}", "payload": "${payload}"},
        "resource_opts": OPTIONS,
    }
    async with managed(tmp_path) as it:
        await it.apply({"mqtt:other": connector}, {"mqtt:out": action})
        await it.until("action", "mqtt:out", State.CONNECTED)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(offered(it.buffers["mqtt:out"]))
            tasks.create_task(restarted(remote))
        await it.until_counted("mqtt:out", success=COUNT, failed=0, dropped=0, queuing=0)
        states = [state for kind, _, state in it.heard if kind == "connector"]
    assert State.DISCONNECTED in states, "it was seen"
    got: dict[str, list[int]] = {}
    with remote.durable("watch", 5) as watcher:
        while sum(len(set(numbers)) for numbers in got.values()) < COUNT:
            packet = await asyncio.to_thread(watcher.receive)
            got.setdefault(packet.topic_name, []).append(int(packet.payload))
    for client in range(CLIENTS):
        assert in_order(got[f"out/{client}"]) == list(range(client, COUNT, CLIENTS))


async def test_a_source_gets_everything_over_an_outage(remote: Node, tmp_path: Path) -> None:
    connector = {
        "server": f"127.0.0.1:{remote.port}",
        "pool_size": 1,
        "clean_start": False,
        "resource_opts": {"health_check_interval": "1s"},
    }
    source = {"connector": "other", "parameters": {"topic": "in/#", "qos": 1}}
    async with managed(tmp_path) as it:
        await it.apply({"mqtt:other": connector}, None, {"mqtt:in": source})
        await it.until("source", "mqtt:in", State.CONNECTED)
        with remote.connect(level=5) as publisher:
            while not it.received:
                await asyncio.to_thread(publisher.publish, "in/probe", b"-1", qos=1)
            for number in range(100):
                await asyncio.to_thread(publisher.publish, "in/1", b"%d" % number, qos=1)
        await asyncio.to_thread(remote.kill9)
        await asyncio.to_thread(remote.start)
        with remote.connect(level=5) as publisher:
            for number in range(100, 200):
                await asyncio.to_thread(publisher.publish, "in/1", b"%d" % number, qos=1)
        while it.received[-1][1]["payload"] != b"199":
            it.changed.clear()
            await it.changed.wait()
        got = [int(columns["payload"]) for _, columns in it.received]
    assert in_order([number for number in got if number >= 0]) == list(range(200))
