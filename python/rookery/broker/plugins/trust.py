"""Whether a worker process still answers about messages that the node itself was given.

One that answered nothing for a whole deadline is doubted: it hangs, or what it waits for does. Then it
gets one question per deadline, which is waited for a part of the deadline only, and all others have the
configured answer at once. An answer to that one question before its deadline, and the process is asked
as before. The native side does the same for what clients ask.
"""

from __future__ import annotations

PATIENCE = 10
"""Which part of the deadline an answer of a process that is doubted is waited for."""


class Trust:
    """In one process. Times are seconds of one monotonic clock."""

    __slots__ = ("_answered_s", "_is_doubted", "_last", "_probe_until_s")

    def __init__(self) -> None:
        self._answered_s = float("-inf")
        self._is_doubted = False
        self._probe_until_s = float("-inf")
        self._last = 0

    def patience_s(self, now_s: float, deadline_s: float) -> float:
        """How long the answer to a question of this moment is waited for; 0: it is not asked."""
        if not self._is_doubted:
            return deadline_s
        if now_s < self._probe_until_s:
            return 0.0
        self._probe_until_s = now_s + deadline_s
        return deadline_s / PATIENCE

    def asked(self, number: int) -> None:
        """The question after :meth:`patience_s` was sent under this number."""
        self._last = number

    def answered(self, now_s: float) -> None:
        """A question that somebody waits for was answered."""
        self._answered_s = now_s
        self._is_doubted = False

    def answered_late(self, number: int, now_s: float) -> None:
        """A question that nobody waits for any more was."""
        if self._is_doubted and number == self._last and now_s < self._probe_until_s:
            self.answered(now_s)

    def missed(self, asked_s: float) -> None:
        """A question of that moment was waited for in vain."""
        if self._answered_s <= asked_s:
            self._is_doubted = True
