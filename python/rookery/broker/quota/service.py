"""Raises an alarm when connected clients come near their bound.

The core refuses whoever comes on top, and tells when their number passes a watermark: the alarm
begins at the high one and ends below the low one, so that a number that swings between does not ring
all the time.
"""

from __future__ import annotations

from rookery.broker.alarms import AlarmRegistry, message
from rookery.native.rows import EventRow

ALARM = "connection_quota"


class QuotaWatch:
    """Turns what the core tells about the number of clients into the alarm :data:`ALARM`."""

    def __init__(self, alarms: AlarmRegistry) -> None:
        self._alarms = alarms
        self._turn = 0

    def watch(self, rows: list[EventRow]) -> None:
        """See a batch of events. Those of several workers may come out of order."""
        for row in rows:
            if row[0] != "crowded":
                continue
            turn, has_begun, connected, most = row[1:]
            if turn <= self._turn:
                continue
            self._turn = turn
            if has_begun:
                said = message("connection_quota", connected=connected, most=most)
                self._alarms.activate(ALARM, said, {"connections": connected, "max": most})
            else:
                self._alarms.deactivate(ALARM)
