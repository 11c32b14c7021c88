"""A connector to a Kafka cluster whose sources take records."""

from __future__ import annotations

from typing import Any

from rookery.connectors.base import Connector, Context, Receive, Source
from rookery.connectors.kafka.client import Cluster
from rookery.connectors.kafka_consumer.settings import (
    KafkaConsumerConnectorSettings,
    KafkaConsumerSourceSettings,
)
from rookery.connectors.kafka_consumer.source import KafkaConsumerSource


class KafkaConsumer(Connector[Any, KafkaConsumerSourceSettings]):
    """One cluster. Each source has a consumer of its own."""

    def __init__(self, settings: KafkaConsumerConnectorSettings, context: Context) -> None:
        self._cluster = Cluster(settings, f"{context.id}:{context.node}")
        self._name = context.id.partition(":")[2] or context.id

    async def start(self) -> None:
        await self._cluster.start()

    async def stop(self) -> None:
        await self._cluster.stop()

    async def check(self) -> None:
        await self._cluster.check()

    def open_source(self, settings: KafkaConsumerSourceSettings, receive: Receive) -> Source:
        parameters = settings.parameters
        group = parameters.group_id or f"rookery-{self._name}-{parameters.topic}"
        return KafkaConsumerSource(parameters, group, self._cluster, receive)
