"""Looks at things that report and raises their alarms: after each batch of reports, and by a sweep for silence.

What they are a :class:`Source` says; this module has that of clusters. Clusters with which nothing is the matter, and nothing was, cost one condition of a query. What is already an
alarm and stays one is read and not written. Two processes that look at the same count it once: a check has
the time of the report that it is from.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.alarms import settings, store
from rookery.control.alarms.catalogue import (
    KINDS,
    OF_CONNECTIONS,
    OF_LOAD,
    OF_MEMORY,
    Kind,
    Rule,
)
from rookery.control.alarms.findings import OBJECT_KINDS, Finding, Seen, findings
from rookery.control.alarms.ledger import Counted, EndReason, Ledger, Subject, check_of, count
from rookery.control.alarms.machine import Outcome
from rookery.control.alarms.objects import abnormal_of, clusters_with_abnormal
from rookery.control.alarms.project import LOCK, Project
from rookery.control.alarms.settings import AlarmSettings
from rookery.control.alarms.store import AlarmCheckRow, AlarmRow, AlarmSettingsRow
from rookery.control.alarms.telling import Telling
from rookery.control.clusters.state import Condition
from rookery.control.clusters.store import ClusterRow
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control.alarms")

AT_ONCE = 200
CLUSTER = "cluster"
_RENEWED = frozenset(
    {
        *OBJECT_KINDS.values(),
        Kind.NODES_DOWN,
        Kind.EDGE_DRIVER_ABNORMAL,
        Kind.EDGE_RULE_ABNORMAL,
    }
)
"""Alarms whose text follows what they are about."""

_COLUMNS = (
    ClusterRow.id,
    ClusterRow.project_id,
    ClusterRow.name,
    ClusterRow.reported_at,
    ClusterRow.report_interval_ms,
    ClusterRow.conditions,
    ClusterRow.connections,
    ClusterRow.nodes,
    ClusterRow.connection_limit,
)


@dataclass(frozen=True, slots=True)
class Step:
    """What has to be stored of a look at one thing."""

    project_id: str
    row: AlarmCheckRow | None
    current: AlarmRow | None = None
    counted: Counted | None = None
    dropped: EndReason | None = None

    @property
    def is_renewed(self) -> bool:
        counted, current = self.counted, self.current
        return (
            counted is not None
            and current is not None
            and counted.finding.is_bad
            and counted.finding.kind in _RENEWED
            and current.details != dict(counted.finding.values)
        )

    @property
    def is_news(self) -> bool:
        if self.dropped is not None or self.is_renewed:
            return True
        return self.counted is not None and self.counted.has_changed


class Source(Protocol):
    """One sort of things that have alarms."""

    async def of_interest(
        self, session: AsyncSession, ids: Collection[str] | None, now_ms: int
    ) -> Sequence[str]:
        """Those of these, or of all, with which something is the matter, or was at the last look."""
        ...

    async def steps(self, session: AsyncSession, ids: Sequence[str], now_ms: int) -> list[Step]:
        """What a look at these leads to; nothing is stored."""
        ...

    def gone(self) -> Select[AlarmCheckRow]:
        """What is remembered of those that are not there any more, or in another project."""
        ...


class Evaluation:
    """Raises and ends the alarms of one sort of things. Lives on one event loop."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ledger: Ledger,
        telling: Telling,
        source: Source,
    ) -> None:
        self._source = source
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._telling = telling
        self._heard: set[str] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin on the running loop."""
        self._task = asyncio.create_task(self._run(), name="alarms of what was reported")

    async def close(self) -> None:
        """May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            await ended("the evaluation of alarms", task)

    async def heard(self, ids: set[str]) -> None:
        """These reported. Whoever says so does not wait for what follows from it."""
        self._heard |= ids
        self._news.set()

    async def sweep(self) -> None:
        """Look at everything with which something is or was the matter; one process does."""
        await self.look(None)
        await self._drop_gone()

    async def look(self, ids: Collection[str] | None) -> None:
        """Look at these, or at all.

        Raises:
            UnavailableError: the database does not answer; the next look finds the same.
        """
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            found = await self._source.of_interest(session, ids, now_ms)
        for batch in _batches(found):
            async with self._database.read() as session:
                now_ms = await self._database.now_ms(session, self._clock.now_ms())
                steps = await self._source.steps(session, batch, now_ms)
            if any(step.is_news for step in steps):
                await self._write(batch)

    async def _write(self, ids: Sequence[str]) -> None:
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            projects: dict[str, Project] = {}
            for step in await self._source.steps(session, ids, now_ms):
                if not step.is_news:
                    continue
                project = projects.get(step.project_id)
                if project is None:
                    project = await Project.load(session, step.project_id, now_ms)
                    projects[step.project_id] = project
                await self._store(session, project, step, now_ms)
        self._telling.changed(projects)

    async def _store(
        self, session: AsyncSession, project: Project, step: Step, now_ms: int
    ) -> None:
        if step.dropped is not None and step.row is not None:
            await self._ledger.drop(session, project, step.row, step.dropped, now_ms)
        if step.counted is None:
            return
        if step.is_renewed and step.current is not None:
            values = step.counted.finding.values
            await self._ledger.renew(session, project, step.current, values, now_ms)
        if step.counted.has_changed:
            await self._ledger.settle(
                session, project, step.counted, step.row, step.current, now_ms
            )

    async def _drop_gone(self) -> None:
        gone = self._source.gone().limit(AT_ONCE)
        async with self._database.read() as session:
            if (await session.scalars(gone)).first() is None:
                return
        async with self._database.write() as session:
            await self._database.alone(session, LOCK)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            projects: dict[str, Project] = {}
            for row in (await session.scalars(gone)).all():
                if row.project_id not in projects:
                    loaded = await Project.load(session, row.project_id, now_ms)
                    projects[row.project_id] = loaded
                project = projects[row.project_id]
                await self._ledger.drop(session, project, row, EndReason.REMOVED, now_ms)
        self._telling.changed(projects)

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            heard, self._heard = self._heard, set()
            try:
                await self.look(heard)
            except RookeryError as error:
                _log.warning("alarms are evaluated by the next sweep: %s", error)
            except Exception:  # noqa: BLE001 -- one failure must not end the looking for good
                _log.exception("alarms are evaluated by the next sweep")


class Clusters:
    """The source of alarms that clusters are."""

    async def of_interest(
        self, session: AsyncSession, ids: Collection[str] | None, now_ms: int
    ) -> Sequence[str]:
        """Those with which something is the matter, or was."""
        del now_ms
        return await _of_interest(session, ids)

    async def steps(self, session: AsyncSession, ids: Sequence[str], now_ms: int) -> list[Step]:
        """What a look at these leads to."""
        return await _steps(session, ids, now_ms)

    def gone(self) -> Select[AlarmCheckRow]:
        """What is remembered of clusters that are not adopted any more, or belong to another project."""
        return (
            select(AlarmCheckRow)
            .outerjoin(
                ClusterRow,
                and_(
                    ClusterRow.id == AlarmCheckRow.cluster_id,
                    ClusterRow.project_id == AlarmCheckRow.project_id,
                    _is_adopted(),
                ),
            )
            .where(AlarmCheckRow.cluster_id.is_not(None), ClusterRow.id.is_(None))
        )


def _is_adopted() -> ColumnElement[bool]:
    # Nobody is told of a cluster that never ran, nor of one that is being let go.
    return and_(ClusterRow.adopted_at.is_not(None), ClusterRow.is_deleting.is_(False))


_GROUPS: Mapping[str, Collection[Kind]] = {
    "connections": OF_CONNECTIONS,
    "memory": OF_MEMORY,
    "load": OF_LOAD,
}
# Asked after each batch of reports, and made once.
_OF_INTEREST = select(ClusterRow.id).where(
    _is_adopted(),
    or_(
        cast(ClusterRow.conditions, String) != "[]",
        and_(
            ClusterRow.connection_limit > 0,
            ClusterRow.connections * 100 >= ClusterRow.connection_limit * bindparam("connections"),
        ),
        ClusterRow.memory_percent >= bindparam("memory"),
        ClusterRow.load >= bindparam("load"),
        ClusterRow.id.in_(clusters_with_abnormal()),
        ClusterRow.id.in_(select(AlarmCheckRow.cluster_id)),
    ),
)
_OF_INTEREST_AMONG = _OF_INTEREST.where(ClusterRow.id.in_(bindparam("ids", expanding=True)))


async def _of_interest(session: AsyncSession, cluster_ids: Collection[str] | None) -> Sequence[str]:
    """Those with which something is the matter, or was when somebody looked last."""
    asked: dict[str, Any] = dict(await store.thresholds_min(session, _GROUPS))
    if cluster_ids is None:
        return (await session.scalars(_OF_INTEREST, asked)).all()
    asked["ids"] = list(cluster_ids)
    return (await session.scalars(_OF_INTEREST_AMONG, asked)).all()


async def _steps(session: AsyncSession, cluster_ids: Sequence[str], now_ms: int) -> list[Step]:
    """What a look at these clusters leads to; nothing is stored."""
    rows = (await session.execute(select(*_COLUMNS).where(ClusterRow.id.in_(cluster_ids)))).all()
    project_ids = {row.project_id for row in rows}
    rules = await store.rules_of(session, project_ids)
    held = await settings_of(session, project_ids)
    abnormal = await abnormal_of(session, cluster_ids)
    checks = await store.checks_of(session, cluster_ids)
    current = await store.current_by_key(
        session, [pair for pair, row in checks.items() if row.is_active]
    )
    known: dict[str, list[AlarmCheckRow]] = {}
    for check in checks.values():
        known.setdefault(check.cluster_id or "", []).append(check)
    steps: list[Step] = []
    for row in rows:
        seen = Seen(
            cluster_id=row.id,
            name=row.name,
            reported_at_ms=row.reported_at,
            interval_ms=row.report_interval_ms,
            conditions=_conditions(row.conditions),
            connections=row.connections,
            connection_limit=row.connection_limit,
            abnormal=abnormal.get(row.id, {}),
            nodes=row.nodes,
        )
        of_cluster = {
            each.kind: each for each in known.get(row.id, ()) if each.project_id == row.project_id
        }
        found = findings(seen, rules[row.project_id], now_ms)
        subjects = ((subject_of(seen, finding), finding) for finding in found)
        known_here = Known(
            row.project_id, held[row.project_id], rules[row.project_id], of_cluster, current
        )
        steps.extend(steps_of(known_here, subjects))
    return steps


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one thing beside what was found: what holds, and what is remembered, by kind."""

    project_id: str
    held: AlarmSettings
    rules: Mapping[Kind, Rule]
    checks: Mapping[str, AlarmCheckRow]
    current: Mapping[tuple[str, str], AlarmRow]


def steps_of(known: Known, found: Iterable[tuple[Subject, Finding]]) -> Iterator[Step]:
    """What findings about one thing lead to."""
    project_id, rules, checks = known.project_id, known.rules, known.checks
    held, current = known.held, known.current
    for kind, row in checks.items():
        is_looked_at = held.is_enabled and kind in KINDS and rules[KINDS[kind]].is_enabled
        if not is_looked_at:
            yield Step(project_id, row, dropped=EndReason.DISABLED)
    if not held.is_enabled:
        return
    for subject, finding in found:
        row_or_none = checks.get(finding.kind)
        counted = count(subject, rules[finding.kind], finding, check_of(row_or_none))
        if counted.outcome is Outcome.NOTHING and row_or_none is None and not counted.has_changed:
            continue
        yield Step(project_id, row_or_none, current.get((project_id, subject.key)), counted=counted)


def subject_of(seen: Seen, finding: Finding) -> Subject:
    """What an alarm of that finding is about."""
    return Subject(
        key=f"{finding.kind}:{seen.cluster_id}",
        kind=finding.kind,
        resource_type=CLUSTER,
        resource_id=seen.cluster_id,
        resource_name=seen.name,
        cluster_id=seen.cluster_id,
    )


async def settings_of(
    session: AsyncSession, project_ids: Iterable[str]
) -> dict[str, AlarmSettings]:
    ids = list(project_ids)
    rows = await session.scalars(
        select(AlarmSettingsRow).where(AlarmSettingsRow.project_id.in_(ids))
    )
    found = {row.project_id: settings.settings_of(row) for row in rows}
    return {project_id: found.get(project_id, settings.DEFAULT) for project_id in ids}


def _conditions(stored: Iterable[Mapping[str, object]]) -> list[Condition]:
    read = (Condition.from_json(item) for item in stored)
    return [condition for condition in read if condition is not None]


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
