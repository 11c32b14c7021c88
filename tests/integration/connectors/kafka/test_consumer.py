"""Records of Kafka reach rules, and are committed when rules have got them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from harness.connectors import PAUSE_S, connected, context, in_order
from harness.kafka import KafkaBroker
from harness.kafka_records import Records
from harness.node import ROOT, fresh_name
from rookery.connectors.base import Columns, Unhealthy
from rookery.connectors.kafka_consumer import TYPE
from rookery.connectors.kafka_consumer.settings import KafkaConsumerSourceSettings


class Taker:
    """Runs a source and keeps what came."""

    def __init__(self, folder: Path, broker: KafkaBroker, topic: str, **more: Any) -> None:
        settings = TYPE.connector_settings.model_validate({"bootstrap_hosts": broker.hosts})
        self.connector = TYPE.open(settings, context(folder, f"kafka_consumer:{topic}"))
        parameters = {"topic": topic, "offset_reset_policy": "earliest", **more}
        self.source = self.connector.open_source(
            KafkaConsumerSourceSettings.model_validate(
                {"connector": "in", "parameters": parameters}
            ),
            self._receive,
        )
        self.got: asyncio.Queue[Columns] = asyncio.Queue()
        self._running = asyncio.create_task(self._run())

    async def _receive(self, columns: Columns) -> int:
        self.got.put_nowait(columns)
        return 1

    async def _run(self) -> None:
        while True:
            await connected(self.connector)
            try:
                await self.source.run()
            except Unhealthy:
                await self.connector.stop()
                await asyncio.sleep(PAUSE_S)

    async def take(self, count: int) -> list[Columns]:
        return [await self.got.get() for _ in range(count)]

    async def stop(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.connector.stop()


@pytest.fixture
async def takers() -> AsyncIterator[list[Taker]]:
    made: list[Taker] = []
    yield made
    for taker in made:
        await taker.stop()


def values(taken: list[Columns]) -> list[int]:
    return [int(columns["value"]) for columns in taken]


async def test_rules_get_the_columns_of_a_record(
    broker: KafkaBroker, records: Records, tmp_path: Path, takers: list[Taker]
) -> None:
    topic = await records.topic(partitions=1)
    producer = AIOKafkaProducer(bootstrap_servers=broker.hosts)
    await producer.start()
    try:
        headers = [("a", b"1")]
        await producer.send_and_wait(topic, b"\xff1", b"k", timestamp_ms=7000, headers=headers)
    finally:
        await producer.stop()
    takers.append(Taker(tmp_path, broker, topic))
    takers.append(Taker(tmp_path, broker, topic, group_id="b64", value_encoding_mode="base64"))
    assert await takers[0].take(1) == [
        {
            "topic": topic,
            "key": b"k",
            "value": b"\xff1",
            "offset": 0,
            "ts": 7000,
            "ts_type": "create",
            "headers": {"a": "1"},
        }
    ]
    assert (await takers[1].take(1))[0]["value"] == "/zE="


async def test_who_stops_goes_on_where_rules_were(
    broker: KafkaBroker, records: Records, tmp_path: Path, takers: list[Taker]
) -> None:
    topic = await records.topic(partitions=1)
    await records.put(topic, [b"%d" % number for number in range(10)])
    first = Taker(tmp_path, broker, topic)
    assert values(await first.take(10)) == list(range(10))
    await first.stop()
    await records.put(topic, [b"10"])
    takers.append(Taker(tmp_path, broker, topic))
    assert values(await takers[0].take(1)) == [10]


async def test_nodes_of_one_group_share_the_records(
    broker: KafkaBroker, records: Records, tmp_path: Path, takers: list[Taker]
) -> None:
    topic = await records.topic(partitions=2)
    seen: set[int] = set()
    takers.append(Taker(tmp_path, broker, topic))
    await records.put(topic, [b"-1"])
    await takers[0].take(1)
    takers.append(Taker(tmp_path, broker, topic))
    number = 0
    while not takers[1].got.qsize():  # the second one has been given a partition
        await records.put(topic, [b"%d" % number], partition=number % 2)
        number += 1
    for taker in takers:
        while taker.got.qsize():
            seen.update(values(await taker.take(1)))
    while len(seen - {-1}) < number:
        done = [asyncio.create_task(taker.take(1)) for taker in takers]
        finished, rest = await asyncio.wait(done, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        for task in finished:
            seen.update(values(task.result()))
    assert seen - {-1} == set(range(number))


async def test_nothing_is_lost_or_reordered_over_an_outage(
    broker: KafkaBroker, records: Records, tmp_path: Path, takers: list[Taker]
) -> None:
    topic = await records.topic(partitions=1)
    takers.append(Taker(tmp_path, broker, topic, offset_commit_interval_seconds="100ms"))
    await records.put(topic, [b"%d" % number for number in range(100)])
    got = values(await takers[0].take(50))
    await asyncio.to_thread(broker.stop, signal.SIGKILL)
    await asyncio.to_thread(broker.start)
    await records.put(topic, [b"%d" % number for number in range(100, 200)])
    while got[-1] != 199:
        got += values(await takers[0].take(1))
    assert in_order(got) == list(range(200))


async def test_what_was_not_received_comes_again_after_kill_9(
    broker: KafkaBroker, records: Records
) -> None:
    """The process dies while rules have a record."""
    topic = await records.topic(partitions=1)
    await records.put(topic, [b"%d" % number for number in range(3)])
    connector = {"bootstrap_hosts": broker.hosts}
    parameters = {
        "topic": topic,
        "group_id": fresh_name("g"),
        "offset_reset_policy": "earliest",
        "offset_commit_interval_seconds": "1ms",
    }
    source = {"connector": "in", "parameters": parameters}

    def started() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "harness.bridge_source", "kafka_consumer"),
                *(json.dumps(connector), json.dumps(source)),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": f"{ROOT}/python:{ROOT}/tests:{os.environ.get('PYTHONPATH', '')}",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def value(process: subprocess.Popen[str]) -> int:
        assert process.stdout is not None
        return int(json.loads(process.stdout.readline())["value"])

    def go_on(process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()

    first = started()
    try:
        assert await asyncio.to_thread(value, first) == 0
        go_on(first)
        assert await asyncio.to_thread(value, first) == 1
    finally:
        first.kill()
        await asyncio.to_thread(first.communicate)
    second = started()
    try:
        got: list[int] = []
        while not got or got[-1] != 2:
            got.append(await asyncio.to_thread(value, second))
            go_on(second)
    finally:
        second.kill()
        await asyncio.to_thread(second.communicate)
    assert got[-2:] == [1, 2]
