"""What people do with the edge services of a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.clusters.models import Entry
from rookery.control.edges import adopting, store, texts
from rookery.control.edges.direct.texts import IS_DIRECT
from rookery.control.edges.models import Adopted, Wanted
from rookery.control.edges.places import place_of
from rookery.control.edges.state import AgentState, heard_since, presence, service_state
from rookery.control.edges.store import EdgeAgentRow, EdgeServiceRow
from rookery.control.errors import InvalidError, MissingError, TakenError
from rookery.control.rest.lists import Window, page
from rookery.control.tenancy.permissions import Level
from rookery.storage.database import Database

SORTS: Mapping[str, Any] = {
    "name": EdgeServiceRow.name,
    "version": EdgeAgentRow.version,
    "createdAt": EdgeServiceRow.created_at,
    "lastReportAt": EdgeAgentRow.reported_at,
}
LABELS_TOLD_MAX, VERSIONS_TOLD_MAX = 1000, 200


class EdgeServices:
    """Use cases of people."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        tell: Callable[[str], None],
        *,
        report_interval_s: float,
    ) -> None:
        """``tell`` hears whose standing changed: an agent is told so."""
        self._database = database
        self._clock = clock
        self._audit = audit
        self._tell = tell
        self._interval_ms = round(report_interval_s * 1000)

    # -- looking -------------------------------------------------------------------------------

    async def list(
        self, access: Access, wanted: Wanted, window: Window
    ) -> tuple[Sequence[Adopted], int]:
        """A page of those of a project, and how many there are."""
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            since_ms = heard_since(now_ms, self._interval_ms)
            query = _query(since_ms).where(EdgeServiceRow.project_id == access.project)
            if wanted.search:
                columns = (
                    EdgeServiceRow.name,
                    EdgeServiceRow.description,
                    EdgeAgentRow.version,
                    EdgeAgentRow.host_name,
                    EdgeAgentRow.id,
                )
                query = query.where(
                    or_(*(item.icontains(wanted.search, autoescape=True) for item in columns))
                )
            if wanted.states:
                query = query.where(service_state(since_ms).in_(wanted.states))
            query = query.where(*store.EDGES.with_labels(wanted.labels))
            sorts = {**SORTS, "state": service_state(since_ms)}
            rows, total = await page(session, query, window, wanted.sort, sorts)
            return await _whole(session, rows, now_ms), total

    async def filters(self, access: Access) -> tuple[Sequence[str], Sequence[str]]:
        """Labels and versions that there are in the project."""
        async with self._database.read() as session:
            labels = await store.EDGES.labels_in(session, access.project, LABELS_TOLD_MAX)
            versions = await session.scalars(
                select(EdgeAgentRow.version)
                .join(EdgeServiceRow, EdgeServiceRow.agent_id == EdgeAgentRow.id)
                .where(EdgeServiceRow.project_id == access.project, EdgeAgentRow.version != "")
                .distinct()
                .order_by(EdgeAgentRow.version)
                .limit(VERSIONS_TOLD_MAX)
            )
            return labels, versions.all()

    async def get(self, access: Access, service_id: str) -> Adopted:
        """One.

        Raises:
            MissingError: there is none in this project.
        """
        async with self._database.read() as session:
            await _row(session, access, service_id)
            return await self._one(session, service_id)

    async def one(self, service_id: str) -> Adopted:
        """One that is known to be there and the caller's to see."""
        async with self._database.read() as session:
            return await self._one(session, service_id)

    # -- changing ------------------------------------------------------------------------------

    async def update(self, access: Access, service_id: str, entry: Entry) -> Adopted:
        """Change what people say about it.

        Raises:
            MissingError, InvalidError, TakenError: as for the others.
        """
        entry = entry.checked()
        async with self._database.write() as session:
            row = await _row(session, access, service_id)
            await _refuse_taken(session, access.project, entry.name, but=row.id)
            labels = (await store.labels_of(session, [row.id])).get(row.id, [])
            before = _told(row, labels)
            row.name, row.description = entry.name, entry.description
            await store.put_labels(session, row.id, entry.labels)
            adopting.record(
                session,
                self._audit,
                access,
                "update",
                row,
                before=before,
                after=_told(row, entry.labels),
            )
            await session.flush()
            made = await self._one(session, service_id)
        self._tell_of(row)
        return made

    async def transfer(self, access: Access, service_id: str, org_id: str, project_id: str) -> None:
        """Move it to another project whose edge services the caller may edit.

        Raises:
            MissingError: the service or the project is not there for the caller.
            DeniedError: the caller only sees that project.
            TakenError: a service of that name is there.
        """
        async with self._database.write() as session:
            row = await _row(session, access, service_id)
            there = await place_of(session, access, org_id, project_id, Level.EDIT)
            await _refuse_taken(session, there.project, row.name, but=row.id)
            before = {"orgId": row.org_id, "projectId": row.project_id}
            row.org_id, row.project_id = there.org, there.project
            after = {"orgId": row.org_id, "projectId": row.project_id}
            adopting.record(
                session, self._audit, access, "transfer", row, before=before, after=after
            )
        self._tell_of(row)

    async def unadopt(self, access: Access, service_id: str) -> None:
        """Let it go: its agent is there for somebody else to adopt.

        Raises:
            MissingError: there is no such service.
            TakenError: it has no agent, or is reached at an address.
        """
        async with self._database.write() as session:
            row = await _row(session, access, service_id)
            agent = await _agent(session, row)
            if row.mode == adopting.DIRECT_MODE:
                raise TakenError(IS_DIRECT, code="CONFLICT")
            if agent is None:
                raise TakenError(texts.NO_AGENT, code="CONFLICT")
            adopting.record(
                session, self._audit, access, "unadopt", row, before={"agentId": agent.id}
            )
            await adopting.let_go(session, row, agent)
        self._tell(agent.id)

    async def delete(self, access: Access, service_id: str, name: str) -> None:
        """Let it go, and its agent too: the edge learns it.

        Raises:
            MissingError: there is no such service.
            InvalidError: that is not its name.
        """
        async with self._database.write() as session:
            row = await _row(session, access, service_id)
            if name != row.name:
                raise InvalidError(texts.WRONG_NAME)
            agent = await _agent(session, row)
            adopting.record(session, self._audit, access, "delete", row, before=_told(row, ()))
            await adopting.let_go(session, row, agent)
            if agent is not None and row.mode == adopting.AGENT_MODE:
                adopting.decide(agent, AgentState.REMOVED, f"deleted by {access.caller.name}")
                agent.removed_at = await self._database.now_ms(session, self._clock.now_ms())
        if agent is not None:
            self._tell(agent.id)

    # -- inside --------------------------------------------------------------------------------

    async def _one(self, session: AsyncSession, service_id: str) -> Adopted:
        now_ms = await self._database.now_ms(session, self._clock.now_ms())
        query = _query(heard_since(now_ms, self._interval_ms))
        rows = (await session.execute(query.where(EdgeServiceRow.id == service_id))).all()
        return (await _whole(session, rows, now_ms))[0]

    def _tell_of(self, row: EdgeServiceRow) -> None:
        if row.agent_id is not None:
            self._tell(row.agent_id)


def _query(since_ms: int) -> Select[Any]:
    return select(
        EdgeServiceRow,
        EdgeAgentRow,
        service_state(since_ms).label("state"),
        presence(since_ms).label("seen"),
    ).outerjoin(EdgeAgentRow, EdgeAgentRow.id == EdgeServiceRow.agent_id)


async def _whole(session: AsyncSession, rows: Sequence[Any], now_ms: int) -> Sequence[Adopted]:
    labels = await store.labels_of(session, [row[0].id for row in rows])
    return [
        Adopted(service, agent, state, seen, labels.get(service.id, ()), now_ms)
        for service, agent, state, seen in rows
    ]


async def _row(session: AsyncSession, access: Access, service_id: str) -> EdgeServiceRow:
    row = await store.service_of(session, access.project, service_id)
    if row is None:
        raise MissingError(texts.NO_SUCH_SERVICE)
    return row


async def _agent(session: AsyncSession, row: EdgeServiceRow) -> EdgeAgentRow | None:
    return None if row.agent_id is None else await session.get(EdgeAgentRow, row.agent_id)


async def _refuse_taken(session: AsyncSession, project_id: str, name: str, *, but: str) -> None:
    if await store.is_name_taken(session, project_id, name, but=but):
        raise TakenError(texts.NAME_TAKEN, name=name)


def _told(row: EdgeServiceRow, labels: Sequence[str]) -> dict[str, Any]:
    return {"name": row.name, "description": row.description, "labels": list(labels)}
