"""What drivers read while the broker cannot be reached: in order, whole up to the bound, each once by its number."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import rookery
from harness.client import DEADLINE_S
from harness.cut_line import CutLine
from harness.edge import EdgeAsker, EdgeProcess
from harness.edge_agents import until
from rookery.edge.model import Report, Subscription, Tag, TagType
from rookery.edge.service import EdgeService

HOUR = 3600


async def read(messages: AsyncIterator[Any]) -> dict[str, Any]:
    async with asyncio.timeout(DEADLINE_S):
        body: dict[str, Any] = json.loads((await anext(messages)).payload)
        return body


async def test_nothing_is_lost_when_the_process_is_killed_while_the_broker_is_away(
    tmp_path: Path,
) -> None:
    edge = EdgeProcess(tmp_path / "edge")
    async with (
        rookery.Broker() as broker,
        CutLine(broker.port) as line,
        broker.subscribe("plant/#") as messages,
        aiohttp.ClientSession() as client,
    ):
        await asyncio.to_thread(edge.start)
        try:
            asker = EdgeAsker(edge.url, client)
            token = await asker.first_visit()
            await _set_up(asker, token, line.port)
            first = await read(messages)
            await line.cut()
            waiting = await _cached(asker, token, 20)
            await asyncio.to_thread(edge.kill)

            await asyncio.to_thread(edge.start)
            asker = EdgeAsker(edge.url, client)
            token = await asker.sign_in()
            await _cached(asker, token, waiting + 10)
            await line.mend()
            found = [_numbered(first)]
            # The counter begins anew with the process: so its two lives are told apart.
            while len(_lives(found)) < 2 or len(_lives(found)[1]) < 20:
                found.append(_numbered(await read(messages)))
        finally:
            assert await asyncio.to_thread(edge.stop) == 0

    once = dict(found)
    assert list(once) == sorted(once)
    # Who gets a message twice sees it by its number.
    assert set(found) == set(once.items())
    lives = _lives(found)
    assert len(lives) == 2
    assert len(lives[0]) >= waiting
    numbers = list(once)[: len(lives[0])]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _numbered(body: dict[str, Any]) -> tuple[int, int]:
    return body["seq"], body["values"]["count"]


def _lives(found: list[tuple[int, int]]) -> list[list[int]]:
    """Counts without a gap, each once."""
    runs: list[list[int]] = []
    for count in dict(found).values():
        if not runs or count != runs[-1][-1] + 1:
            runs.append([])
        runs[-1].append(count)
    return runs


async def _set_up(asker: EdgeAsker, token: str, port: int) -> None:
    node = {"name": "machine", "plugin": "Simulator", "params": {}}
    await asker.did(token, "POST", "/neuron/node", node)
    group = {"node": "machine", "group": "fast", "interval": 100}
    await asker.did(token, "POST", "/neuron/group", group)
    tag = {"name": "count", "address": "counter", "attribute": 1, "type": 8}
    await asker.did(token, "POST", "/neuron/tags",
                    {"node": "machine", "group": "fast", "tags": [tag]})  # fmt: skip
    params = {"host": "127.0.0.1", "port": port, "sequence": True, "qos": 2}
    up = {"name": "up", "plugin": "MQTT", "params": params}
    await asker.did(token, "POST", "/neuron/node", up)
    subscription = {"app": "up", "driver": "machine", "group": "fast",
                    "params": {"topic": "plant/fast"}}  # fmt: skip
    await asker.did(token, "POST", "/neuron/subscribe", subscription)


async def _cached(asker: EdgeAsker, token: str, least: int) -> int:
    """How many wait, when that many do."""

    async def found() -> int | None:
        answer = await asker.ask("GET", "/neuron/metrics?category=app", token=token)
        for line in answer.text.splitlines():
            if line.startswith("cached_msgs{"):
                count = int(float(line.split()[-1]))
                return count if count >= least else None
        return None

    return await until(found)


@pytest.mark.parametrize(
    "room_mb", [10, 1], ids=["with room for all of it", "with room for a part of it"]
)
async def test_an_hour_without_the_broker(tmp_path: Path, room_mb: int) -> None:
    """Cycles of an hour, one a second by their own times, each of them with half a kilobyte."""
    service = EdgeService(tmp_path / "edge", backoff_s=(0.02, 0.1))
    await service.open()
    try:
        async with (
            rookery.Broker() as broker,
            CutLine(broker.port) as line,
            broker.subscribe("plant/#") as messages,
        ):
            await service.nodes.add("machine", "Simulator", {})
            # It is read by nobody but this test.
            await service.groups.add("machine", "slow", 3_600_000)
            params = {
                "host": "127.0.0.1", "port": line.port, "sequence": True, "qos": 2,
                "cache-mem-size": 1, "cache-disk-size": room_mb,
            }  # fmt: skip
            await service.nodes.add("up", "MQTT", params)
            application = service._core.engine.apps["up"].application
            subscription = Subscription(
                app="up", driver="machine", group="slow", params={"topic": "plant/slow"}
            )
            application.take(_report(-1), subscription)
            assert (await read(messages))["values"]["second"] == -1

            async def is_sent() -> bool | None:
                figures = service.metrics_of("up").figures
                return True if figures["send_msgs_total"] == 1 else None

            await until(is_sent)
            await line.cut()
            for second in range(HOUR):
                application.take(_report(second), subscription)
                if second % 100 == 0:
                    await asyncio.sleep(0)

            await line.mend()
            found = [await read(messages)]
            while found[-1]["values"]["second"] < HOUR - 1:
                found.append(await read(messages))
            dropped = int(service.metrics_of("up").figures["dropped_msgs_total"])
    finally:
        await service.close()

    assert (dropped > 0) is (room_mb == 1)
    # The oldest gave way, the rest came whole and in order.
    assert [one["values"]["second"] for one in found] == list(range(dropped, HOUR))
    times = [one["timestamp"] for one in found]
    assert times == [1000 * second for second in range(dropped, HOUR)]
    numbers = [one["seq"] for one in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(found)))


def _report(second: int) -> Report:
    types = {"second": TagType.INT64, "text": TagType.STRING}
    tags = {name: Tag(name=name, type=kind, address="memory") for name, kind in types.items()}
    values: dict[str, int | str] = {"second": second, "text": "x" * 500}
    return Report(
        node="machine",
        group="slow",
        timestamp_ms=1000 * second,
        values=values,
        errors={},
        tags=tags,
    )
