"""Which alarms there are.

A node that starts again is given the alarms of its last run with :meth:`AlarmRegistry.restore`. It
finds its conditions anew: those that are activated again go on since when they began, and
:meth:`AlarmRegistry.settle` ends the others.

**Bounds.** At most ``size_limit`` alarms that are over are kept, each for ``validity_period_s``. At
most :data:`ACTIVE_MAX` are active; what comes on top is logged and counted.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from rookery.broker.alarms.messages import Message
from rookery.broker.alarms.models import Alarm
from rookery.clock import Clock

_log = logging.getLogger("rookery.alarm")

ACTIVE_MAX = 10_000


class AlarmRegistry:
    """Activates and deactivates alarms and says so where ``alarm.actions`` wants it."""

    def __init__(
        self,
        clock: Clock,
        *,
        actions: Collection[str],
        size_limit: int,
        validity_period_s: int,
        publish: Callable[[str, bytes], None],
    ) -> None:
        """``publish`` takes the last levels of a ``$SYS`` topic and a payload."""
        self._clock = clock
        self._tell_all = publish
        self._active: dict[str, Alarm] = {}
        self._history: deque[Alarm] = deque()
        self._left_out = 0
        self._unconfirmed: set[str] = set()
        self._watchers: list[Callable[[], None]] = []
        self._listeners: list[Callable[[Alarm], None]] = []
        self.configure(actions=actions, size_limit=size_limit, validity_period_s=validity_period_s)

    def configure(
        self, *, actions: Collection[str], size_limit: int, validity_period_s: int
    ) -> None:
        """What happens when an alarm changes, and how many that are over are kept how long."""
        self._logs = "log" in actions
        self._publish = self._tell_all if "publish" in actions else None
        self._validity_ms = validity_period_s * 1000
        self._history = deque(self._history, maxlen=size_limit)

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call ``watcher`` after each change."""
        self._watchers.append(watcher)

    def on_alarm(self, listener: Callable[[Alarm], None]) -> None:
        """Tell ``listener`` of each alarm that is activated or deactivated."""
        self._listeners.append(listener)

    def restore(self, active: Iterable[Alarm], history: Iterable[Alarm]) -> None:
        """Take over what an earlier run left, oldest first, without telling anybody."""
        for alarm in active:
            if len(self._active) < ACTIVE_MAX:
                self._active[alarm.name] = alarm
                self._unconfirmed.add(alarm.name)
        self._history.extend(history)

    def settle(self) -> None:
        """End the restored alarms whose conditions were not found again."""
        for name in sorted(self._unconfirmed):
            self.deactivate(name)

    def confirm(self, name: str) -> None:
        """Keep a restored alarm although nobody activated it again: it is being looked at."""
        self._unconfirmed.discard(name)

    def activate(self, name: str, said: Message, details: Mapping[str, Any] | None = None) -> bool:
        """Say that a condition holds; false when that is known already.

        What it says is made by :func:`rookery.broker.alarms.message`.
        """
        if name in self._active:
            self._unconfirmed.discard(name)
            return False
        if len(self._active) >= ACTIVE_MAX:
            self._left_out += 1
            _log.error("alarm %s was left out, %d are active: %s", name, ACTIVE_MAX, said.text)
            return False
        now_ms, more = self._clock.now_ms(), dict(details or {})
        alarm = Alarm(name, said.text, now_ms, more, key=said.key, params=said.params)
        self._active[name] = alarm
        self._tell("activate", alarm)
        return True

    def restate(self, name: str, said: Message, details: Mapping[str, Any] | None = None) -> None:
        """Say why an alarm that is active lasts, when that is another reason than before.

        It is the same alarm: nobody is told again, and it began when it did.
        """
        alarm = self._active.get(name)
        if alarm is not None and alarm.message != said.text:
            more = dict(details or {})
            self._active[name] = replace(
                alarm, message=said.text, details=more, key=said.key, params=said.params
            )
            self._changed()

    def deactivate(self, name: str) -> bool:
        """Say that a condition is over; false when it was not known."""
        alarm = self._active.pop(name, None)
        self._unconfirmed.discard(name)
        if alarm is None:
            return False
        alarm = replace(alarm, deactivated_at_ms=self._clock.now_ms())
        self._history.append(alarm)
        self._tell("deactivate", alarm)
        return True

    def active(self) -> list[Alarm]:
        """What holds, the latest first."""
        return list(reversed(self._active.values()))

    def history(self) -> list[Alarm]:
        """What is over and not forgotten yet, the latest first."""
        oldest_ms = self._clock.now_ms() - self._validity_ms
        while self._history and (self._history[0].deactivated_at_ms or 0) < oldest_ms:
            self._history.popleft()
        return list(reversed(self._history))

    def clear_history(self) -> None:
        self._history.clear()
        self._changed()

    def stats(self) -> dict[str, int]:
        return {"alarms.active.count": len(self._active)}

    def metrics(self) -> dict[str, int]:
        return {"alarms.left_out": self._left_out}

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()

    def _tell(self, action: str, alarm: Alarm) -> None:
        self._changed()
        if self._logs:
            level = logging.WARNING if alarm.is_active else logging.INFO
            _log.log(level, "%sd %s: %s", action, alarm.name, alarm.message)
        for listener in self._listeners:
            listener(alarm)
        if self._publish is not None:
            payload = json.dumps(alarm.to_notice(), ensure_ascii=False, default=str)
            self._publish(f"alarms/{action}", payload.encode())
