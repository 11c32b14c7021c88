"""Kafka: actions append to topics."""

from __future__ import annotations

from typing import Any

from rookery.access.errors import Words
from rookery.connectors.base import Connector, ConnectorType, Context
from rookery.connectors.kafka_producer.settings import (
    KafkaProducerActionSettings,
    KafkaProducerConnectorSettings,
)
from rookery.connectors.kafka_producer.texts_zh import TEXTS


def _open(
    settings: KafkaProducerConnectorSettings, context: Context
) -> Connector[KafkaProducerActionSettings, Any]:
    from rookery.connectors.kafka_producer.connector import KafkaProducer  # noqa: PLC0415

    return KafkaProducer(settings, context)


TYPE = ConnectorType(
    name="kafka_producer",
    title=Words("Kafka producer", "Kafka 生产者"),
    about=Words("Appends results to topics of a Kafka cluster.", "将结果写入 Kafka 集群的主题。"),
    extra="kafka",
    packages=("aiokafka",),
    connector_settings=KafkaProducerConnectorSettings,
    action_settings=KafkaProducerActionSettings,
    texts_zh=TEXTS,
    open=_open,
)
