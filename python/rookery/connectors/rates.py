"""Rates of a counter that only grows: now, over five minutes, and the highest."""

from __future__ import annotations

from collections import deque

WINDOW_S = 300.0
TICK_S = 5.0
_SAMPLES_MAX = int(WINDOW_S / TICK_S) + 1


class Rates:
    """Fed with a counter at every tick; a counter that went down was reset."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque(maxlen=_SAMPLES_MAX)
        self.now = 0.0
        self.highest = 0.0

    def sample(self, now_s: float, count: int) -> None:
        if self._samples and count < self._samples[-1][1]:
            self._samples.clear()
        if self._samples:
            before_s, before = self._samples[-1]
            if now_s <= before_s:
                return
            self.now = (count - before) / (now_s - before_s)
            self.highest = max(self.highest, self.now)
        self._samples.append((now_s, count))

    @property
    def last_5m(self) -> float:
        """The average of what is known of the last five minutes."""
        if len(self._samples) < 2:
            return 0.0
        (first_s, first), (last_s, last) = self._samples[0], self._samples[-1]
        return (last - first) / (last_s - first_s)

    def reset(self) -> None:
        self._samples.clear()
        self.now = self.highest = 0.0
