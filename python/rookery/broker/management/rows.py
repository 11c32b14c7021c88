"""EMQX's names for what is asked over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from rookery.broker.alarms import Alarm
from rookery.clock import LATEST_MS
from rookery.words import Words

_QUARTER_S = 900
_EARLIEST_MS = -62_135_596_800_000
_DAY_S = 86_400


def rfc3339(ms: int) -> str:
    """A time with the offset that held here. What no calendar has is shown as its first or last
    moment: one such row may not keep the others from being seen.
    """
    second, rest = divmod(min(max(ms, _EARLIEST_MS), LATEST_MS), 1000)
    before, behind = _second(second)
    return f"{before}{rest:03}{behind}"


@lru_cache(maxsize=4096)
def _second(second: int) -> tuple[str, str]:
    """A second as it is written, up to its parts and behind them: times in a list are close together."""
    when = datetime.fromtimestamp(second, _zone(second // _QUARTER_S))
    before, point, behind = when.isoformat(timespec="milliseconds").partition(".")
    return before + point, behind[3:]


@lru_cache(maxsize=4096)
def _zone(quarter: int) -> tzinfo | None:
    """The offset of a quarter of an hour; it changes at the beginning of one. Asking the system for
    each time in a list costs more than the rest of its row.
    """
    second = quarter * _QUARTER_S
    if not _EARLIEST_MS // 1000 + _DAY_S < second < LATEST_MS // 1000 - _DAY_S:
        return UTC  # A calendar ends there: another offset may lie behind it.
    return datetime.fromtimestamp(second, UTC).astimezone().tzinfo


def alarm_row(alarm: Alarm, node_name: str, now_ms: int, language: str = "en") -> dict[str, Any]:
    ended_ms = alarm.deactivated_at_ms
    return {
        "node": node_name,
        "name": alarm.name,
        "message": alarm.text(language),
        "message_key": alarm.key,
        "message_params": {
            name: value.text(language) if isinstance(value, Words) else value
            for name, value in alarm.params.items()
        },
        "details": dict(alarm.details),
        "activate_at": rfc3339(alarm.activated_at_ms),
        "deactivate_at": "infinity" if ended_ms is None else rfc3339(ended_ms),
        "duration": (now_ms if ended_ms is None else ended_ms) - alarm.activated_at_ms,
    }
