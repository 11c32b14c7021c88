"""The part of the node that keeps ``$SYS`` intervals and alarms as configured."""

from __future__ import annotations

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.sys_topics import SysTopics
from rookery.config import Config


class ManagementPart:
    """Applies what stays in Python and can change while the node runs."""

    def __init__(self, sys_topics: SysTopics, alarms: AlarmRegistry) -> None:
        self._sys_topics = sys_topics
        self._alarms = alarms

    async def apply(self, old: Config, new: Config) -> None:
        before, after = old.management, new.management
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
