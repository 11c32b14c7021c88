"""Traces of clients, topics and addresses, each into a file of the data directory."""

from rookery.broker.trace.models import Trace
from rookery.broker.trace.service import TraceService

__all__ = ["Trace", "TraceService"]
