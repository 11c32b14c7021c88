"""A connector to a Kafka cluster whose actions append records."""

from __future__ import annotations

from typing import Any

from rookery.connectors.base import Action, Connector, Context
from rookery.connectors.kafka.client import Cluster
from rookery.connectors.kafka_producer.action import KafkaProducerAction
from rookery.connectors.kafka_producer.settings import (
    KafkaProducerActionSettings,
    KafkaProducerConnectorSettings,
)


class KafkaProducer(Connector[KafkaProducerActionSettings, Any]):
    """One cluster. Each action has a producer of its own."""

    def __init__(self, settings: KafkaProducerConnectorSettings, context: Context) -> None:
        self._cluster = Cluster(settings, f"{context.id}:{context.node}")

    async def start(self) -> None:
        await self._cluster.start()

    async def stop(self) -> None:
        await self._cluster.stop()

    async def check(self) -> None:
        await self._cluster.check()

    def open_action(self, settings: KafkaProducerActionSettings) -> Action:
        return KafkaProducerAction(settings.parameters, self._cluster)
