"""Spans as the OpenTelemetry SDK has them, to a collector over OTLP/HTTP (``rookery[otel]``).

Imported only where traces are switched on: the SDK takes longer to load than a node to start.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from rookery.config.snapshot import OtelConfig
from rookery.native.rows import EventRow

TRACES_PATH = "/v1/traces"
_KINDS = {"mqtt.publish": SpanKind.CONSUMER, "mqtt.deliver": SpanKind.PRODUCER}
_OPERATIONS = {"mqtt.publish": "receive", "mqtt.deliver": "send"}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Exporter:
    """Sends batches; blocks meanwhile."""

    def __init__(self, config: OtelConfig, *, node_name: str, version: str) -> None:
        self._resource = Resource.create(
            {
                "service.name": "rookery",
                "service.version": version,
                "service.instance.id": node_name,
            }
        )
        self._scope = InstrumentationScope("rookery", version)
        self._sdk: SpanExporter = OTLPSpanExporter(
            endpoint=url_of(config.endpoint),
            headers=dict(config.headers),
            timeout=config.timeout_s,
        )

    def send(self, rows: Sequence[EventRow]) -> bool:
        """Whether the collector took them."""
        spans = [self._span(row) for row in rows]
        return self._sdk.export(spans) is SpanExportResult.SUCCESS

    def close(self) -> None:
        """End a send that waits to try again."""
        self._sdk.shutdown()

    def _span(self, row: EventRow) -> ReadableSpan:
        _, trace_id, span_id, parent_id, name, start_ms, end_us, *about = row
        client_id, topic, qos, retain, size, message_id = about
        return ReadableSpan(
            name=name,
            context=SpanContext(trace_id, span_id, is_remote=False, trace_flags=_SAMPLED),
            parent=SpanContext(trace_id, parent_id, is_remote=True, trace_flags=_SAMPLED)
            if parent_id
            else None,
            resource=self._resource,
            # Names of the semantic conventions for messaging where they have one.
            attributes={
                "messaging.system": "mqtt",
                "messaging.operation.type": _OPERATIONS[name],
                "messaging.client.id": client_id,
                "messaging.destination.name": topic,
                "messaging.message.id": f"{message_id:032x}",
                "messaging.message.body.size": size,
                "mqtt.qos": qos,
                "mqtt.retain": retain,
            },
            kind=_KINDS[name],
            status=Status(StatusCode.UNSET),
            start_time=start_ms * 1_000_000,
            # The beginning is known to the millisecond, the end to the microsecond.
            end_time=max(end_us * 1000, start_ms * 1_000_000),
            instrumentation_scope=self._scope,
        )


def url_of(endpoint: str) -> str:
    """Where traces go: the path of OTLP is added where there is none."""
    return endpoint.rstrip("/") + TRACES_PATH if urlsplit(endpoint).path in ("", "/") else endpoint
