"""How long to wait before the next try: longer each time, and never all agents at once."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Doubles up to a bound; each wait is drawn anew between half of that and all of it.

    The first wait after something that worked is drawn between nothing and ``first_s``: when the
    relay restarts, its thousand agents come back one after the other.
    """

    def __init__(
        self,
        first_s: float,
        most_s: float,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._draw = draw
        self._failures = 0

    def next_s(self) -> float:
        """The wait that is due now."""
        self._failures += 1
        if self._failures == 1:
            return self._draw(0.0, self._first_s)
        # Far below where a power of two overflows.
        doubled = self._first_s * 2.0 ** min(self._failures - 1, 32)
        bound = min(doubled, self._most_s)
        return self._draw(bound / 2, bound)

    def succeeded(self) -> None:
        """It worked: begin anew."""
        self._failures = 0
