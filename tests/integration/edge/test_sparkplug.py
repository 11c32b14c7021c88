"""The gateway as an edge node of Sparkplug B, as a host sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import rookery
from harness.client import DEADLINE_S
from harness.cut_line import CutLine
from rookery.edge.apps.sparkplug import payload as sp
from rookery.edge.model import Attribute, NodeControl, Tag, TagType
from rookery.edge.service import EdgeService

RW = Attribute.READ | Attribute.WRITE


@pytest.fixture
async def broker() -> AsyncIterator[rookery.Broker]:
    async with rookery.Broker() as made:
        yield made


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[EdgeService]:
    made = EdgeService(tmp_path / "edge", backoff_s=(0.02, 0.1))
    await made.open()
    yield made
    await made.close()


class Host:
    """Sees that numbers have no gap, and keeps what came."""

    def __init__(self, messages: AsyncIterator[Any]) -> None:
        self._messages = messages
        self._seq = -1

    async def until(self, kind: str, is_so: Callable[[Any], bool] = lambda _: True) -> Any:
        async with asyncio.timeout(DEADLINE_S):
            async for message in self._messages:
                parts = message.topic.split("/")
                if parts[2] in ("NCMD", "DCMD"):
                    continue
                found = sp.decode(message.payload)
                if parts[2] == "NBIRTH":
                    self._seq = -1
                if parts[2] in ("NBIRTH", "DBIRTH", "DDATA", "DDEATH"):
                    self._seq = (self._seq + 1) % 256
                    assert found.seq == self._seq, message.topic
                if parts[2] == kind and is_so(found):
                    return found
        raise AssertionError


def values(found: Any) -> dict[str, Any]:
    return dict(sp.values_of(found))


async def plant(service: EdgeService, port: int, **setting: Any) -> None:
    await service.nodes.add("press", "Simulator", {})
    await service.groups.add("press", "fast", 100)
    tags = [
        Tag(name="count", type=TagType.INT64, address="counter:-1"),
        Tag(name="speed", type=TagType.DOUBLE, address="memory", attribute=RW),
    ]
    await service.tags.add("press", "fast", tags)
    given = {"host": "127.0.0.1", "port": port, "group_id": "hall", "node_id": "n1"} | setting
    await service.nodes.add("spb", "SparkplugB", given)
    await service.subscriptions.add("spb", "press", "fast")


async def test_births_data_and_deaths_follow_each_other(
    service: EdgeService, broker: rookery.Broker
) -> None:
    async with broker.subscribe("spBv1.0/hall/#") as messages:
        host = Host(messages)
        await plant(service, broker.port)
        node = await host.until("NBIRTH")
        device = await host.until("DBIRTH", lambda birth: len(birth.metrics) == 2)
        data = await host.until("DDATA")
        await service.nodes.control("press", NodeControl.STOP)
        await host.until("DDEATH")
        await service.nodes.control("press", NodeControl.START)
        await service.tags.add(
            "press", "fast", [Tag(name="more", type=TagType.BOOL, address="toggle")]
        )
        await host.until("DBIRTH", lambda birth: len(birth.metrics) == 3)
        await service.nodes.control("spb", NodeControl.STOP)
        death = await host.until("NDEATH")

    assert {one.name for one in node.metrics} == {"bdSeq", "Node Control/Rebirth"}
    assert {one.name: one.datatype for one in device.metrics} == {"fast/count": 4, "fast/speed": 10}
    assert values(data)["fast/count"] < 0
    assert values(death) == {"bdSeq": values(node)["bdSeq"]}


async def test_commands_are_taken_where_they_are_allowed(
    service: EdgeService, broker: rookery.Broker
) -> None:
    async with broker.subscribe("spBv1.0/hall/#") as messages:
        host = Host(messages)
        await plant(service, broker.port, commands=True)
        await host.until("DDATA")
        command = sp.payload(1, [sp.Metric("fast/speed", 10, 2.5)])
        await broker.publish("spBv1.0/hall/DCMD/n1/press", sp.encode(command), qos=1)
        await host.until("DDATA", lambda data: values(data).get("fast/speed") == 2.5)
        rebirth = sp.payload(1, [sp.Metric("Node Control/Rebirth", sp.BOOLEAN, True)])
        await broker.publish("spBv1.0/hall/NCMD/n1", b"\xff\xff nonsense", qos=1)
        await broker.publish("spBv1.0/hall/NCMD/n1", sp.encode(rebirth), qos=1)
        await host.until("NBIRTH")
        birth = await host.until("DBIRTH")

    assert values(birth)["fast/speed"] == 2.5


async def test_what_waited_for_the_broker_is_historical(
    service: EdgeService, broker: rookery.Broker
) -> None:
    async with CutLine(broker.port) as line, broker.subscribe("spBv1.0/hall/#") as messages:
        host = Host(messages)
        await plant(service, line.port)
        first = await host.until("NBIRTH")
        await host.until("DDATA")
        await line.cut()
        death = await host.until("NDEATH")
        while service.metrics_of("spb").figures["cached_msgs"] < 3:
            await asyncio.sleep(0.02)
        await line.mend()
        second = await host.until("NBIRTH")
        old = await host.until("DDATA", lambda data: data.metrics[0].is_historical)
        new = await host.until("DDATA", lambda data: not data.metrics[0].is_historical)

    numbers = [values(one)["bdSeq"] for one in (first, death, second)]
    assert numbers[0] == numbers[1] < numbers[2]
    assert old.timestamp < new.timestamp


def test_numbers_come_back_as_they_were() -> None:
    cases: list[tuple[TagType, Any]] = [
        (TagType.INT8, -128),
        (TagType.INT16, -2),
        (TagType.INT32, -(1 << 31)),
        (TagType.INT64, -1),
        (TagType.UINT64, (1 << 64) - 1),
        (TagType.FLOAT, 1.5),
        (TagType.DOUBLE, 0.1),
        (TagType.BOOL, True),
        (TagType.BIT, 1),
        (TagType.STRING, "温度"),
        (TagType.BYTES, b"\0\1"),
        (TagType.INT16, 0.5),
    ]
    metrics = [sp.metric_of(str(n), kind, value) for n, (kind, value) in enumerate(cases)]

    found = sp.decode(sp.encode(sp.payload(5, [*metrics, sp.Metric("null", 3, None)]), 7))

    assert [value for _, value in sp.values_of(found)] == [value for _, value in cases]
    assert (found.timestamp, found.seq, found.metrics[-1].is_null) == (5, 7, True)
    assert sp.encode(sp.payload(5, [sp.Metric("a", 3, -1)]), 0).hex() == (
        "0805120d0a01611805200350ffffffff0f1800"
    )
