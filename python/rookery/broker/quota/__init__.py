"""The bound on connected clients: an alarm before it is reached."""

from rookery.broker.quota.service import QuotaWatch

__all__ = ["QuotaWatch"]
