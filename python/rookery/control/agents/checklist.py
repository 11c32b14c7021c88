"""What has happened so far on the way to a running cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rookery.control.agents.registration import RegistrationToken, TokenState, state_of
from rookery.control.agents.setup_texts import CHECKLIST, say


@dataclass(frozen=True, slots=True)
class Milestone:
    """Something that has happened, or not yet; ``at_ms`` is when."""

    id: str
    text: str
    is_done: bool
    at_ms: int | None


def checklist(
    token: RegistrationToken | None,
    registered_at_ms: int | None,
    connected_at_ms: int | None,
    reported_at_ms: int | None,
    now_ms: int,
    language: str,
) -> Sequence[Milestone]:
    """The milestones in order.

    Args:
        token: The newest registration token of the entry.
        registered_at_ms: When the agent registered that the entry has.
        connected_at_ms: When it connected to the relay.
        reported_at_ms: When its first report came.
        now_ms: The time.
        language: Of the texts.
    """
    usable = (TokenState.OPEN, TokenState.USED)
    is_issued = token is not None and state_of(token, now_ms) in usable
    at: dict[str, int | None] = {
        "token": token.created_at_ms if token is not None and is_issued else None,
        "downloaded": token.downloaded_at_ms if token is not None and is_issued else None,
        "registered": registered_at_ms,
        "connected": connected_at_ms,
        "reported": reported_at_ms,
    }
    if token is not None and token.replaces and state_of(token, now_ms) is TokenState.OPEN:
        # Another agent is awaited: what the one before did says nothing of it.
        at |= {"registered": None, "connected": None, "reported": None}
    return [
        Milestone(name, say(text, language), at[name] is not None, at[name])
        for name, text in CHECKLIST.items()
    ]
