"""How much of its own accord an agent may say: what goes beyond is not even read.

**Bound.** One entry for each agent that is connected.
"""

from __future__ import annotations

from rookery.clock import Clock
from rookery.contracts.agent_v1 import REPORT_BYTES_MAX

MESSAGES_PER_S, MESSAGES_BURST = 20.0, 200.0
BYTES_BURST = 8.0 * REPORT_BYTES_MAX
REPORTS_PER_INTERVAL = 2.0
"""So many of the longest: to read 1 MB of reports takes a third of a second of one core."""


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
        now_s = self._clock.monotonic_s()
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if amount > self._left:
            return False
        self._left -= amount
        return True


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
