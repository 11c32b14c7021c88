"""A sample, and how samples get fewer as they get older."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

INTERVAL_S = 10
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS

STEPS_MS = (
    (_HOUR_MS, INTERVAL_S * 1000),
    (_DAY_MS, 60_000),
    (3 * _DAY_MS, 300_000),
    (7 * _DAY_MS, 600_000),
)
"""Up to which age samples are how far apart; older ones are forgotten. EMQX's steps."""

SAMPLES_MAX = 4096
"""More than :data:`STEPS_MS` leave (2916), so that a clock that jumps fills no memory."""


class Sample(NamedTuple):
    """What there was at a time, and what was counted since the sample before."""

    time_ms: int
    connections: int
    live_connections: int
    subscriptions: int
    topics: int
    disconnected_sessions: int
    received: int
    sent: int
    dropped: int
    persisted: int

    def to_row(self) -> dict[str, int]:
        """By EMQX's names."""
        row = self._asdict()
        row["time_stamp"] = row.pop("time_ms")
        row["disconnected_durable_sessions"] = row.pop("disconnected_sessions")
        return row


COUNTED: Mapping[str, str] = {
    "received": "messages.received",
    "sent": "messages.sent",
    "dropped": "messages.dropped",
    "persisted": "messages.persisted",
}
"""Counters of which a sample says the rise."""

FIRST_COUNTED = Sample._fields.index("received")


def gauges(stats: Mapping[str, int]) -> dict[str, int]:
    """What a sample says of the moment."""
    sessions, live = stats.get("sessions.count", 0), stats.get("live_connections.count", 0)
    return {
        "connections": sessions,
        "live_connections": live,
        "subscriptions": stats.get("subscriptions.count", 0),
        "topics": stats.get("topics.count", 0),
        # A session without a connection is one that survives it.
        "disconnected_sessions": max(0, sessions - live),
    }


def thinned(samples: Iterable[Sample], now_ms: int) -> list[Sample]:
    """What is kept at ``now_ms``, in the order of time.

    Of samples that become one, counters are added up and the last gauges stay.
    """
    kept: dict[tuple[int, int], Sample] = {}
    for sample in sorted(samples):
        age_ms = now_ms - sample.time_ms
        step_ms = next((step for oldest, step in STEPS_MS if age_ms <= oldest), 0)
        if not step_ms:
            continue
        key = (step_ms, sample.time_ms // step_ms)
        before = kept.get(key)
        kept[key] = sample if before is None else _joined(before, sample)
    return sorted(kept.values())[-SAMPLES_MAX:]


def _joined(one: Sample, later: Sample) -> Sample:
    sums = map(sum, zip(one[FIRST_COUNTED:], later[FIRST_COUNTED:], strict=True))
    return Sample(*later[:FIRST_COUNTED], *sums)
