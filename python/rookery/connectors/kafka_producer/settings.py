"""What a Kafka producer and its actions are made from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from rookery.connectors.kafka.settings import KafkaConnectorSettings
from rookery.connectors.kinds import KIND, AnySeconds, Bytes, Seconds
from rookery.connectors.options import ActionOptions
from rookery.connectors.refusals import RefusedValue
from rookery.connectors.settings import ActionSettings, Parameters, Settings
from rookery.words import Words

_BAD_LIMIT = Words(
    "partitions_limit must be all_partitions or at least 1",
    "partitions_limit 应为 all_partitions 或不小于 1",
)

# Of EMQX's client library, which has a buffer of its own: here it is that of the action.
_INERT = frozenset(
    {"buffer", "max_inflight", "max_linger_bytes", "query_mode", "sync_query_timeout"}
)


class KafkaProducerConnectorSettings(KafkaConnectorSettings):
    """``connectors.kafka_producer``."""


class KafkaMessage(Settings):
    """``message``: templates of a record."""

    key: str = Field(
        default="${.clientid}",
        max_length=1 << 20,
        title="Key",
        description="Template of the record's key.",
        json_schema_extra={KIND: "template"},
    )
    value: str = Field(
        default="${.}",
        max_length=1 << 20,
        title="Value",
        description="Template of the record's value; ${.} is the whole result as JSON.",
        json_schema_extra={KIND: "body"},
    )
    timestamp: str = Field(
        default="${.timestamp}",
        max_length=1024,
        title="Timestamp",
        description="Template of the record's time in milliseconds; if it is no number, "
        "the time of the rule counts.",
        json_schema_extra={KIND: "template"},
    )


class ExtHeader(Settings):
    """One of ``kafka_ext_headers``."""

    kafka_ext_header_key: str = Field(
        max_length=1024, title="Name", description="Template of the header's name."
    )
    kafka_ext_header_value: str = Field(
        max_length=1 << 16, title="Value", description="Template of the header's value."
    )


class KafkaProducerParameters(Parameters):
    """``parameters`` of an action."""

    topic: str = Field(
        min_length=1,
        max_length=1024,
        title="Topic",
        description="Topic of Kafka. It must be there, unless it is a template such as "
        "site-${payload.site}.",
        json_schema_extra={KIND: "template"},
    )
    message: KafkaMessage = Field(
        default_factory=KafkaMessage, title="Record", description="What is appended."
    )
    partition_strategy: Literal["random", "key_dispatch"] = Field(
        default="random",
        title="Partition strategy",
        description="key_dispatch puts records of one key into one partition, in order, the one "
        "that Kafka's own clients choose; random spreads them.",
    )
    partitions_limit: Literal["all_partitions"] | int = Field(
        default="all_partitions",
        title="Partitions limit",
        description="Only the first so many partitions are used.",
    )
    partition_count_refresh_interval: Seconds = Field(
        default=60.0,
        title="Partition refresh",
        description="How often new partitions are looked for.",
    )
    required_acks: Literal["all_isr", "leader_only", "none"] = Field(
        default="all_isr",
        title="Required acknowledgements",
        description="all_isr: all replicas in sync have it, and no record is doubled by a retry; "
        "leader_only: one broker has it; none: nobody says so.",
    )
    compression: Literal["no_compression", "gzip", "snappy", "lz4", "zstd"] = Field(
        default="no_compression",
        title="Compression",
        description="How batches are compressed.",
    )
    max_batch_bytes: Bytes = Field(
        default=896 << 10,
        title="Batch bytes",
        description="Most octets of one batch for one partition.",
    )
    max_linger_time: AnySeconds = Field(
        default=0.0,
        title="Linger time",
        description="How long a batch waits for more records before it is sent.",
    )
    kafka_headers: str | None = Field(
        default=None,
        max_length=1024,
        title="Headers",
        description="A placeholder such as ${pub_props} whose value is an object, or an array of "
        "objects with key and value.",
    )
    kafka_ext_headers: tuple[ExtHeader, ...] = Field(
        default=(), max_length=64, title="More headers", description="Headers from templates."
    )
    kafka_header_value_encode_mode: Literal["none", "json"] = Field(
        default="none",
        title="Header encoding",
        description="none takes values that are text; json writes every value as JSON.",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_inert(cls, raw: Any) -> Any:
        if isinstance(raw, dict):
            return {key: value for key, value in raw.items() if key not in _INERT}
        return raw

    @model_validator(mode="after")
    def _limit(self) -> KafkaProducerParameters:
        if isinstance(self.partitions_limit, int) and self.partitions_limit < 1:
            raise RefusedValue(_BAD_LIMIT)
        return self


class KafkaProducerOptions(ActionOptions):
    """``resource_opts``: records that are at hand go out together."""

    batch_size: int = Field(
        default=500,
        ge=1,
        le=65_535,
        title="Batch size",
        description="Most records that are handed to the client at once.",
    )


class KafkaProducerActionSettings(ActionSettings):
    """``actions.kafka_producer``."""

    parameters: KafkaProducerParameters = Field(title="Parameters", description="What is sent.")
    resource_opts: KafkaProducerOptions = Field(
        default_factory=KafkaProducerOptions, title="Resource options", description="How it is run."
    )
