"""Kafka goes away under traffic: what was promised arrives, in order per client."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from harness.action_buffer import PlainBuffer, adds_up
from harness.connector_manager import managed
from harness.connectors import in_order
from harness.kafka import KafkaBroker
from harness.kafka_records import Records
from rookery.connectors.status import State

CLIENTS = 5
COUNT = 600
OPTIONS = {"request_ttl": "infinity", "health_check_interval": "1s"}


async def offered(buffer: PlainBuffer, topic: str) -> None:
    """Traffic of some clients, a message each millisecond or so."""
    for number in range(COUNT):
        client = f"c{number % CLIENTS}"
        key = number % CLIENTS + 1
        buffer.offer(topic, client, str(number), "undefined", key=key)
        assert adds_up(buffer.counters())
        await asyncio.sleep(0.001)


async def test_an_action_delivers_everything_over_an_outage(
    broker: KafkaBroker, records: Records, tmp_path: Path
) -> None:
    topic = await records.topic(partitions=3)
    connector = {
        "bootstrap_hosts": broker.hosts,
        "resource_opts": {"health_check_interval": "1s"},
    }
    parameters = {"topic": topic, "partition_strategy": "key_dispatch"}
    action = {"connector": "k", "parameters": parameters, "resource_opts": OPTIONS}
    async with managed(tmp_path) as it:
        await it.apply({"kafka_producer:k": connector}, {"kafka_producer:out": action})
        await it.until("action", "kafka_producer:out", State.CONNECTED)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(offered(it.buffers["kafka_producer:out"], topic))
            await asyncio.to_thread(broker.stop, signal.SIGKILL)
        await it.until("connector", "kafka_producer:k", State.CONNECTING)
        await asyncio.to_thread(broker.start)
        await it.until_counted("kafka_producer:out", success=COUNT, failed=0, dropped=0, queuing=0)
    found = await records.all(topic)
    for client in range(CLIENTS):
        own = [int(entry.value) for entry in found if entry.key == f"c{client}".encode()]
        assert in_order(own) == list(range(client, COUNT, CLIENTS))


async def test_a_source_gets_everything_over_an_outage(
    broker: KafkaBroker, records: Records, tmp_path: Path
) -> None:
    topic = await records.topic(partitions=1)
    await records.put(topic, [b"%d" % number for number in range(100)])
    connector = {
        "bootstrap_hosts": broker.hosts,
        "resource_opts": {"health_check_interval": "1s"},
    }
    source = {"connector": "k", "parameters": {"topic": topic, "offset_reset_policy": "earliest"}}
    async with managed(tmp_path) as it:
        await it.apply({"kafka_consumer:k": connector}, None, {"kafka_consumer:in": source})
        while not it.received:
            it.changed.clear()
            await it.changed.wait()
        await asyncio.to_thread(broker.stop, signal.SIGKILL)
        await asyncio.to_thread(broker.start)
        await records.put(topic, [b"%d" % number for number in range(100, 200)])
        while it.received[-1][1]["value"] != b"199":
            it.changed.clear()
            await it.changed.wait()
        assert it.manager.metrics("source", "kafka_consumer:in").counters["received"] >= 200
    assert in_order([int(columns["value"]) for _, columns in it.received]) == list(range(200))
