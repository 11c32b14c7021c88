"""Signs the bodies of webhooks, so that a receiver knows whose they are and that they are fresh.

    X-Rookery-Timestamp: 1767225600
    X-Rookery-Signature: sha256=<hex of HMAC-SHA256(secret, timestamp + "." + body)>

A receiver works the same out over the bytes that it got, compares in constant time, and refuses
timestamps that are more than some minutes away.
"""

from __future__ import annotations

import hashlib
import hmac

TIMESTAMP = "X-Rookery-Timestamp"
SIGNATURE = "X-Rookery-Signature"
DELIVERY = "X-Rookery-Delivery"
"""The same for each attempt: by it a receiver knows what it has already."""
EVENT = "X-Rookery-Event"


def signature(secret: str, at_s: int, body: bytes) -> str:
    """The value of the header."""
    return (
        "sha256="
        + hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    )
