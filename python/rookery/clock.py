"""Time as a dependency, so that what depends on it can be tested without waiting.

This module runs on Python 3.9 with the standard library alone.
"""

from __future__ import annotations

import time
from typing import Protocol

LATEST_MS = 253_402_300_799_999
"""The end of the year 9999 in UTC: no calendar of Python or of a browser's form goes further."""


class Clock(Protocol):
    """What the time is, twice: for people and for measuring."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC; may jump."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some moment; never goes back."""
        ...


class SystemClock:
    """The machine's clock."""

    __slots__ = ()

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until a test moves it."""

    __slots__ = ("_monotonic_s", "_now_ms")

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms
        self._monotonic_s = 0.0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ms += round(seconds * 1000)
        self._monotonic_s += seconds
