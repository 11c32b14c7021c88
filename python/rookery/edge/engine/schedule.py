"""When groups are read: at their intervals, without drift."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(slots=True)
class _Turn:
    interval_s: float
    due_s: float
    phase_s: float
    is_first: bool = True


class Schedule:
    """The next moment of each group. A cycle that comes too late is made up for by none: it is counted.

    The first cycle is at once. Later ones stand on a grid whose origin depends on the name, so that drivers
    that were started together are not read together.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._turns: dict[str, _Turn] = {}

    def keep(self, name: str, interval_ms: int, now_s: float) -> None:
        """A group that is read; one whose interval stays keeps its next moment."""
        interval_s = interval_ms / 1000
        turn = self._turns.get(name)
        if turn is not None and turn.interval_s == interval_s:
            return
        spread = zlib.crc32(f"{self._owner}/{name}".encode()) / 0x1_0000_0000
        self._turns[name] = _Turn(interval_s, now_s, spread * interval_s)

    def drop_others(self, names: Collection[str]) -> None:
        """Only these are read any more."""
        self._turns = {name: turn for name, turn in self._turns.items() if name in names}

    def next(self) -> tuple[str, float] | None:
        """Which group is next, and when."""
        if not self._turns:
            return None
        name = min(self._turns, key=lambda one: self._turns[one].due_s)
        return name, self._turns[name].due_s

    def begun(self, name: str, now_s: float) -> int:
        """Its cycle begins; how many were missed before it."""
        turn = self._turns[name]
        interval_s = turn.interval_s
        if turn.is_first:
            turn.is_first = False
            steps = math.floor((now_s - turn.phase_s) / interval_s) + 1
            turn.due_s = turn.phase_s + steps * interval_s
            return 0
        missed = max(0, math.floor((now_s - turn.due_s) / interval_s))
        turn.due_s += (missed + 1) * interval_s
        return missed
