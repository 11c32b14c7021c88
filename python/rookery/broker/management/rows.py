"""EMQX's names for what is asked over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rookery.broker.alarms import Alarm


def rfc3339(ms: int) -> str:
    when = datetime.fromtimestamp(ms / 1000, UTC).astimezone()
    return when.isoformat(timespec="milliseconds")


def alarm_row(alarm: Alarm, node_name: str, now_ms: int) -> dict[str, Any]:
    ended_ms = alarm.deactivated_at_ms
    return {
        "node": node_name,
        "name": alarm.name,
        "message": alarm.message,
        "details": dict(alarm.details),
        "activate_at": rfc3339(alarm.activated_at_ms),
        "deactivate_at": "infinity" if ended_ms is None else rfc3339(ended_ms),
        "duration": (now_ms if ended_ms is None else ended_ms) - alarm.activated_at_ms,
    }
