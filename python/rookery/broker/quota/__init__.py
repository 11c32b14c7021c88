"""How many clients may be connected, and the alarm before it is so."""

from rookery.broker.quota.service import QuotaWatch, Watermarks, watermarks_of

__all__ = ["QuotaWatch", "Watermarks", "watermarks_of"]
