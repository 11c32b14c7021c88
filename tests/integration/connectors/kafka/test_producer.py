"""What rules made stands in Kafka: once, in order, over outages of the broker."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.authority import Authority
from harness.connectors import Sender, connected, context, item, words
from harness.kafka import PASSWORD, USERNAME, KafkaBroker
from harness.kafka_records import Records
from rookery.connectors.base import Connector, Reconnecting, Unhealthy
from rookery.connectors.kafka_producer import TYPE
from rookery.connectors.kafka_producer.settings import KafkaProducerActionSettings
from rookery.native.action_fields import ActionItem, FieldValue, JsonText


class Opened:
    """Makes connectors, and stops them at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Sender] = []

    async def sender(self, hosts: str, parameters: dict[str, Any], **more: Any) -> Sender:
        settings = TYPE.connector_settings.model_validate({"bootstrap_hosts": hosts, **more})
        connector: Connector[Any, Any] = TYPE.open(
            settings, context(self._folder, "kafka_producer:out")
        )
        action = connector.open_action(
            KafkaProducerActionSettings.model_validate(
                {"connector": "out", "parameters": parameters}
            )
        )
        sender = Sender(connector, action)
        self._made.append(sender)
        await connector.start()
        await action.start()
        return sender

    async def close(self) -> None:
        for sender in self._made:
            await sender.action.stop()
            await sender.connector.stop()


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    made = Opened(tmp_path)
    yield made
    await made.close()


def record(
    number: int, topic: str, key: str, value: str | bytes, *headers: FieldValue, time: str = "7000"
) -> ActionItem:
    return item(number, topic, key, value, time, *headers, key=hash(key) & 0xFFFF or 1)


async def test_a_record_has_key_value_time_and_headers(
    broker: KafkaBroker, records: Records, opened: Opened
) -> None:
    topic = await records.topic()
    parameters = {
        "topic": topic,
        "kafka_headers": "${pub_props}",
        "kafka_ext_headers": [{"kafka_ext_header_key": "rule", "kafka_ext_header_value": "${id}"}],
    }
    sender = await opened.sender(broker.hosts, parameters)
    props = JsonText(json.dumps({"a": "1", "number": 5}))
    pairs = JsonText(json.dumps([{"key": "b", "value": "2"}]))
    await sender.send(
        [
            record(1, topic, "c1", b"\x00\xff", props, "rule", "r1"),
            record(2, topic, "c1", "热", pairs, "rule", "r2", time="undefined"),
        ]
    )
    found = {entry.value: entry for entry in await records.all(topic)}
    first, second = found[b"\x00\xff"], found["热".encode()]
    assert (first.key, first.timestamp) == (b"c1", 7000)
    assert first.headers == (("a", b"1"), ("rule", b"r1"))
    assert second.headers == (("b", b"2"), ("rule", b"r2"))
    assert second.timestamp == 0  # when the rule made it


async def test_records_of_one_key_stand_in_one_partition_in_order(
    broker: KafkaBroker, records: Records, opened: Opened
) -> None:
    topic = await records.topic(partitions=3)
    sender = await opened.sender(
        broker.hosts, {"topic": topic, "partition_strategy": "key_dispatch"}
    )
    batch = [record(number, topic, f"c{number % 7}", str(number)) for number in range(200)]
    await sender.send(batch)
    found = await records.all(topic)
    assert len({entry.partition for entry in found}) == 3
    for client in range(7):
        own = [entry for entry in found if entry.key == f"c{client}".encode()]
        assert len({entry.partition for entry in own}) == 1
        assert [int(entry.value) for entry in own] == list(range(client, 200, 7))


async def test_only_so_many_partitions_are_used(
    broker: KafkaBroker, records: Records, opened: Opened
) -> None:
    topic = await records.topic(partitions=3)
    sender = await opened.sender(broker.hosts, {"topic": topic, "partitions_limit": 1})
    await sender.send([record(number, topic, f"c{number}", "x") for number in range(50)])
    assert {entry.partition for entry in await records.all(topic)} == {0}


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("acks", ["all_isr", "leader_only", "none"])
async def test_every_compression_and_acknowledgement(
    broker: KafkaBroker, records: Records, opened: Opened, compression: str, acks: str
) -> None:
    topic = await records.topic(partitions=1)
    parameters = {"topic": topic, "compression": compression, "required_acks": acks}
    sender = await opened.sender(broker.hosts, parameters)
    await sender.send([record(number, topic, "c", "x" * 1000) for number in range(30)])
    while len(found := await records.all(topic)) < 30:  # "none" is not told when it is there
        await asyncio.sleep(0)
    assert [entry.value for entry in found] == [b"x" * 1000] * 30


async def test_one_that_is_too_large_fails_alone(
    broker: KafkaBroker, records: Records, opened: Opened
) -> None:
    topic = await records.topic(partitions=1)
    sender = await opened.sender(broker.hosts, {"topic": topic})
    big = "x" * (2 << 20)
    await sender.send([record(1, topic, "c", big), record(2, topic, "c", "good")])
    assert [failure.number for failure in sender.failed] == [1]
    assert "larger than the maximum" in words(sender.failed[0])
    assert [entry.value for entry in await records.all(topic)] == [b"good"]


async def test_a_topic_that_is_not_there_is_named(broker: KafkaBroker, opened: Opened) -> None:
    with pytest.raises(Unhealthy, match="there is no topic nowhere"):
        await opened.sender(broker.hosts, {"topic": "nowhere"})
    with pytest.raises(Unhealthy, match="there is no topic unhealthy"):
        await opened.sender(broker.hosts, {"topic": "nowhere"}, health_check_topic="unhealthy")


@pytest.mark.parametrize("mechanism", ["plain", "scram_sha_256", "scram_sha_512"])
async def test_a_password_opens_and_a_wrong_one_does_not(
    broker: KafkaBroker, records: Records, opened: Opened, mechanism: str
) -> None:
    topic = await records.topic(partitions=1)
    login = {"mechanism": mechanism, "username": USERNAME, "password": PASSWORD}
    sender = await opened.sender(broker.sasl_hosts, {"topic": topic}, authentication=login)
    await sender.send([record(1, topic, "c", "in")])
    assert [entry.value for entry in await records.all(topic)] == [b"in"]
    with pytest.raises(Unhealthy, match=r"lets this node in .*: check mechanism"):
        wrong = login | {"password": "wrong"}
        await opened.sender(broker.sasl_hosts, {"topic": topic}, authentication=wrong)


async def test_records_go_over_tls_to_whom_the_certificate_names(
    broker: KafkaBroker, records: Records, opened: Opened, authority: Authority
) -> None:
    topic = await records.topic(partitions=1)
    tls = {"enable": True, "cacertfile": str(authority.cert)}
    sender = await opened.sender(broker.tls_hosts, {"topic": topic}, ssl=tls)
    await sender.send([record(1, topic, "c", "hidden")])
    assert [entry.value for entry in await records.all(topic)] == [b"hidden"]
    with pytest.raises(Unhealthy, match=r"is not trusted .*: name its authority"):
        await opened.sender(broker.tls_hosts, {"topic": topic}, ssl={"enable": True})


async def test_nothing_is_lost_doubled_or_reordered_over_an_outage(
    broker: KafkaBroker, records: Records, opened: Opened
) -> None:
    topic = await records.topic(partitions=3)
    sender = await opened.sender(
        broker.hosts, {"topic": topic, "partition_strategy": "key_dispatch"}
    )

    async def outage() -> None:
        await asyncio.to_thread(broker.stop, signal.SIGKILL)
        with pytest.raises(Reconnecting, match=r"refused: see whether the service runs"):
            await sender.connector.check()
        await asyncio.to_thread(broker.start)

    batch = [record(number, topic, f"c{number % 5}", str(number)) for number in range(400)]
    await sender.send(batch[:100])
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sender.send(batch[100:]))
        await asyncio.sleep(0)  # the first of them are on their way
        tasks.create_task(outage())
    await sender.connector.check()
    found = await records.all(topic)
    for client in range(5):
        own = [int(entry.value) for entry in found if entry.key == f"c{client}".encode()]
        assert own == list(range(client, 400, 5))
    assert not sender.failed


async def test_it_stops_while_there_is_no_broker(
    broker: KafkaBroker, records: Records, opened: Opened
) -> None:
    topic = await records.topic(partitions=1)
    sender = await opened.sender(broker.hosts, {"topic": topic})
    await sender.send([record(1, topic, "c", "1")])
    await asyncio.to_thread(broker.stop, signal.SIGKILL)
    try:
        sending = asyncio.create_task(sender.send([record(2, topic, "c", "2")]))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait({sending})
        await sender.action.stop()
        await sender.connector.stop()
    finally:
        await asyncio.to_thread(broker.start)
    await connected(sender.connector)
    await sender.action.start()
    await sender.send([record(2, topic, "c", "2")])
    assert [entry.value for entry in await records.all(topic)] == [b"1", b"2"]
