"""Says that alarms of a project changed: to open pages of every process, and to who sends messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from rookery.control.clusters.changes import Changes
from rookery.control.processes.signals import Signals

ITEM = "alarms"
TOPIC = "alarms"
"""What processes tell each other of: a project."""


class Telling:
    """Who wants to know. What is true is in the database."""

    def __init__(self, signals: Signals) -> None:
        self.changes = Changes(partial(signals.tell, TOPIC))
        signals.on(TOPIC, self.changes.heard)
        signals.on_gap(self.changes.let_go)
        self._wakes: list[Callable[[], None]] = []

    def wakes(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` after anything changed."""
        self._wakes.append(wake)

    def changed(self, project_ids: Iterable[str]) -> None:
        """After the unit of work is kept."""
        is_any = False
        for project_id in project_ids:
            is_any = True
            self.changes.tell(project_id, ITEM)
        if is_any:
            for wake in self._wakes:
                wake()

    def close(self) -> None:
        """The process ends."""
        self.changes.close()
