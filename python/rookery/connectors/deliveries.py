"""Whether anything that an action sends is taken: a service may be there, and take nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from rookery.clock import Clock
from rookery.words import Words

ATTEMPTS_MIN = 3
"""Fewer than these say nothing about a service: they may be all that one bad message made."""

_NOTHING_TAKEN = Words(
    "nothing was taken since {since}; the next message that is taken ends this: {reason}",
    "自 {since} 起没有消息被接受，下一条被接受的消息将解除此状态：{reason}",
)


class Deliveries:
    """The attempts of one action to send, as far as they say how it is doing.

    It is not well when attempts have failed for a while, :data:`ATTEMPTS_MIN` at least, and none has
    succeeded meanwhile; and well again with the first that succeeds. A look at the service cannot tell
    that: it was there all the time.
    """

    def __init__(self, patience_s: float, clock: Clock, tell: Callable[[], None]) -> None:
        """``tell`` is called when :attr:`trouble` begins and when it ends."""
        self._patience_s = patience_s
        self._clock = clock
        self._tell = tell
        self._taken_s = clock.monotonic_s()
        self._since_s: float | None = None
        self._since = ""
        self._attempts = 0
        self._reason: Words | None = None
        self._is_told = False

    @property
    def trouble(self) -> Words | None:
        """Why it is not well; none while it is."""
        if not self._is_told or self._reason is None:
            return None
        return _NOTHING_TAKEN.format(since=self._since, reason=self._reason)

    def taken(self) -> None:
        """The service has taken something."""
        was_told = self._is_told
        self.forget()
        if was_told:
            self._tell()

    def refused(self, reason: Words, began_s: float) -> None:
        """An attempt that began at ``began_s`` failed, all of it."""
        if self._since_s is None:
            self._since_s = max(began_s, self._taken_s)
        self._attempts += 1
        self._reason = reason
        lasted_s = self._clock.monotonic_s() - self._since_s
        if not self._is_told and self._attempts >= ATTEMPTS_MIN and lasted_s >= self._patience_s:
            self._is_told = True
            # Read once: a clock that is set, or rounds, makes no new status of the same trouble.
            since = datetime.fromtimestamp(self._clock.now_ms() / 1000 - lasted_s, UTC)
            self._since = f"{since:%Y-%m-%d %H:%M:%S} UTC"
            self._tell()

    def forget(self) -> None:
        """What was is over: another connection, or a success."""
        self._taken_s = self._clock.monotonic_s()
        self._since_s = None
        self._attempts = 0
        self._reason = None
        self._is_told = False
