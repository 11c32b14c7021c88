"""How many clients may be connected, and the alarm before it is so."""

from rookery.broker.quota.service import QuotaWatch

__all__ = ["QuotaWatch"]
