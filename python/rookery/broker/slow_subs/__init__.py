"""The slowest subscriptions of the node."""

from rookery.broker.slow_subs.service import SlowSubsService

__all__ = ["SlowSubsService"]
