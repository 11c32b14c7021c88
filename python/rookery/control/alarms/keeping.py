"""What is done about alarms by time alone: late pushes, and forgetting. One process at a time does it."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.alarms.project import LOCK, Project
from rookery.control.alarms.push.outbox import Outbox
from rookery.control.alarms.push.service import drop_deliveries
from rookery.control.alarms.settings import HISTORY_DAYS
from rookery.control.alarms.store import AlarmRow, AlarmSettingsRow, AlarmSilenceRow
from rookery.control.alarms.telling import Telling
from rookery.control.alarms.windows import DAY_MS
from rookery.storage.database import Database

HISTORY_MAX = 100_000
"""Alarms that are kept of one project at most."""
LOG_DAYS = 30
AT_ONCE = 500
PARTS_MAX = 20


class Keeping:
    """What time brings."""

    def __init__(self, database: Database, clock: Clock, outbox: Outbox, telling: Telling) -> None:
        self._database = database
        self._clock = clock
        self._outbox = outbox
        self._telling = telling

    async def push_late(self) -> None:
        """Alarms whose silence or maintenance window is over and that go on."""
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            if not await _due(session, now_ms, 1):
                return
        projects: dict[str, Project] = {}
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            for alarm in await _due(session, now_ms, AT_ONCE):
                if alarm.project_id not in projects:
                    loaded = await Project.load(session, alarm.project_id, now_ms)
                    projects[alarm.project_id] = loaded
                project = projects[alarm.project_id]
                if project.is_storm:
                    alarm.push_due_at = now_ms + project.settings.storm_ms
                else:
                    await self._outbox.fired(session, project, alarm, now_ms)
        self._telling.changed(projects)

    async def forget(self) -> None:
        """History that is old, more of it than is kept, old messages, silences that ended."""
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            await session.execute(delete(AlarmSilenceRow).where(AlarmSilenceRow.until < now_ms))
            await drop_deliveries(session, now_ms - LOG_DAYS * DAY_MS)
        for _ in range(PARTS_MAX):
            async with self._database.write() as session:
                ids = [*await _old(session, now_ms), *await _surplus(session)]
                if not ids:
                    return
                await session.execute(delete(AlarmRow).where(AlarmRow.id.in_(ids)))


async def _due(session: AsyncSession, now_ms: int, most: int) -> list[AlarmRow]:
    rows = await session.scalars(
        select(AlarmRow)
        .where(AlarmRow.push_due_at <= now_ms, AlarmRow.ends_at.is_(None))
        .order_by(AlarmRow.push_due_at)
        .limit(most)
    )
    return list(rows)


async def _old(session: AsyncSession, now_ms: int) -> list[str]:
    days = func.coalesce(AlarmSettingsRow.history_days, HISTORY_DAYS)
    rows = await session.scalars(
        select(AlarmRow.id)
        .outerjoin(AlarmSettingsRow, AlarmSettingsRow.project_id == AlarmRow.project_id)
        .where(AlarmRow.ends_at.is_not(None), AlarmRow.ends_at < now_ms - days * DAY_MS)
        .limit(AT_ONCE)
    )
    return list(rows)


async def _surplus(session: AsyncSession) -> list[str]:
    over = await session.execute(
        select(AlarmRow.project_id, func.count())
        .where(AlarmRow.ends_at.is_not(None))
        .group_by(AlarmRow.project_id)
        .having(func.count() > HISTORY_MAX)
        .limit(1)
    )
    first = over.first()
    if first is None:
        return []
    rows = await session.scalars(
        select(AlarmRow.id)
        .where(AlarmRow.project_id == first[0], AlarmRow.ends_at.is_not(None))
        .order_by(AlarmRow.ends_at)
        .limit(min(AT_ONCE, first[1] - HISTORY_MAX))
    )
    return list(rows)
