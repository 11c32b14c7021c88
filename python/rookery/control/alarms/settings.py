"""What holds for the alarms of a project. Without anybody's doing they are on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.alarms.store import AlarmSettingsRow

SILENCE_MS = 5 * 60_000
STORM_ALARMS = 50
STORM_MS = 60_000
HISTORY_DAYS = 90


class SilenceObject(StrEnum):
    """For what a push silences the next ones."""

    ALARM = "alarm"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSettings:
    """The settings of one project.

    Attributes:
        is_enabled: Whether there are alarms at all.
        only_critical: Whether people are told of critical ones alone.
        tells_recovery: Whether they are told when one that they were told of is over.
        silence_ms: How long they are not told of the same again.
        silence_object: What *the same* is: the alarm, or everything about its cluster.
        storm_alarms: So many alarms
        storm_ms: in such a time are a storm.
        storm_at: Since when there is one.
        history_days: How long alarms are kept that are over.
        is_custom_enabled: Whether programs may raise alarms with the project's token.
        has_custom_token: Whether there is one.
        mail: The project's own mail server; empty: the one of the whole control plane.
        has_mail_password: Whether a password is kept for it.
    """

    is_enabled: bool = True
    only_critical: bool = False
    tells_recovery: bool = True
    silence_ms: int = SILENCE_MS
    silence_object: SilenceObject = SilenceObject.ALARM
    storm_alarms: int = STORM_ALARMS
    storm_ms: int = STORM_MS
    storm_at: int | None = None
    history_days: int = HISTORY_DAYS
    is_custom_enabled: bool = False
    has_custom_token: bool = False
    mail: dict[str, Any] = field(default_factory=dict)
    has_mail_password: bool = False


DEFAULT = AlarmSettings()


def settings_of(row: AlarmSettingsRow | None) -> AlarmSettings:
    """What a row says; the defaults without one."""
    if row is None:
        return DEFAULT
    return AlarmSettings(
        is_enabled=row.is_enabled,
        only_critical=row.only_critical,
        tells_recovery=row.tells_recovery,
        silence_ms=row.silence_ms,
        silence_object=SilenceObject(row.silence_object),
        storm_alarms=row.storm_alarms,
        storm_ms=row.storm_ms,
        storm_at=row.storm_at,
        history_days=row.history_days,
        is_custom_enabled=row.is_custom_enabled,
        has_custom_token=row.custom_hash is not None,
        mail=row.mail,
        has_mail_password=bool(row.mail_password),
    )


async def read(session: AsyncSession, project_id: str) -> AlarmSettings:
    """As they hold."""
    return settings_of(await session.get(AlarmSettingsRow, project_id))


async def row_of(session: AsyncSession, project_id: str) -> AlarmSettingsRow:
    """The row to be changed; made with the defaults where there is none. The caller is alone."""
    row = await session.get(AlarmSettingsRow, project_id)
    if row is None:
        row = AlarmSettingsRow(
            project_id=project_id,
            is_enabled=DEFAULT.is_enabled,
            only_critical=DEFAULT.only_critical,
            tells_recovery=DEFAULT.tells_recovery,
            silence_ms=DEFAULT.silence_ms,
            silence_object=str(DEFAULT.silence_object),
            storm_alarms=DEFAULT.storm_alarms,
            storm_ms=DEFAULT.storm_ms,
            storm_at=None,
            history_days=DEFAULT.history_days,
            is_custom_enabled=DEFAULT.is_custom_enabled,
            custom_hash=None,
            mail={},
            mail_password="",
        )
        session.add(row)
        await session.flush()
    return row
