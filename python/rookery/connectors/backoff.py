"""How long to wait before trying again: longer each time, never all at once."""

from __future__ import annotations

import random

FIRST_S = 0.25


class Backoff:
    """Doubles up to ``longest_s``; a random part keeps many from trying in step."""

    def __init__(self, longest_s: float, *, first_s: float = FIRST_S) -> None:
        self._longest_s = longest_s
        self._first_s = min(first_s, longest_s)
        self._next_s = self._first_s

    def next_s(self) -> float:
        """Seconds to wait now."""
        wait_s = self._next_s * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        self._next_s = min(self._next_s * 2, self._longest_s)
        return min(wait_s, self._longest_s)

    def reset(self) -> None:
        self._next_s = self._first_s
