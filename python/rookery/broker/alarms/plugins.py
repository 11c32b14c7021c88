"""The alarm of a plugin whose process ended without being told to."""

from __future__ import annotations

from rookery.broker.alarms.service import AlarmRegistry

PLUGIN_CRASHED = "plugin_crashed"


def plugin_crashed(alarms: AlarmRegistry, plugin: str, reason: str, *, restarts: int) -> None:
    """A plugin crashed, hangs or was killed; it is started again with growing pauses.

    Args:
        alarms: Where it is told.
        plugin: ``name-version``.
        reason: What happened, in one line.
        restarts: How often it was started again since it last ran well.
    """
    details = {"plugin": plugin, "restarts": restarts}
    alarms.activate(f"{PLUGIN_CRASHED}/{plugin}", reason, details)


def plugin_recovered(alarms: AlarmRegistry, plugin: str) -> None:
    """It runs well again, or was stopped or removed on purpose."""
    alarms.deactivate(f"{PLUGIN_CRASHED}/{plugin}")
