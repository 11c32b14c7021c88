"""What the cookie is good for: every secret between the nodes is derived from it.

The cookie itself never leaves the node, and no secret tells another.
"""

from __future__ import annotations

import hashlib
import hmac

COOKIE_LENGTH_MIN = 16
PUBLISHED = frozenset({"emqxsecretcookie", "emqxsecretcookie-please-change"})
"""Cookies that come with other brokers: everybody knows them."""

ROUTES = "nats routes"
BUS = "messages between nodes"
LANES = "lanes between nodes"
_MAC_BYTES = 32


def is_good(cookie: str) -> bool:
    """Whether that cookie keeps strangers out."""
    return len(cookie) >= COOKIE_LENGTH_MIN and cookie not in PUBLISHED


def derived(cookie: str, cluster: str, purpose: str) -> bytes:
    """The secret of the cluster for ``purpose``."""
    text = f"rookery cluster v1\0{cluster}\0{purpose}"
    return hmac.new(cookie.encode(), text.encode(), hashlib.sha256).digest()


class Signer:
    """Signs what goes over the bus, and opens only what was signed with the same cookie."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, subject: str, body: bytes) -> bytes:
        """``body`` as it is sent to ``subject``."""
        return self._mac(subject, body) + body

    def open(self, subject: str, sealed: bytes) -> bytes | None:
        """What was sealed for ``subject``; none when it was sealed by somebody else."""
        mac, body = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        return body if hmac.compare_digest(mac, self._mac(subject, body)) else None

    def _mac(self, subject: str, body: bytes) -> bytes:
        return hmac.new(self._key, subject.encode() + b"\0" + body, hashlib.sha256).digest()
