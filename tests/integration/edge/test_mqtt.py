"""What drivers read, at a broker: formats, requests, and what happens while the broker is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import rookery
from harness.client import DEADLINE_S
from harness.cut_line import CutLine
from rookery.edge.errors import EdgeError
from rookery.edge.model import Attribute, LinkState, NodeControl, Tag, TagType
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


async def machine(service: EdgeService) -> None:
    await service.nodes.add("machine", "Simulator", {})
    await service.groups.add("machine", "fast", 100)
    tags = [
        Tag(name="count", type=TagType.INT64, address="counter"),
        Tag(name="speed", type=TagType.DOUBLE, address="memory", attribute=RW),
        Tag(name="raw", type=TagType.BYTES, address="memory", attribute=RW),
    ]
    await service.tags.add("machine", "fast", tags)


async def upload(service: EdgeService, port: int, **setting: Any) -> None:
    given = {"host": "127.0.0.1", "port": port} | setting
    await service.nodes.add("up", "MQTT", given)
    await service.subscriptions.add(
        "up", "machine", "fast", {"topic": "plant/fast", "static_tags": {"site": "north"}}
    )


async def next_body(messages: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(DEADLINE_S):
        return json.loads((await anext(messages)).payload)


@pytest.mark.parametrize("version", [4, 5])
async def test_reports_arrive_as_values(
    service: EdgeService, broker: rookery.Broker, version: int
) -> None:
    await machine(service)
    async with broker.subscribe("plant/#") as messages:
        await upload(service, broker.port, version=version, sequence=True, qos=2)
        first = await next_body(messages)
        second = await next_body(messages)

    assert set(first) == {"timestamp", "node", "group", "seq", "values", "errors", "metas"}
    assert (first["node"], first["group"]) == ("machine", "fast")
    assert first["values"]["site"] == "north"
    assert first["values"]["raw"] == []
    assert second["seq"] == first["seq"] + 1
    assert second["values"]["count"] == first["values"]["count"] + 1
    assert service.nodes.status("up").link is LinkState.CONNECTED


async def test_a_template_of_ones_own(service: EdgeService, broker: rookery.Broker) -> None:
    await machine(service)
    template = '{"ts": ${timestamp}, "of": "${node}/${group}", "data": [${values}], "n": "${seq}"}'
    async with broker.subscribe("plant/#") as messages:
        await upload(service, broker.port, format=3, schema=template)
        body = await next_body(messages)

    assert body["of"] == "machine/fast"
    assert isinstance(body["ts"], int)
    assert isinstance(body["n"], int)
    assert set(body["data"][0]) == {"count", "speed", "raw"}


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ({"format": 3}, "schema"),
        ({"format": 3, "schema": "{"}, "schema"),
        ({"format": 3, "schema": '{"a": "${secret}"}'}, "schema"),
        ({"ssl": True, "ca": "bm8gY2VydA=="}, "ca"),
        ({"ssl": True, "cert": "bm8gY2VydA=="}, "key"),
        ({"write-req-topic": "a/#", "write-resp-topic": "b"}, "write-req-topic"),
        ({"write-req-topic": "a"}, "write-resp-topic"),
        ({"upload_drv_state": True}, "upload_drv_state_topic"),
        ({"cache-disk-size": 10_241}, "cache-disk-size"),
    ],
)
async def test_a_wrong_setting_is_named(
    service: EdgeService, setting: dict[str, Any], field: str
) -> None:
    with pytest.raises(EdgeError) as caught:
        await service.nodes.add("up", "MQTT", {"host": "127.0.0.1"} | setting)

    assert caught.value.number == 2004
    assert field in caught.value.text("en")
    assert service.nodes.list() == ()


async def test_tags_are_written_and_read_by_request(
    service: EdgeService, broker: rookery.Broker
) -> None:
    await machine(service)
    topics = {f"{a}-{b}-topic": f"ask/{a}/{b}" for a in ("write", "read") for b in ("req", "resp")}
    async with broker.subscribe("plant/#") as reports, broker.subscribe("ask/+/resp") as answers:
        await upload(service, broker.port, **topics)
        await next_body(reports)
        asked: list[Any] = []
        body: dict[str, Any]
        for body in (
            {"uuid": "1", "node": "machine", "group": "fast", "tag": "speed", "value": 2.5},
            {"uuid": "2", "node": "machine", "group": "fast", "tag": "count", "value": 1},
            {"uuid": "3", "node": "nobody", "group": "fast", "tag": "count", "value": 1},
            {
                "uuid": "4",
                "node": "machine",
                "group": "fast",
                "tags": [{"tag": "raw", "value": [1, 2]}, {"tag": "none", "value": 1}],
            },
        ):
            await broker.publish("ask/write/req", json.dumps(body), qos=1)
            asked.append(await next_body(answers))
        await broker.publish("ask/write/req", b"\xff{", qos=1)
        asked.append(await next_body(answers))
        body = {"uuid": "5", "node": "machine", "group": "fast"}
        values: dict[str, Any] = {}
        found: dict[str, Any] = {}
        while values.get("speed") != 2.5:
            await broker.publish("ask/read/req", json.dumps(body), qos=1)
            found = await next_body(answers)
            values = {tag["name"]: tag["value"] for tag in found["tags"]}

    assert [(one["uuid"], one["error"]) for one in asked] == [
        ("1", 0),
        ("2", 3004),
        ("3", 2003),
        ("4", 2201),
        ("", 1002),
    ]
    assert asked[3]["tags"] == [{"tag": "raw", "error": 0}, {"tag": "none", "error": 2201}]
    assert found["uuid"] == "5"
    assert values["raw"] == [1, 2]


async def test_states_of_drivers_are_told_when_they_change(
    service: EdgeService, broker: rookery.Broker
) -> None:
    await machine(service)
    await service.nodes.add("away", "Modbus TCP", {"host": "127.0.0.1", "port": 1, "timeout": 100})
    async with broker.subscribe("states") as messages:
        await upload(
            service,
            broker.port,
            upload_drv_state=True,
            upload_drv_state_topic="states",
            upload_drv_state_interval=3600,
        )
        while True:
            states = {one["node"]: one for one in (await next_body(messages))["states"]}
            if states["machine"]["link"]:
                break
            await service.nodes.control("machine", NodeControl.STOP)
            await service.nodes.control("machine", NodeControl.START)

    assert states["machine"] == {"node": "machine", "link": 1, "running": 1}
    assert states["away"] == {"node": "away", "link": 0, "running": 1}


async def counts(messages: AsyncIterator[Any], last: int) -> list[tuple[int, int]]:
    """Number and counter of each report, up to that counter."""
    found: list[tuple[int, int]] = []
    while not found or found[-1][1] < last:
        body = await next_body(messages)
        found.append((body["seq"], body["values"]["count"]))
    return found


@pytest.mark.parametrize("qos", [1, 2])
async def test_nothing_is_lost_and_order_stays_while_the_broker_is_away(
    service: EdgeService, broker: rookery.Broker, qos: int
) -> None:
    await machine(service)
    async with (
        CutLine(broker.port) as line,
        broker.subscribe("plant/#") as messages,
    ):
        await upload(service, line.port, sequence=True, qos=qos)
        found = await counts(messages, 1)
        for _ in range(3):
            line.drop()
            found += await counts(messages, found[-1][1] + 1)
            await line.cut()
            cached = 0
            while cached < 5:
                await asyncio.sleep(0.02)
                cached = int(service.metrics_of("up").figures["cached_msgs"])
            await line.mend()
            found += await counts(messages, found[-1][1] + 6)

    once = dict(found)
    assert list(once) == sorted(once)
    assert list(once.values()) == list(range(min(once.values()), max(once.values()) + 1))
    # Who gets a message twice sees it by its number.
    assert set(found) == set(once.items())


async def test_what_waits_survives_a_restart(service: EdgeService, broker: rookery.Broker) -> None:
    await machine(service)
    async with CutLine(broker.port) as line, broker.subscribe("plant/#") as messages:
        await upload(service, line.port, sequence=True)
        await counts(messages, 1)
        await line.cut()
        while service.metrics_of("up").figures["cached_msgs"] < 5:
            await asyncio.sleep(0.02)
        await service.close()
        again = EdgeService(service.data_dir, backoff_s=(0.02, 0.1))
        await again.open()
        await line.mend()
        first = await next_body(messages)
        rest = [await next_body(messages) for _ in range(5)]
        await again.close()

    numbers = [first["seq"], *(one["seq"] for one in rest)]
    assert numbers == sorted(set(numbers))
    counters = [first["values"]["count"], *(one["values"]["count"] for one in rest)]
    assert counters[:5] == list(range(counters[0], counters[0] + 5))
