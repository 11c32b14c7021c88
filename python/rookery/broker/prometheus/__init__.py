"""Metrics for Prometheus: read by it, or pushed to a Pushgateway."""

from rookery.broker.prometheus.push import Pusher
from rookery.broker.prometheus.service import Exporter

__all__ = ["Exporter", "Pusher"]
