"""When local time changes: summer time begins and ends without anybody telling the core then."""

from __future__ import annotations

import time

DAY_S = 86_400
STEP_S = 4 * DAY_S
"""No zone changes twice within that time."""
HORIZON_S = 10 * 366 * DAY_S
"""A node whose rules nobody changes for longer goes on with the last change known."""


def offset_changes(now_s: int) -> list[tuple[int, int]]:
    """The changes of local time to come: from when (seconds since 1970), and by how many seconds it is
    ahead of UTC then.
    """
    changes: list[tuple[int, int]] = []
    before = _offset_s(now_s)
    for looked_at in range(now_s + STEP_S, now_s + HORIZON_S, STEP_S):
        after = _offset_s(looked_at)
        if after != before:
            changes.append((_first_second(looked_at - STEP_S, looked_at, before), after))
            before = after
    return changes


def _first_second(low: int, high: int, before: int) -> int:
    """The first second in ``(low, high]`` whose offset is not ``before``."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_s(middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_s(at_s: int) -> int:
    return time.localtime(at_s).tm_gmtoff
