"""Settings, rules and maintenance windows of a project's alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.accounts.secrets import digest, new_token
from rookery.control.alarms import settings, store, texts
from rookery.control.alarms.catalogue import DEFAULTS, KINDS, Kind, Rule
from rookery.control.alarms.names import flush_named
from rookery.control.alarms.project import LOCK
from rookery.control.alarms.push.directory import Directory
from rookery.control.alarms.push.network import Targets, check_literal
from rookery.control.alarms.settings import AlarmSettings
from rookery.control.alarms.store import (
    AlarmRuleRow,
    AlarmSettingsRow,
    AlarmWindowRow,
)
from rookery.control.alarms.telling import Telling
from rookery.control.alarms.windows import Window
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.clusters.store import cluster_of
from rookery.control.errors import InvalidError, MissingError, TooManyError
from rookery.control.mail.settings import MailSettings
from rookery.control.tenancy.permissions import Resource
from rookery.storage.database import Database
from rookery.storage.ids import new_id

TOKEN_PREFIX = "rkl_"  # noqa: S105 -- what tokens begin with
WINDOWS_MAX = 100


class AlarmSettingService:
    """What holds for the alarms of a project."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        directory: Directory,
        telling: Telling,
        targets: Targets,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._directory = directory
        self._telling = telling
        self._targets = targets

    # -- settings -------------------------------------------------------------------------------

    async def get(self, access: Access) -> AlarmSettings:
        """As they hold."""
        async with self._database.read() as session:
            return await settings.read(session, access.project)

    async def put(
        self,
        access: Access,
        given: AlarmSettings,
        mail: MailSettings | None,
        mail_password: str | None,
    ) -> AlarmSettings:
        """Change them. Without a password the one that is kept for the same server stays.

        Raises:
            InvalidError: the mail server cannot be used, or is nowhere that messages go to.
        """
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            row = await settings.row_of(session, access.project)
            before = _plain(row)
            row.is_enabled = given.is_enabled
            row.only_critical = given.only_critical
            row.tells_recovery = given.tells_recovery
            row.silence_ms = given.silence_ms
            row.silence_object = str(given.silence_object)
            row.storm_alarms, row.storm_ms = given.storm_alarms, given.storm_ms
            row.history_days = given.history_days
            row.is_custom_enabled = given.is_custom_enabled
            if mail is not None:
                kept = await self._directory.own_mail(session, access.project)
                mail = mail.with_kept(mail_password, kept)
                mail.check()
                check_literal(mail.host, self._targets)
            self._directory.keep_mail(row, mail)
            self._record(session, access, "updateSettings", before=before, after=_plain(row))
            held = settings.settings_of(row)
        self._telling.changed([access.project])
        return held

    async def new_custom_token(self, access: Access) -> str:
        """A token for programs that raise alarms; the one before is no good any more."""
        token = new_token(TOKEN_PREFIX)
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            row = await settings.row_of(session, access.project)
            row.custom_hash = digest(token)
            self._record(session, access, "issueToken")
        return token

    async def drop_custom_token(self, access: Access) -> None:
        """No program raises alarms any more."""
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            row = await settings.row_of(session, access.project)
            row.custom_hash = None
            self._record(session, access, "revokeToken")

    # -- rules ----------------------------------------------------------------------------------

    async def rules(self, access: Access) -> Mapping[Kind, Rule]:
        """All that there are, in order."""
        async with self._database.read() as session:
            return (await store.rules_of(session, [access.project]))[access.project]

    async def put_rule(self, access: Access, kind: str, rule: Rule) -> Rule:
        """Change one.

        Raises:
            MissingError: there is none of that name.
            InvalidError: it has no threshold, or needs one.
        """
        if kind not in KINDS or KINDS[kind] not in DEFAULTS:
            raise MissingError(texts.NO_RULE)
        default = DEFAULTS[KINDS[kind]]
        if default.threshold is None and rule.threshold is not None:
            raise InvalidError(texts.NO_THRESHOLD)
        if default.threshold is not None and rule.threshold is None:
            raise InvalidError(texts.NEEDS_THRESHOLD)
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            row = await session.get(AlarmRuleRow, (access.project, kind))
            before = _plain_rule(default if row is None else store.rule_of(row))
            if row is None:
                row = AlarmRuleRow(project_id=access.project, kind=kind)
                session.add(row)
            row.is_enabled, row.severity = rule.is_enabled, str(rule.severity)
            row.triggers, row.recoveries = rule.triggers, rule.recoveries
            row.threshold = rule.threshold
            self._record(
                session, access, "updateRule", name=kind, before=before, after=_plain_rule(rule)
            )
        return rule

    async def reset_rules(self, access: Access) -> None:
        """Make them all what they were in the beginning."""
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            await session.execute(
                delete(AlarmRuleRow).where(AlarmRuleRow.project_id == access.project)
            )
            self._record(session, access, "resetRules")

    # -- maintenance windows --------------------------------------------------------------------

    async def windows(self, access: Access) -> Sequence[AlarmWindowRow]:
        """By when they begin."""
        async with self._database.read() as session:
            rows = await session.scalars(
                select(AlarmWindowRow)
                .where(AlarmWindowRow.project_id == access.project)
                .order_by(AlarmWindowRow.starts_at, AlarmWindowRow.id)
            )
            return rows.all()

    async def add_window(self, access: Access, name: str, window: Window) -> AlarmWindowRow:
        """Plan one.

        Raises:
            InvalidError: it cannot be.
            TakenError: there is one of that name.
            TooManyError: there are as many as there may be.
        """
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            query = select(func.count()).select_from(AlarmWindowRow)
            found = await session.scalar(query.where(AlarmWindowRow.project_id == access.project))
            if (found or 0) >= WINDOWS_MAX:
                raise TooManyError(texts.WINDOWS_MAX, most=WINDOWS_MAX)
            row = AlarmWindowRow(
                id=new_id(), project_id=access.project, created_by=access.caller.name
            )
            await self._fill(session, access, row, name, window)
            session.add(row)
            await flush_named(session, name)
            self._record(session, access, "createWindow", name=name, after=_plain_window(row))
        return row

    async def put_window(
        self, access: Access, window_id: str, name: str, window: Window
    ) -> AlarmWindowRow:
        """Change one.

        Raises:
            MissingError: there is none of that id.
            InvalidError: it cannot be.
            TakenError: there is another of that name.
        """
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            row = await _window(session, access, window_id)
            before = _plain_window(row)
            await self._fill(session, access, row, name, window)
            await flush_named(session, name)
            after = _plain_window(row)
            self._record(session, access, "updateWindow", name=name, before=before, after=after)
        return row

    async def drop_window(self, access: Access, window_id: str) -> None:
        """People are told again.

        Raises:
            MissingError: there is none of that id.
        """
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            row = await _window(session, access, window_id)
            await session.delete(row)
            self._record(session, access, "deleteWindow", name=row.name, before=_plain_window(row))

    async def _fill(
        self,
        session: AsyncSession,
        access: Access,
        row: AlarmWindowRow,
        name: str,
        window: Window,
    ) -> None:
        length_ms = window.ends_ms - window.starts_ms
        if length_ms <= 0:
            raise InvalidError(texts.BAD_WINDOW)
        period_ms = window.repeat.period_ms
        if period_ms is not None and length_ms >= period_ms:
            raise InvalidError(texts.LONG_WINDOW)
        for cluster_id in window.clusters:
            if await cluster_of(session, access.project, cluster_id) is None:
                raise InvalidError(texts.NO_CLUSTER, id=cluster_id)
        row.name, row.repeat = name, str(window.repeat)
        row.starts_at, row.ends_at = window.starts_ms, window.ends_ms
        row.clusters = list(window.clusters)

    def _record(
        self,
        session: AsyncSession,
        access: Access,
        operation: str,
        *,
        name: str = "",
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        self._audit.record(
            session,
            access,
            Resource.ALARMS,
            operation,
            object_name=name or access.project_name,
            before=before,
            after=after,
        )


async def _window(session: AsyncSession, access: Access, window_id: str) -> AlarmWindowRow:
    row = await session.get(AlarmWindowRow, window_id)
    if row is None or row.project_id != access.project:
        raise MissingError(texts.NO_WINDOW)
    return row


def _plain(row: AlarmSettingsRow) -> dict[str, Any]:
    return {
        "isEnabled": row.is_enabled,
        "onlyCritical": row.only_critical,
        "tellsRecovery": row.tells_recovery,
        "silenceMs": row.silence_ms,
        "silenceObject": row.silence_object,
        "stormAlarms": row.storm_alarms,
        "stormMs": row.storm_ms,
        "historyDays": row.history_days,
        "isCustomEnabled": row.is_custom_enabled,
        "mail": dict(row.mail),
    }


def _plain_rule(rule: Rule) -> dict[str, Any]:
    return {
        "isEnabled": rule.is_enabled,
        "triggers": rule.triggers,
        "recoveries": rule.recoveries,
        "severity": str(rule.severity),
        "threshold": rule.threshold,
    }


def _plain_window(row: AlarmWindowRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "startsAt": row.starts_at,
        "endsAt": row.ends_at,
        "repeat": row.repeat,
        "clusters": list(row.clusters),
    }
