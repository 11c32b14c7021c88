"""``resource_opts``: how much waits for an action, how long, and how it is sent; EMQX's names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rookery.connectors.kinds import AnySeconds, Bytes, ByteSize, Seconds, Ttl

MIB = 1 << 20

# What EMQX has there for the processes that its buffers are made of.
_INERT = frozenset(
    {
        *("auto_restart_interval", "auto_retry_interval", "buffer_seg_bytes", "enable_batch"),
        *("enable_queue", "health_check_interval_jitter", "health_check_timeout"),
        *("metrics_flush_interval", "resume_interval"),
    }
)


class Options(BaseModel):
    """What all three have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    health_check_interval: Seconds = Field(
        default=15.0,
        title="Health check interval",
        description="Time between two checks whether it works.",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_inert(cls, raw: Any) -> Any:
        if isinstance(raw, dict):
            return {key: value for key, value in raw.items() if key not in _INERT}
        return raw


class ConnectorOptions(Options):
    """``resource_opts`` of a connector."""

    start_after_created: bool = Field(
        default=True,
        title="Start when created",
        description="Whether it connects as soon as it is there.",
    )
    start_timeout: Seconds = Field(
        default=5.0,
        title="Start timeout",
        description="How long whoever creates or starts it waits to hear whether it connected.",
    )


class SourceOptions(ConnectorOptions):
    """``resource_opts`` of a source."""


class ActionOptions(ConnectorOptions):
    """``resource_opts`` of an action."""

    worker_pool_size: int = Field(
        default=16,
        ge=1,
        le=1024,
        title="Buffer workers",
        description="Kept for configurations of EMQX: an action has one buffer and one worker.",
    )
    inflight_window: int = Field(
        default=100,
        ge=1,
        le=65_535,
        title="In-flight window",
        description="Most requests under way at once. Messages of one client stay in order anyway.",
    )
    max_buffer_bytes: Annotated[int, ByteSize(low=1024)] = Field(
        default=256 * MIB,
        title="Buffer size",
        description="Most octets that wait in memory; what comes then is dropped, or goes to disk.",
    )
    buffer_mode: Literal["memory_only", "volatile_offload"] = Field(
        default="memory_only",
        title="Buffer mode",
        description="volatile_offload puts on disk what the memory does not hold, until the node ends.",
    )
    max_spill_bytes: Bytes = Field(
        default=1024 * MIB,
        title="Size on disk",
        description="Most octets that wait on disk, with volatile_offload.",
    )
    request_ttl: Ttl = Field(
        default=45.0,
        title="Request TTL",
        description="A message that could not be sent within that time is dropped.",
    )
    batch_size: int = Field(
        default=1,
        ge=1,
        le=65_535,
        title="Batch size",
        description="Most messages in one request, where the service takes more than one.",
    )
    batch_time: AnySeconds = Field(
        default=0.0,
        title="Batch time",
        description="How long a batch that is not full waits for more.",
    )
    query_mode: Literal["async", "sync"] = Field(
        default="async",
        title="Query mode",
        description="sync has one request under way at a time.",
    )
    retry_interval: Seconds = Field(
        default=15.0,
        title="Retry interval",
        description="Longest time between two attempts; the first come sooner.",
    )

    @property
    def window(self) -> int:
        """Most requests under way."""
        return 1 if self.query_mode == "sync" else self.inflight_window
