"""Maintenance windows: when nobody is to be told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 86_400_000


class Repeat(StrEnum):
    """How often a window comes back."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"

    @property
    def period_ms(self) -> int | None:
        return {Repeat.NEVER: None, Repeat.DAILY: DAY_MS, Repeat.WEEKLY: 7 * DAY_MS}[self]


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which somebody works on clusters.

    Attributes:
        starts_ms: When it begins the first time.
        ends_ms: When it ends the first time.
        repeat: How often it comes back.
        clusters: On which; none: on all of the project.
    """

    starts_ms: int
    ends_ms: int
    repeat: Repeat = Repeat.NEVER
    clusters: Sequence[str] = ()

    def end_at(self, now_ms: int) -> int | None:
        """When the window that holds at a time ends; none where none holds."""
        starts_ms = self.starts_ms
        period_ms = self.repeat.period_ms
        if period_ms is not None and now_ms > starts_ms:
            starts_ms += (now_ms - starts_ms) // period_ms * period_ms
        ends_ms = starts_ms + (self.ends_ms - self.starts_ms)
        return ends_ms if starts_ms <= now_ms < ends_ms else None

    def covers(self, cluster_id: str | None) -> bool:
        """Whether it is about that cluster; what is no cluster's is covered by one for all."""
        return not self.clusters or cluster_id in self.clusters


def held_until(windows: Iterable[Window], cluster_id: str | None, now_ms: int) -> int | None:
    """Until when nobody is told about a cluster; none: they are told now."""
    ends = (each.end_at(now_ms) for each in windows if each.covers(cluster_id))
    return max((end for end in ends if end is not None), default=None)
