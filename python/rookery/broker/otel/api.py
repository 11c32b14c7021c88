"""``/opentelemetry``: whether and where spans of messages are exported."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from rookery.broker.management.context import NodeContext
from rookery.config.runtime import KeyPath
from rookery.web.models import Model
from rookery.web.rest import errors, example

SECTION = "opentelemetry"


class OtelExporter(Model):
    """Where spans go."""

    endpoint: str = Field(
        default="http://localhost:4317",
        description="Collector that takes OTLP over HTTP; `/v1/traces` is added where there is no "
        "path.",
        examples=["http://collector:4318"],
    )
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="HTTP headers that are sent along; shown as `******`, which sent back means "
        "what is there.",
        examples=[{"x-token": "******"}],
    )


class OtelFilter(Model):
    """Which messages get spans."""

    trace_all: bool = Field(
        default=False,
        description="Whether messages without the user property `traceparent` get spans too.",
        examples=[False],
    )
    sample_ratio: float = Field(
        default=1.0, ge=0, le=1, description="Which part of those.", examples=[0.1]
    )


class OtelTraces(Model):
    """Spans of messages."""

    enable: bool = Field(default=False, description="Whether they are exported.", examples=[True])
    filter: OtelFilter = Field(default_factory=OtelFilter, description="Which messages.")
    max_queue_size: int = Field(
        default=2048,
        ge=1,
        le=1_000_000,
        description="Most spans that wait; what is above is dropped and counted.",
        examples=[2048],
    )
    scheduled_delay: str = Field(
        default="5s", description="Time between two exports.", examples=["5s"]
    )
    exporting_timeout: str = Field(
        default="30s", description="Deadline of one export.", examples=["30s"]
    )


class OtelSettings(Model):
    """``opentelemetry``."""

    exporter: OtelExporter = Field(default_factory=OtelExporter, description="Where spans go.")
    traces: OtelTraces = Field(default_factory=OtelTraces, description="Spans of messages.")


_EXAMPLE = {
    "exporter": {"endpoint": "http://collector:4318", "headers": {"x-token": "******"}},
    "traces": {
        "enable": True,
        "filter": {"trace_all": False, "sample_ratio": 1.0},
        "max_queue_size": 2048,
        "scheduled_delay": "5s",
        "exporting_timeout": "30s",
    },
}


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Monitor"])
    settings = node.services.settings

    def shown() -> OtelSettings:
        found = settings.config.effective()[SECTION]
        return OtelSettings(
            exporter=OtelExporter(**_named(OtelExporter, found["exporter"])),
            traces=OtelTraces(**_named(OtelTraces, found["traces"])),
        )

    @api.get(
        "/opentelemetry", summary="Get the OpenTelemetry settings", responses=example(_EXAMPLE)
    )
    async def get_settings() -> OtelSettings:
        """Whether and where spans of messages are exported."""
        return shown()

    @api.put(
        "/opentelemetry",
        summary="Change the OpenTelemetry settings",
        responses=errors("BAD_REQUEST", "BAD_CONFIG", "ALREADY_EXISTS") | example(_EXAMPLE),
    )
    async def put_settings(
        body: Annotated[OtelSettings, Body(examples=[_EXAMPLE])],
    ) -> OtelSettings:
        """Replace them; members that are not sent get their default. Holds at once and survives a
        restart.
        """
        values = body.model_dump()
        changes: dict[KeyPath, Any] = {
            (SECTION, part, name): value
            for part in ("exporter", "traces")
            for name, value in values[part].items()
        }
        await settings.change("update", SECTION, changes, written_at=(SECTION,))
        return shown()

    return api


def _named(model: type[Model], values: dict[str, Any]) -> dict[str, Any]:
    """What the interface shows; keys without effect are taken in files alone."""
    return {name: values[name] for name in model.model_fields}
