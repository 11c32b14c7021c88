"""What stands in a Kafka broker, as another client sees it."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from harness.client import DEADLINE_S
from harness.kafka import KafkaBroker
from harness.node import fresh_name


class Records:
    """Makes topics, puts records there and reads all of them."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._broker = broker

    async def topic(self, partitions: int = 3) -> str:
        name = fresh_name("topic-")
        admin = AIOKafkaAdminClient(bootstrap_servers=self._broker.hosts)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, partitions, 1)])
            # The broker that answers has heard of it a moment later.
            async with asyncio.timeout(DEADLINE_S):
                while len((await admin.describe_topics([name]))[0]["partitions"]) < partitions:
                    continue
        finally:
            await admin.close()
        return name

    async def put(
        self,
        topic: str,
        values: list[bytes],
        *,
        key: bytes | None = None,
        partition: int | None = None,
    ) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._broker.hosts, acks="all")
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(topic, value, key=key, partition=partition)
        finally:
            await producer.stop()

    async def all(self, topic: str) -> list[ConsumerRecord]:
        """Everything in the topic by now, partition after partition."""
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self._broker.hosts,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        found: list[ConsumerRecord] = []
        try:
            for partition in sorted(consumer.assignment()):
                end = (await consumer.end_offsets([partition]))[partition]
                while await consumer.position(partition) < end:
                    found.append(await consumer.getone(partition))
        finally:
            await consumer.stop()
        return found
