"""One thing that is looked at again and again: when it becomes an alarm, and when it ends.

Pure: no clock, no table. So many bad checks in a row raise the alarm, so many good ones end it; a check
that was counted already counts no second time, whoever counts it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    """What a check led to."""

    NOTHING = "nothing"
    FIRED = "fired"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Check:
    """What is remembered between two checks.

    Attributes:
        bad: Bad checks in a row, while there is no alarm.
        good: Good checks in a row, while there is one.
        is_active: Whether there is an alarm.
        at_ms: When what was counted last was seen.
    """

    bad: int = 0
    good: int = 0
    is_active: bool = False
    at_ms: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to remember."""
        return not self.is_active and self.bad == 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many checks in a row it takes; the smallest of either is 1."""

    triggers: int = 3
    recoveries: int = 1


def step(
    check: Check, counts: Counts, *, is_bad: bool, at_ms: int, gap_ms: int = 0
) -> tuple[Check, Outcome]:
    """Count one check.

    Args:
        check: What is remembered.
        counts: How many it takes.
        is_bad: What was found.
        at_ms: When what was found is from: the same report is counted once.
        gap_ms: Least time between two bad checks, for what nobody reports, such as silence.
    """
    if at_ms <= check.at_ms:
        return check, Outcome.NOTHING
    if is_bad:
        return _bad(check, counts, at_ms, gap_ms)
    return _good(check, counts, at_ms)


def _bad(check: Check, counts: Counts, at_ms: int, gap_ms: int) -> tuple[Check, Outcome]:
    if check.is_active:
        # Nothing new while it stays bad, so that nothing has to be written.
        kept = check if check.good == 0 else replace(check, good=0, at_ms=at_ms)
        return kept, Outcome.NOTHING
    if check.bad and at_ms < check.at_ms + gap_ms:
        return check, Outcome.NOTHING
    bad = check.bad + 1
    if bad >= counts.triggers:
        return Check(is_active=True, at_ms=at_ms), Outcome.FIRED
    return Check(bad=bad, at_ms=at_ms), Outcome.NOTHING


def _good(check: Check, counts: Counts, at_ms: int) -> tuple[Check, Outcome]:
    if not check.is_active:
        return Check(at_ms=check.at_ms if check.is_idle else at_ms), Outcome.NOTHING
    good = check.good + 1
    if good >= counts.recoveries:
        return Check(at_ms=at_ms), Outcome.RECOVERED
    return replace(check, good=good, at_ms=at_ms), Outcome.NOTHING
