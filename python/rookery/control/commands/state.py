"""How a command goes on: functions of what is known, without a clock, a table or a socket.

    queued → sent → acknowledged → running → succeeded | failed
       ↑_________________________________|   (the cluster did not answer: tried again)

*Expired* is one whose time ran out, *cancelled* one that nobody wants any more. Both are what control
says; what the agent says afterwards is what happened, and holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

RESEND_MS = 60_000
"""An agent that was sent a command and says nothing is sent it again."""
WAIT_MS = 5_000
WAIT_MAX_MS = 300_000


class State(StrEnum):
    """Where a command is."""

    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


UNDER_WAY = frozenset({State.SENT, State.ACKNOWLEDGED, State.RUNNING})
OPEN = UNDER_WAY | {State.QUEUED}
KNOWN = frozenset({State.SUCCEEDED, State.FAILED})
"""What the agent said last: it does not change any more."""
RETRY = "retry"


def heard(state: State, said: str) -> State | None:
    """The state after an agent said something; none: nothing follows from it.

    What comes late or twice moves nothing back, and a result is taken whenever it comes: it is what
    happened at the cluster.
    """
    if said in KNOWN:
        return None if state in KNOWN else State(said)
    if said == RETRY:
        return State.QUEUED if state in UNDER_WAY else None
    if said == State.ACKNOWLEDGED and state in (State.QUEUED, State.SENT):
        return State.ACKNOWLEDGED
    if said == State.RUNNING and state in (State.QUEUED, State.SENT, State.ACKNOWLEDGED):
        return State.RUNNING
    return None


def may_cancel(state: State, *, is_connected: bool) -> bool:
    """Whether it can be taken back: not from an agent that has it in hand."""
    return state is State.QUEUED or (state is State.SENT and not is_connected)


def wait_ms(attempts: int) -> int:
    """How long a command waits that was tried so often."""
    return int(min(WAIT_MS * 2 ** min(max(0, attempts - 1), 16), WAIT_MAX_MS))


@dataclass(frozen=True, slots=True)
class Pending:
    """A command that is open, as far as its turn goes.

    Attributes:
        id: Which.
        state: Where it is.
        sent_at_ms: When it was sent last.
        not_before_ms: When it may be sent.
    """

    id: str
    state: State
    sent_at_ms: int = 0
    not_before_ms: int = 0


def next_one(pending: Iterable[Pending], now_ms: int, sent: Collection[str]) -> str | None:
    """Which command of a cluster is to be sent now: one at a time, in the order they were made.

    Args:
        pending: The open ones, in that order.
        now_ms: The time.
        sent: Those that were sent over the connection that the agent has now.
    """
    ready = None
    for one in pending:
        if one.state in UNDER_WAY:
            is_silent = now_ms - one.sent_at_ms >= RESEND_MS
            return one.id if is_silent or one.id not in sent else None
        if ready is None and one.not_before_ms <= now_ms:
            ready = one.id
    return ready
