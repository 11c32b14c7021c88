"""A bridge to a broker that others wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.client import RawClient
from harness.connector_manager import managed
from harness.connectors import in_order
from harness.mosquitto import Mosquitto, mosquitto
from harness.packets import Connect
from harness.wire import Properties
from rookery.connectors.status import State
from rookery.native.action_fields import UNDEFINED

COUNT = 90  # Mosquitto queues 1000 for who is away, and drops the rest
OPTIONS = {"request_ttl": "infinity", "health_check_interval": "1s", "retry_interval": "1s"}


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Mosquitto]:
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    with mosquitto(folder) as broker:
        yield broker


def connected(remote: Mosquitto, client_id: str) -> RawClient:
    """A client whose session stays."""
    client = RawClient("127.0.0.1", remote.port, 5)
    stays: Properties = {"session_expiry_interval": 3600}
    client.connect(Connect(client_id, clean_start=False, properties=stays))
    return client


@pytest.mark.parametrize("version", ["v3", "v4", "v5"])
@pytest.mark.parametrize("qos", [1, 2])
async def test_everything_arrives_over_a_restart_in_both_directions(
    remote: Mosquitto, tmp_path: Path, version: str, qos: int
) -> None:
    with connected(remote, "watch") as watcher:
        watcher.subscribe("out", qos=1)
    connector = {
        "server": f"127.0.0.1:{remote.port}",
        "proto_ver": version,
        "pool_size": 2,
        "clean_start": False,
        # It loses what goes beyond its own window of QoS 2, which only MQTT 5 tells clients.
        "max_inflight": 20,
        "resource_opts": {"health_check_interval": "1s"},
    }
    action = {"connector": "other", "parameters": {"topic": "out"}, "resource_opts": OPTIONS}
    source = {"connector": "other", "parameters": {"topic": "in", "qos": qos}}
    async with managed(tmp_path) as it:
        await it.apply({"mqtt:other": connector}, {"mqtt:out": action}, {"mqtt:in": source})
        await it.until("action", "mqtt:out", State.CONNECTED)
        with connected(remote, "talk") as talker:
            while not it.received:  # the source has subscribed
                await asyncio.to_thread(talker.publish, "in", b"-1", qos=qos)
            for number in range(COUNT):
                it.buffers["mqtt:out"].offer(
                    "out", str(number), str(qos), "false", UNDEFINED, UNDEFINED, key=1
                )
                await asyncio.to_thread(talker.publish, "in", b"%d" % number, qos=qos)
        await asyncio.to_thread(remote.stop)
        await asyncio.to_thread(remote.start)
        with connected(remote, "talk") as talker:
            for number in range(COUNT, 2 * COUNT):
                it.buffers["mqtt:out"].offer(
                    "out", str(number), str(qos), "false", UNDEFINED, UNDEFINED, key=1
                )
                await asyncio.to_thread(talker.publish, "in", b"%d" % number, qos=qos)
        await it.until_counted("mqtt:out", success=2 * COUNT, failed=0, queuing=0)
        while it.received[-1][1]["payload"] != b"%d" % (2 * COUNT - 1):
            it.changed.clear()
            await it.changed.wait()
        came = [int(columns["payload"]) for _, columns in it.received]
    assert in_order([number for number in came if number >= 0]) == list(range(2 * COUNT))
    went: list[int] = []
    with connected(remote, "watch") as watcher:
        while not went or went[-1] != 2 * COUNT - 1:
            went.append(int((await asyncio.to_thread(watcher.receive)).payload))
    assert in_order(went) == list(range(2 * COUNT))
