"""A record that Kafka refuses fails alone, and what others sent is appended."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from harness.connector_world import World, world
from harness.connectors import context
from harness.kafka import KafkaBroker
from harness.kafka_records import Records
from rookery.connectors.kafka_producer import TYPE
from rookery.connectors.kafka_producer.settings import KafkaProducerActionSettings

CLIENTS = range(1, 7)
ROUNDS = range(5)
BAD = (1, 3)


async def _offered(it: World, topic: str, bad_topic: str, bad_time: str) -> None:
    await it.link.settled.wait()
    for number in ROUNDS:
        for client in CLIENTS:
            is_bad = (number, client) == BAD
            fields = (f"c{client}", f"{client}:{number}", bad_time if is_bad else "undefined")
            to = bad_topic if is_bad else topic
            it.buffer.offer(to, *fields, key=client)


async def _found(records: Records, topic: str) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in await records.all(topic):
        client, _, number = entry.value.decode().partition(":")
        numbers = found.setdefault(int(client), [])
        if int(number) not in numbers:
            numbers.append(int(number))
    return found


WANTED = {client: [number for number in ROUNDS if (number, client) != BAD] for client in CLIENTS}


async def test_a_time_that_kafka_does_not_take(
    broker: KafkaBroker, records: Records, tmp_path: Path
) -> None:
    topic = await records.topic(partitions=1)
    async with _world(broker, topic, tmp_path, request_ttl="infinity") as it:
        await _offered(it, topic, topic, "9223372036854775807")
        await it.until_counted(success=29, failed=1, queuing=0, inflight=0)
    assert await _found(records, topic) == WANTED


async def test_a_name_that_no_topic_can_have(
    broker: KafkaBroker, records: Records, tmp_path: Path
) -> None:
    topic = await records.topic(partitions=1)
    async with _world(broker, "${t}", tmp_path, request_ttl="infinity") as it:
        await _offered(it, topic, "no topic! 1", "undefined")
        await it.until_counted(success=29, failed=1, queuing=0, inflight=0)
        assert it.runner.last_error is not None
        assert "no topic! 1 can be no topic of Kafka" in it.runner.last_error.words.en
    assert await _found(records, topic) == WANTED


def _world(
    broker: KafkaBroker, topic: str, folder: Path, **options: Any
) -> AbstractAsyncContextManager[World]:
    connector = TYPE.open(
        TYPE.connector_settings.model_validate({"bootstrap_hosts": broker.hosts}),
        context(folder, "kafka_producer:out"),
    )
    action = connector.open_action(
        KafkaProducerActionSettings.model_validate(
            {"connector": "out", "parameters": {"topic": topic}}
        )
    )
    return world(
        connector=lambda _service: connector,
        action=lambda _connector: action,
        batch_size=10,
        **options,
    )
