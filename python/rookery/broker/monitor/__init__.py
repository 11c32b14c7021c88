"""What the node did over time: a sample each ten seconds, kept for a week."""

from rookery.broker.monitor.models import Sample
from rookery.broker.monitor.service import Monitor
from rookery.broker.monitor.store import SampleFile

__all__ = ["Monitor", "Sample", "SampleFile"]
