"""Figures that take more than reading one answer: of single nodes, and rates out of counters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rookery.agent.facts import RATES, count_of, number_of

# Each is asked by itself; a larger cluster has the figures that the list of its nodes has.
NODES_ASKED_MAX = 16
_OF_NODE = (
    "connections",
    "live_connections",
    "cluster_sessions",
    "load1",
    "load5",
    "load15",
    "process_used",
    "max_fds",
)
_SIZES = ("memory_used", "memory_total")
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([KMGTP]?)i?B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}
COUNTERS = {"bytes.received": "received_bytes_rate", "bytes.sent": "sent_bytes_rate"}


def of_node(row: Any) -> dict[str, float]:
    """What a row of ``/nodes`` counts, by the names there; sizes in bytes."""
    given = row if isinstance(row, dict) else {}
    found = {name: number_of(given.get(name)) for name in _OF_NODE}
    found |= {name: bytes_of(given.get(name)) for name in _SIZES}
    return {name: value for name, value in found.items() if value is not None}


def rates_of_node(monitor: Any) -> dict[str, float]:
    """The rates of ``/monitor_current/nodes/{node}``, by the names there."""
    given = monitor if isinstance(monitor, dict) else {}
    found = {name: number_of(given.get(name)) for name in RATES}
    return {name: value for name, value in found.items() if value is not None}


def bytes_of(value: Any) -> float | None:
    """``9.10G`` in bytes; None for anything else."""
    if not isinstance(value, str):
        return number_of(value)
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        return None
    return number_of(float(match[1]) * _UNITS[match[2].upper()])


class Counters:
    """Counters of the cluster as they were, so that they become rates. One thread."""

    def __init__(self) -> None:
        self._before: dict[str, int] = {}
        self._before_s = 0.0

    def rates(self, answer: Any, now_s: float) -> dict[str, float]:
        """A second, since the last time; nothing the first time and after a restart."""
        counts = _counts(answer)
        before, passed_s = self._before, now_s - self._before_s
        self._before, self._before_s = counts, now_s
        if passed_s <= 0:
            return {}
        return {
            COUNTERS[name]: round((count - before[name]) / passed_s, 3)
            for name, count in counts.items()
            if before.get(name, count + 1) <= count
        }


def _counts(answer: Any) -> dict[str, int]:
    """Of one object, or of one for each node."""
    rows = answer if isinstance(answer, list) else [answer]
    found: dict[str, int] = {}
    for row in rows:
        given: Mapping[str, Any] = row if isinstance(row, dict) else {}
        for name in COUNTERS:
            count = count_of(given.get(name))
            if count is not None:
                found[name] = found.get(name, 0) + count
    return found
