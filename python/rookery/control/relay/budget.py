"""How much of its own accord an agent may say, and how often it may connect: what goes beyond is not even read.

**Bounds.** One entry for each agent that is connected; one for each that did so within
:data:`CONNECTS_BURST` / :data:`CONNECTS_PER_S` seconds.
"""

from __future__ import annotations

from itertools import islice

from rookery.clock import Clock
from rookery.contracts.agent_v1 import REPORT_BYTES_MAX

MESSAGES_PER_S, MESSAGES_BURST = 20.0, 200.0
BYTES_BURST = 8.0 * REPORT_BYTES_MAX
REPORTS_PER_INTERVAL = 2.0
"""So many of the longest: to read 1 MB of reports takes a third of a second of one core."""

CONNECTS_PER_S, CONNECTS_BURST = 0.5, 20.0
"""Agents wait for 2.5 s before they come back, and longer each time."""


class Bucket:
    """So much at once, and so much a second."""

    def __init__(self, per_s: float, burst: float, clock: Clock) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._left = burst
        self._at_s = clock.monotonic_s()

    def take(self, amount: float) -> bool:
        """Whether there is so much left; it is taken then."""
        if not self.has(amount):
            return False
        self._left -= amount
        return True

    def has(self, amount: float) -> bool:
        """Whether there is so much left."""
        now_s = self._clock.monotonic_s()
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        return amount <= self._left


class Budgets:
    """Those of the agents that are connected."""

    def __init__(self, clock: Clock, report_interval_s: float) -> None:
        self._clock = clock
        self._bytes_per_s = REPORTS_PER_INTERVAL * REPORT_BYTES_MAX / max(1.0, report_interval_s)
        self._messages: dict[str, Bucket] = {}
        self._bytes: dict[str, Bucket] = {}

    def allows(self, agent_id: str, size: int) -> bool:
        """Whether a message of that size is read."""
        messages = self._messages.get(agent_id)
        if messages is None:
            messages = Bucket(MESSAGES_PER_S, MESSAGES_BURST, self._clock)
            self._messages[agent_id] = messages
            self._bytes[agent_id] = Bucket(self._bytes_per_s, BYTES_BURST, self._clock)
        return messages.take(1.0) and self._bytes[agent_id].take(size)

    def forget(self, agent_id: str) -> None:
        """It is not connected any more."""
        self._messages.pop(agent_id, None)
        self._bytes.pop(agent_id, None)


class Connects:
    """How often each agent connected lately.

    Those count that had the right secret: whoever knows no more than a name locks nobody out by it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Who connected last comes last.
        self._buckets: dict[str, Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def allows(self, agent_id: str) -> bool:
        """Whether it may connect now."""
        bucket = self._buckets.get(agent_id)
        return bucket is None or bucket.has(1.0)

    def count(self, agent_id: str) -> None:
        """It connected."""
        bucket = self._buckets.pop(agent_id, None)
        if bucket is None:
            bucket = Bucket(CONNECTS_PER_S, CONNECTS_BURST, self._clock)
        bucket.take(1.0)
        self._buckets[agent_id] = bucket
        # As good as never seen. Two for each that comes, so that they get fewer.
        for name in list(islice(self._buckets, 2)):
            if self._buckets[name].has(CONNECTS_BURST):
                del self._buckets[name]
