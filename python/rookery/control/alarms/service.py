"""What people do about alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.accounts.store import User
from rookery.control.alarms import settings, texts
from rookery.control.alarms.catalogue import Severity
from rookery.control.alarms.ledger import EndReason, Ledger
from rookery.control.alarms.listing import AlarmQuery, list_alarms
from rookery.control.alarms.project import LOCK, Project
from rookery.control.alarms.store import AlarmCommentRow, AlarmRow, AlarmSettingsRow
from rookery.control.alarms.telling import Telling
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.errors import MissingError, TakenError, TooManyError
from rookery.control.rest.lists import Window
from rookery.control.tenancy.permissions import Resource
from rookery.control.tenancy.store import Member
from rookery.storage.database import Database
from rookery.storage.ids import new_id

COMMENTS_MAX = 100
MOVED_AT_ONCE_MAX = 1000
DELETED_AT_ONCE_MAX = 50_000
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Summary:
    """The alarms of a project at a glance."""

    current: int
    critical: int
    unacknowledged: int
    storm_at: int | None
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Deletion:
    """Which of the history: these, those that ended before, or the oldest; together."""

    ids: Sequence[str] = ()
    before_ms: int | None = None
    oldest: int | None = None


class AlarmService:
    """Lists, and everything that is done to an alarm by hand."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        ledger: Ledger,
        telling: Telling,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._ledger = ledger
        self._telling = telling

    async def list(
        self, access: Access, query: AlarmQuery, window: Window, sort: str
    ) -> tuple[Sequence[AlarmRow], int]:
        """Current alarms, or history."""
        async with self._database.read() as session:
            return await list_alarms(session, access.project, query, window, sort)

    async def summary(self, access: Access) -> Summary:
        """How many there are."""
        async with self._database.read() as session:
            return await summary_of(session, access.project)

    async def get(
        self, access: Access, alarm_id: str
    ) -> tuple[AlarmRow, Sequence[AlarmCommentRow]]:
        """An alarm with what was said about it.

        Raises:
            MissingError: the project has none of that id.
        """
        async with self._database.read() as session:
            alarm = await _alarm(session, access, alarm_id)
            comments = await session.scalars(
                select(AlarmCommentRow)
                .where(AlarmCommentRow.alarm_id == alarm.id)
                .order_by(AlarmCommentRow.at, AlarmCommentRow.id)
            )
            return alarm, comments.all()

    async def move(self, access: Access, alarm_ids: Sequence[str]) -> int:
        """Make current alarms history by hand; how many.

        What is wrong may go on being so. It becomes an alarm again when it was well in between.
        """
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            project = await Project.load(session, access.project, now_ms)
            rows = await session.scalars(
                select(AlarmRow).where(
                    AlarmRow.project_id == access.project,
                    AlarmRow.id.in_(list(alarm_ids)),
                    AlarmRow.ends_at.is_(None),
                )
            )
            moved = rows.all()
            for alarm in moved:
                by = access.caller.name
                await self._ledger.end(session, project, alarm, EndReason.MOVED, now_ms, by=by)
                self._tell(session, access, "move", alarm)
        self._telling.changed([access.project])
        return len(moved)

    async def delete_history(self, access: Access, deletion: Deletion) -> int:
        """Delete alarms that are over; how many."""
        query = select(AlarmRow.id).where(
            AlarmRow.project_id == access.project, AlarmRow.ends_at.is_not(None)
        )
        if deletion.ids:
            query = query.where(AlarmRow.id.in_(list(deletion.ids)))
        if deletion.before_ms is not None:
            query = query.where(AlarmRow.ends_at < deletion.before_ms)
        most = min(deletion.oldest or DELETED_AT_ONCE_MAX, DELETED_AT_ONCE_MAX)
        query = query.order_by(AlarmRow.ends_at, AlarmRow.id).limit(most)
        async with self._database.write() as session:
            found = (await session.scalars(query)).all()
            for start in range(0, len(found), _CHUNK):
                part = found[start : start + _CHUNK]
                await session.execute(delete(AlarmRow).where(AlarmRow.id.in_(part)))
            self._audit.record(
                session,
                access,
                Resource.ALARMS,
                "deleteHistory",
                object_name=access.project_name,
                before={"alarms": len(found)},
            )
        self._telling.changed([access.project])
        return len(found)

    async def acknowledge(self, access: Access, alarm_id: str, *, is_seen: bool) -> AlarmRow:
        """Say that somebody saw it, or take that back.

        Raises:
            MissingError: the project has none of that id.
        """
        async with self._database.write() as session:
            alarm = await _alarm(session, access, alarm_id)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            alarm.acknowledged_at = now_ms if is_seen else None
            alarm.acknowledged_by = access.caller.name if is_seen else ""
            self._tell(session, access, "acknowledge" if is_seen else "unacknowledge", alarm)
        self._telling.changed([access.project])
        return alarm

    async def assign(self, access: Access, alarm_id: str, user_id: str | None) -> AlarmRow:
        """Give it to somebody of the project, or to nobody.

        Raises:
            MissingError: no such alarm, or nobody of that id belongs to the project.
        """
        async with self._database.write() as session:
            alarm = await _alarm(session, access, alarm_id)
            before = alarm.assignee_name
            name = ""
            if user_id is not None:
                found = {user.id: user for user in await _people(session, access)}
                if user_id not in found:
                    raise MissingError(texts.NO_MEMBER)
                name = found[user_id].name or found[user_id].email
            alarm.assignee_id, alarm.assignee_name = user_id, name
            self._tell(
                session,
                access,
                "assign",
                alarm,
                before={"assignee": before},
                after={"assignee": name},
            )
        self._telling.changed([access.project])
        return alarm

    async def people(self, access: Access) -> Sequence[User]:
        """To whom alarms of the project can be given."""
        async with self._database.read() as session:
            return await _people(session, access)

    async def comment(self, access: Access, alarm_id: str, text: str) -> AlarmCommentRow:
        """Say something about it.

        Raises:
            MissingError: the project has none of that id.
            TooManyError: enough was said.
        """
        async with self._database.write() as session:
            alarm = await _alarm(session, access, alarm_id)
            query = select(func.count()).select_from(AlarmCommentRow)
            said = await session.scalar(query.where(AlarmCommentRow.alarm_id == alarm.id)) or 0
            if said >= COMMENTS_MAX:
                raise TooManyError(texts.COMMENTS_MAX, most=COMMENTS_MAX)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            row = AlarmCommentRow(
                id=new_id(), alarm_id=alarm.id, at=now_ms, author=access.caller.name, text=text
            )
            session.add(row)
            self._tell(session, access, "comment", alarm, after={"text": text})
        return row

    async def clear_storm(self, access: Access) -> None:
        """Take alarms again, and push them.

        Raises:
            TakenError: there is no storm.
        """
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            row = await session.get(AlarmSettingsRow, access.project)
            if row is None or row.storm_at is None:
                raise TakenError(texts.NO_STORM, code="CONFLICT")
            row.storm_at = None
            self._audit.record(
                session, access, Resource.ALARMS, "clearStorm", object_name=access.project_name
            )
        self._telling.changed([access.project])

    def _tell(
        self,
        session: AsyncSession,
        access: Access,
        operation: str,
        alarm: AlarmRow,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        self._audit.record(
            session,
            access,
            Resource.ALARMS,
            operation,
            object_id=alarm.id,
            object_name=f"{alarm.kind} {alarm.resource_name}".strip(),
            before=before,
            after=after,
        )


async def summary_of(session: AsyncSession, project_id: str) -> Summary:
    """The alarms of a project at a glance."""
    held = await settings.read(session, project_id)
    rows = await session.execute(
        select(AlarmRow.severity, AlarmRow.acknowledged_at.is_not(None), func.count())
        .where(AlarmRow.project_id == project_id, AlarmRow.ends_at.is_(None))
        .group_by(AlarmRow.severity, AlarmRow.acknowledged_at.is_not(None))
    )
    counts = [(severity, bool(is_seen), number) for severity, is_seen, number in rows]
    return Summary(
        current=sum(number for _, _, number in counts),
        critical=sum(number for severity, _, number in counts if severity == Severity.CRITICAL),
        unacknowledged=sum(number for _, is_seen, number in counts if not is_seen),
        storm_at=held.storm_at,
        is_enabled=held.is_enabled,
    )


async def _alarm(session: AsyncSession, access: Access, alarm_id: str) -> AlarmRow:
    alarm = await session.get(AlarmRow, alarm_id)
    if alarm is None or alarm.project_id != access.project:
        raise MissingError(texts.NO_ALARM)
    return alarm


async def _people(session: AsyncSession, access: Access) -> Sequence[User]:
    """Members of the project, administrators of its organization, and whoever asks."""
    members = select(Member.user_id).where(
        (Member.project_id == access.project)
        | ((Member.org_id == access.org) & Member.project_id.is_(None) & (Member.role == "admin"))
    )
    rows = await session.scalars(
        select(User)
        .where(User.is_enabled.is_(True), User.id.in_(members) | (User.id == access.caller.id))
        .order_by(User.email)
        .limit(1000)
    )
    return rows.all()
