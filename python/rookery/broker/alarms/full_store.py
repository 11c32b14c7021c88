"""The alarm of a store that refuses writes: its quota is used up, its disk is full or failing."""

from __future__ import annotations

from rookery.broker.alarms.messages import message
from rookery.broker.alarms.service import AlarmRegistry
from rookery.native.rows import EventRow

STORE_FULL = "store_full"


class StoreWatch:
    """Turns what the core tells about its store into the alarm :data:`STORE_FULL`."""

    def __init__(self, alarms: AlarmRegistry) -> None:
        self._alarms = alarms

    def watch(self, rows: list[EventRow]) -> None:
        """See a batch of events."""
        for row in rows:
            if row[0] != "store":
                continue
            accepts, detail = row[1], row[2]
            if accepts:
                self._alarms.deactivate(STORE_FULL)
            else:
                said = message("store_full", reason=detail)
                self._alarms.activate(STORE_FULL, said, {"reason": detail})
