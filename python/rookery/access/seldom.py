"""Log lines that may be due for every client, said once in a while with how many there were.

What a service does to five hundred clients a second is one piece of news, not five hundred.
"""

from __future__ import annotations

import logging

from rookery.clock import Clock

INTERVAL_S = 10.0


class SeldomLog:
    """Warnings of one place. The first is said at once, later ones at most every ten seconds."""

    def __init__(self, logger: logging.Logger, clock: Clock) -> None:
        self._logger = logger
        self._clock = clock
        self._said_s: float | None = None
        self._left_out = 0

    def warning(self, text: str, *args: object) -> None:
        now_s = self._clock.monotonic_s()
        if self._said_s is not None and now_s - self._said_s < INTERVAL_S:
            self._left_out += 1
            return
        if self._left_out:
            text += " (and %d times more since the last such line)"
            args = (*args, self._left_out)
        self._said_s = now_s
        self._left_out = 0
        self._logger.warning(text, *args)
