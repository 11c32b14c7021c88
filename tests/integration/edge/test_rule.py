"""Rules of an edge service: what they choose and compute, where it goes, and how one that fails is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import rookery
from harness.client import DEADLINE_S
from rookery.edge.errors import EdgeError
from rookery.edge.model import Attribute, LinkState, NodeStatus, Tag, TagType
from rookery.edge.service import EdgeService

RW = Attribute.READ | Attribute.WRITE
ANY = 'SELECT payload.values.count AS n FROM "machine/fast"'


@pytest.fixture
async def broker() -> AsyncIterator[rookery.Broker]:
    async with rookery.Broker() as made:
        yield made


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[EdgeService]:
    made = EdgeService(tmp_path / "edge", backoff_s=(0.02, 0.1))
    await made.open()
    await made.nodes.add("machine", "Simulator", {})
    await made.groups.add("machine", "fast", 100)
    tags = [
        Tag(name="count", type=TagType.INT64, address="counter"),
        Tag(name="valve", type=TagType.INT64, address="memory", attribute=RW),
    ]
    await made.tags.add("machine", "fast", tags)
    yield made
    await made.close()


async def rule(service: EdgeService, **setting: Any) -> None:
    await service.nodes.add("rule", "Rule", setting)
    await service.subscriptions.add("rule", "machine", "fast", {})


async def until(service: EdgeService, is_it: Callable[[NodeStatus], bool]) -> NodeStatus:
    async with asyncio.timeout(DEADLINE_S):
        while not is_it(status := service.nodes.status("rule")):
            await asyncio.sleep(0.05)
        return status


async def test_what_it_chooses_and_computes_arrives_at_a_broker(
    service: EdgeService, broker: rookery.Broker
) -> None:
    async with broker.subscribe("#") as messages:
        await rule(
            service,
            sql="SELECT payload.node AS node, payload.values.count * 10 AS tenfold "
            'FROM "+/fast" WHERE payload.values.count mod 2 = 0',
            topic="even/${node}",
            host="127.0.0.1",
            port=broker.port,
        )
        found: list[tuple[str, Any]] = []
        async with asyncio.timeout(DEADLINE_S):
            while len(found) < 3:
                message = await messages.get()
                found.append((message.topic, json.loads(message.payload)))

    assert {topic for topic, _ in found} == {"even/machine"}
    numbers = [body["tenfold"] for _, body in found]
    assert all(number % 20 == 0 for number in numbers)
    assert numbers == sorted(numbers)
    figures = {one.node: one for one in service.metrics()}["rule"].figures
    assert figures["recv_msgs_total"] > figures["rule_results_total"] >= 3


async def test_a_payload_of_ones_own(service: EdgeService, broker: rookery.Broker) -> None:
    async with broker.subscribe("told") as messages:
        await rule(
            service, sql=ANY, topic="told", payload="count is ${n}",
            host="127.0.0.1", port=broker.port,
        )  # fmt: skip
        async with asyncio.timeout(DEADLINE_S):
            assert (await messages.get()).payload.startswith(b"count is ")


async def test_a_result_is_written_to_a_device(service: EdgeService) -> None:
    await rule(
        service,
        sql="SELECT payload.node AS node, payload.group AS group, 'valve' AS tag, 7 AS value "
        'FROM "machine/fast" WHERE payload.values.count > 1',
        publish=False,
        write=True,
    )
    async with asyncio.timeout(DEADLINE_S):
        while True:
            values = {one.name: one.value for one in service.values.read("machine", "fast")}
            if values.get("valve") == 7:
                break
            await asyncio.sleep(0.05)
    assert (await until(service, lambda one: one.link is LinkState.CONNECTED)).reason is None


async def test_sql_that_fails_is_shown_until_it_does_not(
    service: EdgeService, broker: rookery.Broker
) -> None:
    setting = {"topic": "t", "host": "127.0.0.1", "port": broker.port}
    await rule(
        service, sql='SELECT upper(payload.values.count) AS n FROM "machine/fast"', **setting
    )
    status = await until(service, lambda one: one.reason is not None and "SQL" in one.reason.en)
    assert status.link is LinkState.DISCONNECTED
    await service.nodes.configure("rule", {"sql": ANY, **setting})
    await until(service, lambda one: one.link is LinkState.CONNECTED)


async def test_a_result_that_cannot_be_written_is_told(service: EdgeService) -> None:
    await rule(service, sql=ANY, publish=False, write=True)
    status = await until(service, lambda one: one.reason is not None)
    assert status.reason is not None
    assert "node" in status.reason.en


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ({"sql": "SELECT FROM"}, "sql"),
        ({"sql": 'SELECT * FROM "$events/client/connected"'}, "sql"),
        ({"topic": "a/#"}, "topic"),
        ({"topic": ""}, "topic"),
        ({"publish": False}, "publish"),
        ({"host": ""}, "host"),
        ({"ssl": True, "cert": "bm8gY2VydA=="}, "key"),
    ],
)
async def test_a_wrong_setting_is_named(
    service: EdgeService, setting: dict[str, Any], field: str
) -> None:
    given = {"sql": ANY, "topic": "t", "host": "127.0.0.1"} | setting
    with pytest.raises(EdgeError) as caught:
        await service.nodes.add("rule", "Rule", given)

    assert caught.value.number == 2004
    for language in ("en", "zh"):
        assert field in caught.value.text(language)
