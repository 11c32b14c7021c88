"""Tells rules about alarms: ``$events/sys/alarm_activated`` and ``…/alarm_deactivated``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from rookery.broker.alarms.models import Alarm
from rookery.errors import UnavailableError

ACTIVATED = "$events/sys/alarm_activated"
DEACTIVATED = "$events/sys/alarm_deactivated"

Tell = Callable[[str, Mapping[str, object]], int]


class AlarmEvents:
    """Watches the alarms. Rules that do not ask for them cost one call per alarm."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def __call__(self, alarm: Alarm) -> None:
        columns: dict[str, object] = {
            "name": alarm.name,
            "message": alarm.message,
            "details": dict(alarm.details),
            "activated_at": alarm.activated_at_ms * 1000,
        }
        if alarm.deactivated_at_ms is not None:
            columns["deactivated_at"] = alarm.deactivated_at_ms * 1000
        # A node that stops ends its alarms when nobody takes them any more.
        with contextlib.suppress(UnavailableError):
            self._tell(ACTIVATED if alarm.is_active else DEACTIVATED, columns)
