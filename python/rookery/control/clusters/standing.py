"""Keeps the stored state of clusters true: by what agents say, and by the time that passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only
from sqlalchemy.orm.attributes import instance_dict

from rookery.clock import Clock
from rookery.contracts.agent_v1 import Report
from rookery.control.agents.store import AgentRow
from rookery.control.clusters.alike import Alike
from rookery.control.clusters.changes import Changes
from rookery.control.clusters.facts import facts_of, settled, taken
from rookery.control.clusters.intake import Heard
from rookery.control.clusters.state import Presence
from rookery.control.clusters.store import ClusterRow
from rookery.control.processes.presence import GONE_MS
from rookery.control.processes.store import ProcessRow
from rookery.storage.database import Database

AT_ONCE = 500
"""Rows that are read at once."""

_HEARD_OF = (
    select(ClusterRow, AgentRow.id, AgentRow.version, AgentRow.capabilities)
    .join(AgentRow, AgentRow.cluster_id == ClusterRow.id)
    .where(AgentRow.id.in_(bindparam("agent_ids", expanding=True)))
    .options(
        # What a report says anew need not be read before.
        load_only(
            ClusterRow.project_id,
            ClusterRow.state,
            ClusterRow.conditions,
            ClusterRow.is_deleting,
            ClusterRow.registered_at,
            ClusterRow.first_reported_at,
            ClusterRow.adopted_at,
            ClusterRow.presence,
            ClusterRow.presence_at,
            ClusterRow.relay_process,
            ClusterRow.reported_at,
            ClusterRow.report_interval_ms,
            ClusterRow.errors,
            ClusterRow.clock_skew_ms,
            ClusterRow.version,
            ClusterRow.nodes,
            ClusterRow.nodes_running,
            ClusterRow.nodes_total,
            ClusterRow.integrations,
            ClusterRow.integrations_digest,
            raiseload=True,
        )
    )
)
"""Clusters of agents that said something, with what may change of the agents. Made once: to put it together
costs as much as to ask it."""


@dataclass(frozen=True, slots=True)
class Before:
    """How an entry stood."""

    state: str
    conditions: Sequence[Any]
    version: str
    nodes: Sequence[Any]
    adopted_at: int | None

    @classmethod
    def of(cls, row: ClusterRow) -> Before:
        return cls(row.state, row.conditions, row.version, row.nodes, row.adopted_at)


@dataclass(frozen=True, slots=True)
class Change:
    """An entry that was written; it may stand as before.

    Attributes:
        row: As it stands now.
        before: As it stood.
        heard: What its agent said; none when time alone passed.
        now_ms: When.
    """

    row: ClusterRow
    before: Before
    heard: Heard[Report] | None
    now_ms: int


Follower = Callable[[AsyncSession, Sequence[Change]], Awaitable[None]]
"""Writes what follows from changes, in their own transaction."""


class Standing:
    """Writes facts and what follows from them."""

    def __init__(self, database: Database, clock: Clock, changes: Changes, process_id: str) -> None:
        self._database = database
        self._clock = clock
        self._changes = changes
        self._process_id = process_id
        self._followers: list[Follower] = []

    def follows(self, follower: Follower) -> None:
        """Call it in each transaction that changes entries, with all of them. It is to be quick."""
        self._followers.append(follower)

    async def write(self, heard: Mapping[str, Heard[Report]]) -> Collection[str]:
        """Keep what agents said, in one transaction; of which clusters that was.

        Raises:
            UnavailableError: the database does not answer; nothing was kept.
        """
        changed: list[Change] = []
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            alive = await self._alive(session, now_ms)
            rows, agents = Alike(ClusterRow), Alike(AgentRow)
            for agent_ids in _batches(heard):
                found = await session.execute(_HEARD_OF, {"agent_ids": agent_ids})
                for row, agent_id, version, capabilities in found:
                    said, before = heard[agent_id], Before.of(row)
                    came = taken(row, said, self._process_id)
                    as_read = instance_dict(row)
                    as_read.update(came)
                    follows = settled(row, facts_of(row, *alive), now_ms)
                    as_read.update(follows)
                    rows.put(row.id, {**came, **follows})
                    agents.put(agent_id, _of_agent(version, capabilities, said, came))
                    changed.append(Change(row, before, said, now_ms))
            await rows.send(session)
            await agents.send(session)
            await self._follow(session, changed)
        self._tell(changed)
        return {change.row.id for change in changed}

    async def settle_due(self) -> None:
        """Look again at what silence has changed; one process at a time does."""
        changed: list[Change] = []
        async with self._database.write() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            alive = await self._alive(session, now_ms)
            found = await session.scalars(
                select(ClusterRow)
                .where(ClusterRow.check_at <= now_ms)
                .order_by(ClusterRow.check_at)
                .limit(AT_ONCE)
            )
            for row in found:
                before = Before.of(row)
                _put(row, settled(row, facts_of(row, *alive), now_ms))
                changed.append(Change(row, before, None, now_ms))
            await self._follow(session, changed)
        self._tell(changed)

    async def settle(self, session: AsyncSession, row: ClusterRow) -> None:
        """Work out the state of one entry again, as part of what else is done to it."""
        now_ms = await self._database.now_ms(session, self._clock.now_ms())
        before = Before.of(row)
        _put(row, settled(row, facts_of(row, *await self._alive(session, now_ms)), now_ms))
        await self._follow(session, [Change(row, before, None, now_ms)])

    async def _follow(self, session: AsyncSession, changed: Sequence[Change]) -> None:
        if changed:
            for follower in self._followers:
                await follower(session, changed)

    async def _alive(self, session: AsyncSession, now_ms: int) -> tuple[Collection[str], int]:
        """The processes that run, and since when one of them does."""
        found = (
            await session.scalars(
                select(ProcessRow).where(ProcessRow.heartbeat_at > now_ms - GONE_MS)
            )
        ).all()
        own_ms = next((row.started_at for row in found if row.id == self._process_id), now_ms)
        # One that was killed still has its row: those count that gave a sign since this one runs.
        seen = [row.started_at for row in found if row.heartbeat_at > own_ms]
        return {*(row.id for row in found), self._process_id}, min([own_ms, *seen])

    def _tell(self, changed: Iterable[Change]) -> None:
        for change in changed:
            self._changes.tell(change.row.project_id, change.row.id)


def _put(row: ClusterRow, columns: Mapping[str, Any]) -> None:
    for name, value in columns.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def _of_agent(
    version: str, capabilities: Sequence[str], said: Heard[Report], came: Mapping[str, Any]
) -> dict[str, Any]:
    """The columns of an agent that change by what it said."""
    columns: dict[str, Any] = {}
    told = said.report.agent_version if said.report is not None else said.version
    if told and told != version:
        columns["version"] = told
    if said.capabilities is not None and list(said.capabilities) != capabilities:
        columns["capabilities"] = list(said.capabilities)
    if came.get("presence") == Presence.ONLINE:
        columns["connected_at"] = said.presence_at_ms
    return columns


def _batches(agent_ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(agent_ids)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
