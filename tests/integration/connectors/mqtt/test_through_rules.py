"""What a client published reaches the other broker as it was."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import rookery
from harness.client import RawClient
from harness.connector_manager import managed
from harness.node import Node, fresh_name
from harness.packets import Connect, PubAck, Publish
from rookery.connectors.status import State
from rookery.native.rules import ActionOutput, RuleSpec


@pytest.mark.parametrize("data", [b"\xff\x00\x01ab", b"plain", "热".encode()])
async def test_correlation_data_stays_as_it_is(node: Node, tmp_path: Path, data: bytes) -> None:
    topic = fresh_name("bridge/")
    connector = {"server": f"127.0.0.1:{node.port}", "proto_ver": "v5"}
    action = {"connector": "away", "parameters": {"topic": topic, "payload": "${payload}"}}
    with node.connect(level=5) as watcher:
        watcher.subscribe(topic, qos=1)
        async with (
            rookery.Broker() as broker,
            managed(tmp_path, core=broker.actions) as it,
        ):
            await it.apply({"mqtt:away": connector}, {"mqtt:up": action})
            output = ActionOutput("mqtt:up", it.manager.fields_of("mqtt:up"))
            sql = 'SELECT payload, pub_props FROM "out/#"'
            await broker.rules.put(RuleSpec("up", sql, outputs=(output,)))
            await it.until("action", "mqtt:up", State.CONNECTED)

            def publish() -> None:
                with RawClient("127.0.0.1", broker.port, level=5) as client:
                    client.connect(Connect("c"))
                    packet = Publish(
                        "out/1", b"x", 1, client.packet_id(), properties={"correlation_data": data}
                    )
                    client.send(packet)
                    client.expect(PubAck, packet_id=packet.packet_id)

            await asyncio.to_thread(publish)
            packet = await asyncio.to_thread(watcher.receive)
    assert packet.properties["correlation_data"] == data
