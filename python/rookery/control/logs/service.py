"""Use cases of logs: take them in, find them, follow them; and which place keeps them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from rookery.clock import Clock
from rookery.control.agents.store import AgentRow
from rookery.control.clusters.state import ConditionType
from rookery.control.clusters.store import ClusterRow
from rookery.control.edges.store import EdgeServiceRow
from rookery.control.errors import InvalidError, OutOfReachError
from rookery.control.logs import receiver as receivers
from rookery.control.logs import texts
from rookery.control.logs.builtin import BuiltinLogs
from rookery.control.logs.intake import Home, LogIntake, Say
from rookery.control.logs.live import Followers
from rookery.control.logs.models import (
    LogFilter,
    LogRecord,
    LogStore,
    Part,
    Retention,
    Source,
)
from rookery.control.logs.postgres import PostgresLogs
from rookery.control.logs.receiver import Receiver, SearchServer
from rookery.control.logs.search import SearchLogs
from rookery.control.processes.signals import Signals
from rookery.control.vault import Vault
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control.logs")

FOLDER = "logs"
SWEEP_S = 300.0
TOPIC = "logs"
NOTICES_MAX = 100
"""What other processes kept and pages were not told of; what comes beyond is found by asking."""
BUCKETS_MAX = 200
_STEPS_MS = tuple(
    seconds * 1000
    for seconds in (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400)
)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many records of each severity each part of the time has, from ``start_ms`` on."""

    start_ms: int
    width_ms: int
    counts: Sequence[Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Origins:
    """What came from one cluster, and what its agent says is wrong."""

    cluster_id: str
    name: str
    problem: str
    sources: Sequence[Source]


class LogService:
    """Lives on the event loop of the relay."""

    def __init__(
        self, database: Database, clock: Clock, data_dir: Path, vault: Vault, signals: Signals
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._folder = data_dir / FOLDER
        self._receiver = Receiver()
        self._store: LogStore | None = None
        self._switching = asyncio.Lock()
        self._signals = signals
        self._notices: asyncio.Queue[str] = asyncio.Queue(NOTICES_MAX)
        self._listening: asyncio.Task[None] | None = None
        signals.on(TOPIC, self._hear)
        self.intake = LogIntake(self, clock)
        self.followers = Followers()

    def answers(self, say: Say) -> None:
        """Say how agents are answered; before :meth:`open`."""
        self.intake.answers(say)

    async def open(self) -> None:
        """Begin to take logs in. A place that cannot be reached yet keeps nothing from starting."""
        try:
            await self.store()
        except RookeryError as error:
            _log.error("no logs are taken in for now: %s", error)
        self.intake.open()
        self._listening = asyncio.create_task(self._listen(), name="logs of other processes")

    async def close(self) -> None:
        """May be called twice."""
        self.followers.close()
        await self.intake.close()
        listening, self._listening = self._listening, None
        if listening is not None:
            await ended("listening for logs", listening)
        store, self._store = self._store, None
        if store is not None:
            await store.close()

    @property
    def is_enabled(self) -> bool:
        """Whether logs are taken in."""
        return self._receiver.is_enabled

    # -- where they are kept -------------------------------------------------------------------

    async def store(self) -> LogStore:
        """The place that is set, open.

        Raises:
            UnavailableError: it cannot be reached.
        """
        async with self._database.read() as session:
            wanted = await receivers.read(session)
        async with self._switching:
            if self._store is not None and _is_same_place(wanted, self._receiver):
                self._receiver = wanted
                return self._store
            made = self._made(wanted)
            await made.open()
            before, self._store = self._store, made
            self._receiver = wanted
        if before is not None:
            await before.close()
        await made.sweep(wanted.retention)
        return made

    def _made(self, wanted: Receiver) -> LogStore:
        if wanted.uses_search:
            return SearchLogs(wanted.search.unsealed(self._vault), self._clock)
        if not self._database.is_sqlite:
            return PostgresLogs(self._database, self._clock)
        return BuiltinLogs(self._folder, self._clock)

    async def test(self, server: SearchServer) -> None:
        """Write a record there, find it, and take it away again.

        Raises:
            InvalidError: one of that does not work.
        """
        try:
            tried = SearchLogs(server.unsealed(self._vault), self._clock)
            try:
                await tried.open()
                await tried.test()
            finally:
                await tried.close()
        except OutOfReachError as error:
            raise InvalidError(
                texts.SEARCH_FAILED,
                code="TEST_FAILED",
                reason=error.text("en"),
                reason_zh=error.text("zh"),
            ) from error

    async def sweep(self) -> None:
        """Let go of what is too old or too much."""
        store = await self.store()
        await store.sweep(self._receiver.retention)

    async def size(self, project_id: str | None = None) -> int | None:
        """Octets that the built-in store takes, of one project or of all; none: nobody here knows."""
        return await (await self.store()).size(project_id)

    @property
    def retention(self) -> Retention:
        """How long records stay."""
        return self._receiver.retention

    # -- what the intake wants -----------------------------------------------------------------

    async def homes_of(self, agents: frozenset[str]) -> Mapping[str, Home]:
        clusters = (
            select(AgentRow.id, AgentRow.cluster_id, ClusterRow.project_id)
            .join(ClusterRow, ClusterRow.id == AgentRow.cluster_id)
            .where(AgentRow.id.in_(agents))
        )
        edges = select(EdgeServiceRow.agent_id, EdgeServiceRow.id, EdgeServiceRow.project_id).where(
            EdgeServiceRow.agent_id.in_(agents)
        )
        async with self._database.read() as session:
            rows = [*await session.execute(clusters), *await session.execute(edges)]
        return {row[0]: Home(row[1], row[2]) for row in rows}

    async def keep(self, parts: Sequence[Part]) -> bool:
        store = await self.store()
        if not self._receiver.is_enabled:
            return False
        least = self._receiver.severity_max
        wanted = [
            Part(part.origin, [entry for entry in part.entries if entry.severity <= least])
            for part in parts
        ]
        fresh = await store.put([part for part in wanted if part.entries])
        self.followers.tell(fresh)
        if notice := store.notice(fresh):
            self._signals.tell(TOPIC, notice)
        return True

    # -- what other processes kept -------------------------------------------------------------

    def _hear(self, notice: str) -> None:
        if self.followers.clusters and not self._notices.full():
            self._notices.put_nowait(notice)

    async def _listen(self) -> None:
        while True:
            notice = await self._notices.get()
            try:
                store = await self.store()
                self.followers.tell(await store.noticed(notice, self.followers.clusters))
            except RookeryError as error:
                _log.warning("pages do not show logs of other processes: %s", error)

    # -- what people want ----------------------------------------------------------------------

    async def clusters(self, project_id: str, wanted: Sequence[str] | None) -> dict[str, str]:
        """Names of the clusters and edge services of a project, or of those of them that are wanted."""
        found: dict[str, str] = {}
        async with self._database.read() as session:
            for table in (ClusterRow, EdgeServiceRow):
                query = select(table.id, table.name).where(table.project_id == project_id)
                if wanted:
                    query = query.where(table.id.in_(wanted))
                found |= {row[0]: row[1] for row in await session.execute(query)}
        return found

    async def page(
        self, wanted: LogFilter, size: int, *, after: str | None, is_newest_first: bool
    ) -> list[LogRecord]:
        """The next records by their time.

        Raises:
            InvalidError: ``after`` is no cursor, or the time ends before it begins.
            UnavailableError: the place that keeps them does not answer, or not soon enough.
        """
        _check(wanted)
        if not wanted.clusters:
            return []
        store = await self.store()
        return await store.page(wanted, size, after=after, is_newest_first=is_newest_first)

    async def histogram(self, wanted: LogFilter, parts: int) -> Histogram:
        """How many there are over a time that has a beginning and an end.

        Raises:
            InvalidError: the time ends before it begins.
            UnavailableError: the place that keeps them does not answer, or not soon enough.
        """
        _check(wanted)
        assert wanted.since_ms is not None
        assert wanted.until_ms is not None
        width = width_of(wanted.until_ms - wanted.since_ms, parts)
        start = wanted.since_ms // width * width
        counts: list[dict[int, int]] = [{} for _ in range(start, wanted.until_ms + 1, width)]
        if wanted.clusters:
            for bucket in await (await self.store()).histogram(wanted, start, width):
                if 0 <= bucket.index < len(counts):
                    counts[bucket.index][bucket.severity] = bucket.count
        return Histogram(start, width, counts)

    async def origins(self, project_id: str) -> list[Origins]:
        """Every cluster of a project and the files that its logs came from, and edge services that sent any.

        Raises:
            UnavailableError: the place that keeps them does not answer.
        """
        query = (
            select(ClusterRow.id, ClusterRow.name, ClusterRow.conditions)
            .where(ClusterRow.project_id == project_id)
            .order_by(ClusterRow.name)
        )
        of_edges = (
            select(EdgeServiceRow.id, EdgeServiceRow.name)
            .where(EdgeServiceRow.project_id == project_id)
            .order_by(EdgeServiceRow.name)
        )
        async with self._database.read() as session:
            rows = list(await session.execute(query))
            edges = list(await session.execute(of_edges))
        names = frozenset(row[0] for row in (*rows, *edges))
        if not names:
            return []
        found: dict[str, list[Source]] = {}
        for source in await (await self.store()).sources(names):
            found.setdefault(source.cluster_id, []).append(source)
        for sources in found.values():
            sources.sort(key=lambda one: (one.node, one.file))
        return [
            *(
                Origins(cluster, name, _problem(conditions), found.get(cluster, ()))
                for cluster, name, conditions in rows
            ),
            # Those that sent nothing are as well as the others: nobody switches that on for each.
            *(Origins(edge, name, "", found[edge]) for edge, name in edges if edge in found),
        ]


def _problem(conditions: Sequence[Mapping[str, object]]) -> str:
    for condition in conditions:
        if condition.get("type") == ConditionType.LOGS_UNAVAILABLE:
            return str(condition.get("reason", ""))
    return ""


def width_of(span_ms: int, parts: int) -> int:
    """A width that people count in, of which about so many make the whole: a fifth more at most."""
    fitting = (step for step in _STEPS_MS if span_ms * 5 <= step * parts * 6)
    days = -(-span_ms // (parts * _STEPS_MS[-1]))
    return next(fitting, max(1, days) * _STEPS_MS[-1])


def _check(wanted: LogFilter) -> None:
    since, until = wanted.since_ms, wanted.until_ms
    if since is not None and until is not None and until < since:
        raise InvalidError(texts.BAD_RANGE)


def _is_same_place(one: Receiver, other: Receiver) -> bool:
    return (one.uses_search, one.search if one.uses_search else None) == (
        other.uses_search,
        other.search if other.uses_search else None,
    )
