"""Alarms that other programs raise, with a token of the project that does nothing else."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.accounts.secrets import digest
from rookery.control.alarms import store, texts
from rookery.control.alarms.catalogue import CUSTOM, Severity
from rookery.control.alarms.ledger import EndReason, Ledger, Subject
from rookery.control.alarms.project import LOCK, Project
from rookery.control.alarms.store import AlarmRow, AlarmSettingsRow
from rookery.control.alarms.telling import Telling
from rookery.control.errors import (
    DeniedError,
    InvalidError,
    MissingError,
    OutOfReachError,
    TooManyError,
    UnknownCallerError,
)
from rookery.control.tenancy import store as tenancy
from rookery.storage.database import Database
from rookery.storage.ids import new_id

AGE_MINUTES_MAX = 10
CURRENT_MAX = 5000
PER_MINUTE_MAX = 600
PROJECTS_REMEMBERED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomAlarm:
    """What a program says.

    Attributes:
        message: What is wrong.
        at_s: When, seconds since 1970.
        severity: How bad it is.
        source: What it is about, as that program calls it.
        tag: Who is told: push configurations with that label, and those for everything.
        uuid: The same alarm has the same; empty: each is its own.
        is_resolved: It is over.
    """

    message: str
    at_s: int
    severity: Severity
    source: str = ""
    tag: str = ""
    uuid: str = ""
    is_resolved: bool = False


class Ingest:
    """Takes them."""

    def __init__(self, database: Database, clock: Clock, ledger: Ledger, telling: Telling) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._telling = telling
        self._recent: dict[str, deque[float]] = {}

    async def take(self, org_id: str, project_id: str, token: str, given: CustomAlarm) -> str:
        """Raise it, count it once more, or end it; its id.

        Raises:
            UnknownCallerError: the token is not this project's.
            DeniedError: the project takes none.
            InvalidError: it is too old.
            MissingError: what is over is not there.
            TooManyError: too many, or too fast.
            OutOfReachError: there is a storm.
        """
        await self._check(org_id, project_id, token)
        now_s = self._clock.now_ms() / 1000
        if given.at_s < now_s - AGE_MINUTES_MAX * 60:
            raise InvalidError(texts.TOO_OLD, minutes=AGE_MINUTES_MAX)
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            alarm = await self._take(session, project_id, given, now_ms)
        self._telling.changed([project_id])
        return alarm.id

    async def _check(self, org_id: str, project_id: str, token: str) -> None:
        async with self._database.read() as session:
            row = await session.scalar(
                select(AlarmSettingsRow).where(AlarmSettingsRow.custom_hash == digest(token))
            )
            is_there = await tenancy.project(session, org_id, project_id) is not None
        if row is None or row.project_id != project_id or not is_there:
            raise UnknownCallerError(texts.BAD_TOKEN, code="BAD_TOKEN")
        if not row.is_custom_enabled or not row.is_enabled:
            raise DeniedError(texts.CUSTOM_OFF)
        if row.storm_at is not None:
            # Whoever floods is not to keep the database busy by being refused.
            raise OutOfReachError(texts.STORM)
        self._count(project_id)

    def _count(self, project_id: str) -> None:
        now_s = self._clock.monotonic_s()
        if len(self._recent) > PROJECTS_REMEMBERED:
            self._recent.clear()
        recent = self._recent.setdefault(project_id, deque(maxlen=PER_MINUTE_MAX))
        if len(recent) == PER_MINUTE_MAX and now_s - recent[0] < 60:
            raise TooManyError(texts.TOO_FAST, most=PER_MINUTE_MAX)
        recent.append(now_s)

    async def _take(
        self, session: AsyncSession, project_id: str, given: CustomAlarm, now_ms: int
    ) -> AlarmRow:
        project = await Project.load(session, project_id, now_ms)
        key = f"{CUSTOM}:{given.uuid or new_id()}"
        current = (await store.current_by_key(session, [(project_id, key)])).get((project_id, key))
        if given.is_resolved:
            if current is None:
                raise MissingError(texts.NO_ALARM)
            await self._ledger.end(session, project, current, EndReason.RECOVERED, now_ms)
            return current
        if current is not None:
            current.occurrences += 1
            current.seen_at = now_ms
            current.message = current.message_zh = given.message
            return current
        if await store.count_current(session, project_id) >= CURRENT_MAX:
            raise TooManyError(texts.CURRENT_MAX, most=CURRENT_MAX)
        subject = Subject(key, CUSTOM, "custom", "", given.source, given.tag)
        fired = await self._ledger.fire(
            session, project, subject, given.severity, given.message, given.message, now_ms
        )
        if fired is None:
            raise OutOfReachError(texts.STORM)
        return fired
