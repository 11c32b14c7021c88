"""OpenTelemetry: spans of messages to a collector."""

from rookery.broker.otel.service import OtelService

__all__ = ["OtelService"]
