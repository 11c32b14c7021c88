"""Whether a service can be asked: the last that is known of it, and why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from rookery.words import Words

State: TypeAlias = Literal["connecting", "connected", "disconnected"]


class Health:
    """What is known of one service. ``connecting`` until anything is.

    Attributes:
        state: Whether it can be asked.
        reason: Why it cannot; none while it can, or nothing is known yet.
    """

    __slots__ = ("_tell", "reason", "state")

    def __init__(self) -> None:
        self.state: State = "connecting"
        self.reason: Words | None = None
        self._tell: Callable[[], None] = lambda: None

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` whenever this is another one, instead of who was told before."""
        self._tell = tell

    def is_well(self) -> None:
        """It answered."""
        self._set("connected", None)

    def is_ill(self, reason: Words) -> None:
        """It cannot be reached, or does not answer as it should."""
        self._set("disconnected", reason)

    def _set(self, state: State, reason: Words | None) -> None:
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason = state, reason
            self._tell()
