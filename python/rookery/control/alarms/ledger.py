"""Raises and ends alarms, in the unit of work of whoever found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.alarms import settings
from rookery.control.alarms.catalogue import Kind, Rule, Severity
from rookery.control.alarms.findings import Finding, is_news
from rookery.control.alarms.machine import Check, Outcome, step
from rookery.control.alarms.project import Project
from rookery.control.alarms.push.outbox import Outbox
from rookery.control.alarms.store import (
    MESSAGE_LENGTH_MAX,
    NAME_LENGTH_MAX,
    AlarmCheckRow,
    AlarmRow,
)
from rookery.control.alarms.wording import message_of
from rookery.storage.ids import new_id


class EndReason(StrEnum):
    """Why an alarm is history."""

    RECOVERED = "recovered"
    MOVED = "moved"
    """By hand."""
    DISABLED = "disabled"
    """Nobody looks any more: the rule, or all alarms, were switched off."""
    REMOVED = "removed"
    """What it was about is not in the project any more."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alarm is about."""

    key: str
    kind: Kind
    resource_type: str
    resource_id: str
    resource_name: str
    tag: str = ""
    cluster_id: str | None = None
    edge_id: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A check that was counted.

    Attributes:
        subject: Of what.
        rule: What holds for it.
        finding: What was found.
        before: What was remembered.
        after: What is to be remembered.
        outcome: What it led to.
    """

    subject: Subject
    rule: Rule
    finding: Finding
    before: Check
    after: Check
    outcome: Outcome

    @property
    def has_changed(self) -> bool:
        return self.before != self.after


@dataclass(slots=True)
class Touched:
    """Projects whose alarms this unit of work changed."""

    projects: set[str] = field(default_factory=set)


def check_of(row: AlarmCheckRow | None) -> Check:
    """What is remembered."""
    return Check() if row is None else Check(row.bad, row.good, row.is_active, row.at)


def count(subject: Subject, rule: Rule, finding: Finding, before: Check) -> Counted:
    """Count a check; nothing is stored."""
    after, outcome = step(
        before,
        rule.counts,
        is_bad=finding.is_bad,
        at_ms=finding.at_ms,
        gap_ms=finding.gap_ms,
    )
    return Counted(subject, rule, finding, before, after, outcome)


class Ledger:
    """Writes alarms. Its callers are alone (:data:`rookery.control.alarms.project.LOCK`)."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def settle(
        self,
        session: AsyncSession,
        project: Project,
        counted: Counted,
        row: AlarmCheckRow | None,
        current: AlarmRow | None,
        now_ms: int,
    ) -> None:
        """Store what a check led to."""
        subject = counted.subject
        if counted.outcome is Outcome.FIRED:
            fired = await self.fire(
                session,
                project,
                subject,
                counted.rule.severity,
                message_of(subject.kind, counted.finding.values, "en"),
                message_of(subject.kind, counted.finding.values, "zh"),
                now_ms,
                details=counted.finding.values,
            )
            if fired is None:
                return  # the list is frozen: it is found again afterwards
        if counted.outcome is Outcome.RECOVERED and current is not None:
            await self.end(session, project, current, EndReason.RECOVERED, now_ms)
        await _keep(session, project.id, counted, row)

    async def fire(
        self,
        session: AsyncSession,
        project: Project,
        subject: Subject,
        severity: Severity,
        message: str,
        message_zh: str,
        now_ms: int,
        *,
        details: Mapping[str, Any] | None = None,
    ) -> AlarmRow | None:
        """Raise an alarm; none while there is a storm."""
        if project.is_storm:
            return None
        alarm = AlarmRow(
            id=new_id(),
            project_id=project.id,
            key=subject.key,
            kind=str(subject.kind),
            severity=str(severity),
            resource_type=subject.resource_type,
            resource_id=subject.resource_id,
            resource_name=subject.resource_name[:NAME_LENGTH_MAX],
            tag=subject.tag,
            message=message[:MESSAGE_LENGTH_MAX],
            message_zh=message_zh[:MESSAGE_LENGTH_MAX],
            details=dict(details or {}),
            occurrences=1,
            starts_at=now_ms,
            seen_at=now_ms,
            ends_at=None,
            end_reason="",
            ended_by="",
            acknowledged_at=None,
            acknowledged_by="",
            assignee_id=None,
            assignee_name="",
            pushed_at=None,
            push_due_at=None,
        )
        session.add(alarm)
        project.recent += 1
        if project.recent >= project.settings.storm_alarms:
            await self._begin_storm(session, project, now_ms)
        else:
            await self._outbox.fired(session, project, alarm, now_ms)
        return alarm

    async def renew(
        self,
        session: AsyncSession,
        project: Project,
        alarm: AlarmRow,
        values: Mapping[str, Any],
        now_ms: int,
    ) -> None:
        """It goes on, and is about something else as well by now."""
        is_more = is_news(alarm.details, values)
        alarm.details = dict(values)
        alarm.message = message_of(alarm.kind, values, "en")[:MESSAGE_LENGTH_MAX]
        alarm.message_zh = message_of(alarm.kind, values, "zh")[:MESSAGE_LENGTH_MAX]
        alarm.seen_at = now_ms
        if is_more and not project.is_storm:
            alarm.occurrences += 1
            await self._outbox.fired(session, project, alarm, now_ms)

    async def end(
        self,
        session: AsyncSession,
        project: Project,
        alarm: AlarmRow,
        reason: EndReason,
        now_ms: int,
        *,
        by: str = "",
    ) -> None:
        """Make it history. People who were told of it are told that it recovered."""
        alarm.ends_at, alarm.end_reason, alarm.ended_by = now_ms, str(reason), by
        alarm.push_due_at = None
        if reason is EndReason.RECOVERED and not project.is_storm:
            await self._outbox.resolved(session, project, alarm, now_ms)

    async def drop(
        self,
        session: AsyncSession,
        project: Project,
        row: AlarmCheckRow,
        reason: EndReason,
        now_ms: int,
    ) -> None:
        """Nobody looks at that any more."""
        current = await session.scalar(
            select(AlarmRow).where(
                AlarmRow.project_id == row.project_id,
                AlarmRow.key == row.key,
                AlarmRow.ends_at.is_(None),
            )
        )
        if current is not None:
            await self.end(session, project, current, reason, now_ms)
        await session.delete(row)

    async def _begin_storm(self, session: AsyncSession, project: Project, now_ms: int) -> None:
        row = await settings.row_of(session, project.id)
        row.storm_at = now_ms
        project.is_storm = True
        await self._outbox.storm(session, project, now_ms)


async def _keep(
    session: AsyncSession, project_id: str, counted: Counted, row: AlarmCheckRow | None
) -> None:
    after = counted.after
    if after.is_idle:
        if row is not None:
            await session.delete(row)
        return
    if row is None:
        row = AlarmCheckRow(
            project_id=project_id,
            key=counted.subject.key,
            kind=str(counted.subject.kind),
            cluster_id=counted.subject.cluster_id,
            edge_id=counted.subject.edge_id,
        )
        session.add(row)
    row.bad, row.good, row.is_active, row.at = after.bad, after.good, after.is_active, after.at_ms
