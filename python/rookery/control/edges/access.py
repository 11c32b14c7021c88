"""What people do with edge services that dialed in: look, adopt, turn away, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.contracts.agent_edge import EDGE_PREFIX
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.clusters.models import Entry
from rookery.control.edges import adopting, store, texts
from rookery.control.edges.enrolment import rules_of
from rookery.control.edges.models import DialedIn, Wanted
from rookery.control.edges.places import place_of, visible
from rookery.control.edges.rules import PLACES, AdoptionRule
from rookery.control.edges.state import AgentState, heard_since, presence
from rookery.control.edges.store import EdgeAgentRow, EdgeServiceRow
from rookery.control.errors import InvalidError, MissingError, TakenError
from rookery.control.rest.lists import Window, page
from rookery.control.settings import store as settings
from rookery.control.settings.names import EDGE_RULES
from rookery.control.tenancy import store as tenancy
from rookery.control.tenancy.grants import Grants
from rookery.control.tenancy.permissions import Level, Resource
from rookery.control.tenancy.store import Organization, Project
from rookery.errors import RookeryError
from rookery.storage.database import Database

BULK_MAX = 200
SORTS: Mapping[str, Any] = {
    "shortId": EdgeAgentRow.id,
    "description": EdgeAgentRow.description,
    "state": EdgeAgentRow.state,
    "enrolledAt": EdgeAgentRow.enrolled_at,
    "lastReportAt": EdgeAgentRow.reported_at,
}
Tell = Callable[[str], None]
"""Has an agent told what was decided about it, wherever it is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of many: its service, or why there is none."""

    agent_id: str
    service_id: str = ""
    error: RookeryError | None = None


class EdgeAccess:
    """Use cases of agents that belong to nobody, and of those that do."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        tell: Tell,
        *,
        report_interval_s: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._tell = tell
        self._interval_ms = round(report_interval_s * 1000)

    # -- looking -------------------------------------------------------------------------------

    async def list(
        self, access: Access, wanted: Wanted, window: Window
    ) -> tuple[Sequence[DialedIn], int]:
        """A page of those that the caller may see, and how many there are."""
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            query = self._query(access.caller.grants, now_ms).where(
                *self._conditions(wanted, now_ms)
            )
            rows, total = await page(session, query, window, wanted.sort, SORTS)
            return [_dialed_in(row, now_ms) for row in rows], total

    async def get(self, access: Access, agent_id: str) -> DialedIn:
        """One.

        Raises:
            MissingError: there is none, for this caller.
        """
        async with self._database.read() as session:
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            query = self._query(access.caller.grants, now_ms).where(EdgeAgentRow.id == agent_id)
            row = (await session.execute(query)).first()
        if row is None:
            raise MissingError(texts.NO_SUCH_AGENT)
        return _dialed_in(row, now_ms)

    # -- deciding ------------------------------------------------------------------------------

    async def adopt(
        self, access: Access, agent_id: str, entry: Entry, org_id: str, project_id: str
    ) -> EdgeServiceRow:
        """Make an edge service of a project of it.

        Raises:
            MissingError: the agent or the project is not there.
            DeniedError: the caller may not, there.
            InvalidError: the entry may not be so.
            TakenError: it is managed or rejected, or the name is taken.
        """
        entry = entry.checked()
        async with self._database.write() as session:
            there = await place_of(session, access, org_id, project_id, Level.EDIT)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            agent = await _agent(session, access.caller.grants, agent_id)
            row = await adopting.adopt(session, self._audit, there, agent, entry, now_ms)
        self._tell(agent_id)
        return row

    async def adopt_all(
        self,
        access: Access,
        entries: Sequence[tuple[str, Entry]],
        org_id: str,
        project_id: str,
    ) -> Sequence[Outcome]:
        """Many into one project; one that cannot be keeps none of the others from it.

        Raises:
            MissingError, DeniedError: of the project.
        """
        outcomes: list[Outcome] = []
        async with self._database.write() as session:
            there = await place_of(session, access, org_id, project_id, Level.EDIT)
            now_ms = await self._database.now_ms(session, self._clock.now_ms())
            for agent_id, entry in entries:
                try:
                    agent = await _agent(session, access.caller.grants, agent_id)
                    row = await adopting.adopt(
                        session, self._audit, there, agent, entry.checked(), now_ms
                    )
                except RookeryError as error:
                    outcomes.append(Outcome(agent_id, error=error))
                else:
                    outcomes.append(Outcome(agent_id, row.id))
        for outcome in outcomes:
            if outcome.error is None:
                self._tell(outcome.agent_id)
        return outcomes

    async def reject(self, access: Access, agent_id: str, reason: str) -> None:
        """Turn it away; it learns why and comes back seldom.

        Raises:
            MissingError: there is no such agent.
            TakenError: it is managed.
        """
        async with self._database.write() as session:
            agent = await _agent(session, access.caller.grants, agent_id)
            await _refuse_managed(session, agent)
            adopting.decide(agent, AgentState.REJECTED, reason)
            adopting.record_agent(session, self._audit, access, "reject", agent, {"reason": reason})
        self._tell(agent_id)

    async def readmit(self, access: Access, agent_id: str) -> None:
        """Have one that was rejected wait again.

        Raises:
            MissingError: there is no such agent.
            TakenError: it was not rejected.
        """
        async with self._database.write() as session:
            agent = await _agent(session, access.caller.grants, agent_id)
            if agent.state != AgentState.REJECTED:
                raise TakenError(texts.NOT_REJECTED, code="CONFLICT")
            adopting.decide(agent, AgentState.PENDING)
            adopting.record_agent(session, self._audit, access, "readmit", agent)
        self._tell(agent_id)

    async def delete(self, access: Access, agent_id: str) -> None:
        """Remove one that belongs to nobody; it learns it, and asks again when somebody there says so.

        Raises:
            MissingError: there is no such agent.
            TakenError: it is managed.
        """
        async with self._database.write() as session:
            agent = await _agent(session, access.caller.grants, agent_id)
            await _refuse_managed(session, agent)
            adopting.decide(agent, AgentState.REMOVED, f"deleted by {access.caller.name}")
            agent.removed_at = await self._database.now_ms(session, self._clock.now_ms())
            adopting.record_agent(session, self._audit, access, "delete", agent)
        self._tell(agent_id)

    # -- rules ---------------------------------------------------------------------------------

    async def rules(self) -> Sequence[AdoptionRule]:
        """Those that adopt edge services as they come, in their order."""
        async with self._database.read() as session:
            return await rules_of(session)

    async def put_rules(self, access: Access, rules: Sequence[AdoptionRule]) -> None:
        """Have these rules and no others; they are about who comes from now on.

        Raises:
            InvalidError: one names no project, or cannot make a name or its labels.
        """
        async with self._database.write() as session:
            for rule in rules:
                if await tenancy.project(session, rule.org_id, rule.project_id) is None:
                    raise InvalidError(texts.RULE_NAMES_NOBODY, name=rule.name)
                if not rule.is_template:
                    places = " ".join(f"{{{place}}}" for place in PLACES)
                    raise InvalidError(texts.BAD_TEMPLATE, name=rule.name, places=places)
                Entry("-", labels=rule.labels).checked()
            before = {"rules": [rule.to_json() for rule in await rules_of(session)]}
            after = {"rules": [rule.to_json() for rule in rules]}
            await settings.put(session, EDGE_RULES, after, self._clock.now_ms())
            self._audit.record(
                session,
                access,
                Resource.SETTINGS,
                "update",
                object_id=EDGE_RULES,
                object_name=EDGE_RULES,
                before=before,
                after=after,
            )

    # -- inside --------------------------------------------------------------------------------

    def _query(self, grants: Grants, now_ms: int) -> Select[Any]:
        seen = visible(grants)
        if _may_decide(grants):
            seen = or_(EdgeServiceRow.id.is_(None), seen)
        return (
            select(
                EdgeAgentRow,
                EdgeServiceRow,
                Organization.name.label("org_name"),
                Project.name.label("project_name"),
                presence(heard_since(now_ms, self._interval_ms)).label("seen"),
            )
            .outerjoin(EdgeServiceRow, EdgeServiceRow.agent_id == EdgeAgentRow.id)
            .outerjoin(Organization, Organization.id == EdgeServiceRow.org_id)
            .outerjoin(Project, Project.id == EdgeServiceRow.project_id)
            .where(
                EdgeAgentRow.state != str(AgentState.REMOVED),
                # Those at addresses have nobody who dialed in.
                EdgeAgentRow.id.startswith(EDGE_PREFIX),
                seen,
            )
        )

    def _conditions(self, wanted: Wanted, now_ms: int) -> Sequence[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if wanted.search:
            columns = (
                EdgeAgentRow.id,
                EdgeAgentRow.description,
                EdgeAgentRow.host_name,
                EdgeAgentRow.register_id,
                EdgeServiceRow.name,
                Organization.name,
                Project.name,
            )
            found.append(or_(*(item.icontains(wanted.search, autoescape=True) for item in columns)))
        if wanted.states:
            found.append(EdgeAgentRow.state.in_(wanted.states))
        if wanted.presences:
            seen = presence(heard_since(now_ms, self._interval_ms))
            found.append(seen.in_(wanted.presences))
        return [and_(*found)] if found else []


def _may_decide(grants: Grants) -> bool:
    return grants.allows_anywhere(Resource.EDGE_SERVICES, Level.EDIT)


async def _agent(session: AsyncSession, grants: Grants, agent_id: str) -> EdgeAgentRow:
    """One that the caller gets to know of."""
    agent = await session.get(EdgeAgentRow, agent_id)
    is_one = agent_id.startswith(EDGE_PREFIX)
    if agent is None or not is_one or agent.state == AgentState.REMOVED:
        raise MissingError(texts.NO_SUCH_AGENT)
    service = await store.service_of_agent(session, agent_id)
    if service is not None:
        standing = grants.in_project(service.org_id, service.project_id)
        if not grants.allows(standing, Resource.EDGE_SERVICES, Level.VIEW):
            raise MissingError(texts.NO_SUCH_AGENT)
    return agent


async def _refuse_managed(session: AsyncSession, agent: EdgeAgentRow) -> None:
    service = await store.service_of_agent(session, agent.id)
    if service is not None:
        raise TakenError(texts.IS_MANAGED, code="CONFLICT", name=service.name)


def _dialed_in(row: Any, now_ms: int) -> DialedIn:
    agent, service, org_name, project_name, seen = row
    return DialedIn(agent, seen, service, org_name or "", project_name or "", now_ms)
