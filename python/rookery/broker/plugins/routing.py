"""Which plugins the core asks and tells, as the native side has to know it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from rookery.broker.alarms.models import Alarm
from rookery.broker.plugins.models import Installed
from rookery.native.plugins import Failure, PluginBridge, PluginRoute

SLACK_MS = 500
"""The core waits a little longer than all plugins together may take: they answer first."""


class HookOwner(Protocol):
    """Whoever opens the way to plugins, and tells the core what is wanted."""

    def open_plugins(self) -> PluginBridge: ...


class Routing:
    """Owns the way to worker processes; opened when the first plugin starts."""

    def __init__(self, node: HookOwner, apply_hooks: Callable[[frozenset[str], int], None]) -> None:
        """``apply_hooks`` takes the hookpoints that are wanted and how long an answer may take."""
        self._node = node
        self._apply_hooks = apply_hooks
        self._bridge: PluginBridge | None = None
        self._plugins: list[Installed] = []
        self._quiet: int | None = None
        self._hooks: dict[int, tuple[str, ...]] = {}
        self._alarms: dict[str, Alarm] = {}
        # Called from threads: of two interleaved changes the older one could be applied last.
        self._applying = threading.Lock()

    @property
    def bridge(self) -> PluginBridge:
        if self._bridge is None:
            self._bridge = self._node.open_plugins()
        return self._bridge

    def set_plugins(self, plugins: Sequence[Installed], quiet: int | None = None) -> None:
        """Make them those that are asked, in this order; ``quiet`` is asked nothing any more."""
        if self._bridge is None and not plugins:
            return
        self._plugins, self._quiet = list(plugins), quiet
        numbers = {plugin.number for plugin in plugins}
        self._hooks = {number: hooks for number, hooks in self._hooks.items() if number in numbers}
        self._apply()

    def know(self, number: int, hooks: tuple[str, ...]) -> None:
        """The hookpoints that a plugin had when it ran last; asked when it is in the list."""
        self._hooks[number] = hooks

    def set_hooks(self, number: int, hooks: tuple[str, ...]) -> None:
        """The hookpoints of a plugin, by the word of its process."""
        self._hooks[number] = hooks
        self._apply()

    def hold(self, number: int) -> None:
        """Keep what a plugin would be asked until its processes are there."""
        self.bridge.hold(number)

    def workers(self, number: int) -> list[dict[str, Any]]:
        if self._bridge is None:
            return []
        rows = (row for row in self._bridge.workers() if row.plugin == number)
        return [
            {key: value for key, value in row._asdict().items() if key != "plugin"} for row in rows
        ]

    def tell_alarms(self, active: Mapping[str, Alarm], history: Iterable[Alarm]) -> None:
        """Tell what began and what is over since this was called last."""
        before, self._alarms = self._alarms, dict(active)
        if self._bridge is None:
            return
        ended = {alarm.name: alarm for alarm in reversed(list(history))}
        for name in active.keys() - before.keys():
            self._tell("alarm.activated", active[name])
        for name in before.keys() - active.keys():
            if name in ended:
                self._tell("alarm.deactivated", ended[name])

    def close(self) -> None:
        if self._bridge is not None:
            self._apply_hooks(frozenset(), 0)
            self._bridge.close()

    def _tell(self, hookpoint: str, alarm: Alarm) -> None:
        text = json.dumps(alarm.to_notice(), ensure_ascii=False, default=str)
        self.bridge.tell(hookpoint, text)

    def _apply(self) -> None:
        with self._applying:
            routes = [self._route(plugin) for plugin in self._plugins]
            wanted = frozenset(hook for route in routes for hook in route.hooks)
            deadline_ms = sum(route.deadline_ms for route in routes) + SLACK_MS
            # Nothing is asked that nobody carries: first the way, then the question.
            self.bridge.set_plugins(routes)
            self._apply_hooks(wanted, deadline_ms)

    def _route(self, plugin: Installed) -> PluginRoute:
        run = plugin.run
        hooks = () if plugin.number == self._quiet else self._hooks.get(plugin.number, ())
        return PluginRoute(
            id=plugin.number,
            name=plugin.id,
            hooks=hooks,
            topics=run.topics,
            workers=run.workers,
            deadline_ms=round(run.deadline_s * 1000),
            authenticate_failure=_word(run.failure.get("client.authenticate", "deny")),
            authorize_failure=_word(run.failure.get("client.authorize", "deny")),
            publish_failure=_word(run.failure.get("message.publish", "ignore")),
            subscribe_failure=_word(run.failure.get("client.subscribe", "ignore")),
            unsubscribe_failure=_word(run.failure.get("client.unsubscribe", "ignore")),
        )


def _word(text: str) -> Failure:
    return "ignore" if text == "ignore" else "allow" if text == "allow" else "deny"
