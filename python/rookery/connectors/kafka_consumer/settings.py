"""What a Kafka consumer and its sources are made from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rookery.connectors.kafka.settings import KafkaConnectorSettings
from rookery.connectors.kinds import Bytes, Seconds
from rookery.connectors.settings import Parameters, SourceSettings


class KafkaConsumerConnectorSettings(KafkaConnectorSettings):
    """``connectors.kafka_consumer``."""


class KafkaConsumerParameters(Parameters):
    """``parameters`` of a source."""

    topic: str = Field(
        min_length=1, max_length=249, title="Topic", description="Topic of Kafka; it must be there."
    )
    group_id: str | None = Field(
        default=None,
        max_length=255,
        title="Consumer group",
        description="Nodes of one group share the records. Without one it is made from the names "
        "of connector and topic.",
    )
    max_batch_bytes: Bytes = Field(
        default=896 << 10,
        title="Batch bytes",
        description="Most octets that are fetched from one partition at once.",
    )
    offset_reset_policy: Literal["latest", "earliest"] = Field(
        default="latest",
        title="Where to begin",
        description="With a group that has no offset yet: at the newest or at the oldest record.",
    )
    offset_commit_interval_seconds: Seconds = Field(
        default=5.0,
        title="Commit interval",
        description="How often the offset is committed. Only records that rules have got are.",
    )
    key_encoding_mode: Literal["none", "base64"] = Field(
        default="none", title="Key encoding", description="Whether rules get the key as base64."
    )
    value_encoding_mode: Literal["none", "base64"] = Field(
        default="none", title="Value encoding", description="Whether rules get the value as base64."
    )


class KafkaConsumerSourceSettings(SourceSettings):
    """``sources.kafka_consumer``."""

    parameters: KafkaConsumerParameters = Field(title="Parameters", description="What is taken.")
