"""The part of the node that keeps ``$SYS`` intervals, alarms and logs as configured."""

from __future__ import annotations

from collections.abc import Callable

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.sys_topics import SysTopics
from rookery.config import Config, ManagementConfig


class ManagementPart:
    """Applies what stays in Python and can change while the node runs."""

    def __init__(
        self,
        sys_topics: SysTopics,
        alarms: AlarmRegistry,
        use_logs: Callable[[ManagementConfig], None],
    ) -> None:
        """``use_logs`` puts log handlers in place of those before."""
        self._sys_topics = sys_topics
        self._alarms = alarms
        self._use_logs = use_logs

    async def apply(self, old: Config, new: Config) -> None:
        before, after = old.management, new.management
        if (before.log_console, before.log_file) != (after.log_console, after.log_file):
            self._use_logs(after)
        if before.alarm != after.alarm:
            self._alarms.configure(
                actions=after.alarm.actions,
                size_limit=after.alarm.size_limit,
                validity_period_s=after.alarm.validity_period_s,
            )
        if before.sys_topics != after.sys_topics:
            await self._sys_topics.close()
            self._sys_topics.open(
                msg_interval_s=after.sys_topics.msg_interval_s,
                heartbeat_interval_s=after.sys_topics.heartbeat_interval_s,
            )
