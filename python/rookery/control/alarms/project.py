"""What one unit of work has to know of a project to raise and end alarms in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.alarms import settings, store
from rookery.control.alarms.settings import AlarmSettings
from rookery.control.alarms.windows import Window

LOCK = "alarms"
"""Units of work that raise or end alarms are one after the other."""


@dataclass(slots=True)
class Project:
    """One project, as this unit of work leaves it.

    Attributes:
        id: Which.
        settings: What holds there.
        windows: Its maintenance windows.
        recent: How many alarms it had in the time in which they make a storm.
        is_storm: Whether there is one.
    """

    id: str
    settings: AlarmSettings
    windows: Sequence[Window]
    recent: int
    is_storm: bool

    @classmethod
    async def load(cls, session: AsyncSession, project_id: str, now_ms: int) -> Project:
        """As it is."""
        held = await settings.read(session, project_id)
        return cls(
            id=project_id,
            settings=held,
            windows=await store.windows_of(session, project_id),
            recent=await store.count_since(session, project_id, now_ms - held.storm_ms),
            is_storm=held.storm_at is not None,
        )
