"""Kafka: sources take records of topics."""

from __future__ import annotations

from typing import Any

from rookery.access.errors import Words
from rookery.connectors.base import Connector, ConnectorType, Context
from rookery.connectors.kafka_consumer.settings import (
    KafkaConsumerConnectorSettings,
    KafkaConsumerSourceSettings,
)
from rookery.connectors.kafka_consumer.texts_zh import TEXTS


def _open(
    settings: KafkaConsumerConnectorSettings, context: Context
) -> Connector[Any, KafkaConsumerSourceSettings]:
    from rookery.connectors.kafka_consumer.connector import KafkaConsumer  # noqa: PLC0415

    return KafkaConsumer(settings, context)


TYPE = ConnectorType(
    name="kafka_consumer",
    title=Words("Kafka consumer", "Kafka 消费者"),
    about=Words("Takes records from topics of a Kafka cluster.", "从 Kafka 集群的主题接收消息。"),
    extra="kafka",
    packages=("aiokafka",),
    connector_settings=KafkaConsumerConnectorSettings,
    source_settings=KafkaConsumerSourceSettings,
    texts_zh=TEXTS,
    open=_open,
)
