"""How a connector, an action or a source is doing, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from rookery.access.errors import Words

Kind: TypeAlias = Literal["connector", "action", "source"]


class State(StrEnum):
    """EMQX's words."""

    CONNECTED = "connected"
    CONNECTING = "connecting"
    DISCONNECTED = "disconnected"
    INCONSISTENT = "inconsistent"
    """Of several nodes: it is not the same on all."""


class Status(NamedTuple):
    """The state, why it is that one, and since when.

    Attributes:
        state: The state.
        reason: Why it is not connected.
        since_ms: Milliseconds since 1970.
    """

    state: State
    reason: Words | None
    since_ms: int

    @property
    def is_connected(self) -> bool:
        return self.state is State.CONNECTED


DISABLED = Words("disabled", "已禁用")
STOPPED = Words("stopped", "已停止")
"""By somebody, until the node ends."""
NOT_STARTED = Words("not started", "未启动")
IDLE = frozenset({DISABLED, STOPPED, NOT_STARTED})
"""Why something does not run that need not."""
