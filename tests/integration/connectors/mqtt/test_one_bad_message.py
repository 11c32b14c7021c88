"""What makes the other broker end the connection fails alone, and what others sent arrives."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.connector_world import world
from harness.connectors import context
from harness.node import Node, fresh_name
from rookery.connectors.mqtt import TYPE
from rookery.connectors.mqtt.settings import MqttActionSettings
from rookery.native.action_fields import UNDEFINED

CLIENTS = 12
ROUNDS = 4


@pytest.mark.parametrize("version", ["v4", "v5"])
async def test_a_topic_of_too_many_levels_is_given_up_and_the_others_arrive(
    node: Node, tmp_path: Path, version: str
) -> None:
    topic = fresh_name("bridge/")
    settings: dict[str, Any] = {"server": f"127.0.0.1:{node.port}", "proto_ver": version}
    connector = TYPE.open(
        TYPE.connector_settings.model_validate(settings | {"pool_size": 2}), context(tmp_path)
    )
    action = connector.open_action(
        MqttActionSettings.model_validate({"connector": "c", "parameters": {"topic": topic}})
    )
    with node.connect(level=5) as watcher:
        watcher.subscribe(topic, qos=1)
        async with world(
            connector=lambda _service: connector,
            action=lambda _connector: action,
            request_ttl="infinity",
        ) as it:
            await it.link.settled.wait()
            deep = "/".join([topic, *["a"] * 130])
            for number in range(ROUNDS):
                for client in range(1, CLIENTS + 1):
                    to = deep if (number, client) == (1, 3) else topic
                    payload = f"{client}:{number}".encode()
                    it.buffer.offer(to, payload, "1", "false", UNDEFINED, UNDEFINED, key=client)
            sent = CLIENTS * ROUNDS - 1
            await it.until_counted(success=sent, failed=1, queuing=0, inflight=0)
        got: dict[int, list[int]] = {}
        while sum(len(set(numbers)) for numbers in got.values()) < sent:
            packet = await asyncio.to_thread(watcher.receive)
            who, _, which = packet.payload.decode().partition(":")
            got.setdefault(int(who), []).append(int(which))
    assert sorted(set(got[3])) == [0, 2, 3]
