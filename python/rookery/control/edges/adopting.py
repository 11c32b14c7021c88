"""Makes an edge service of an agent, in the unit of work of whoever decided it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.clusters.models import Entry
from rookery.control.edges import store, texts
from rookery.control.edges.models import AGENT_RESOURCE, RESOURCE
from rookery.control.edges.state import AgentState
from rookery.control.edges.store import EdgeAgentRow, EdgeServiceRow
from rookery.control.errors import TakenError
from rookery.storage.ids import new_id

SERVICES_MAX = 10_000
"""Of one project."""
AGENT_MODE, DIRECT_MODE = "agent", "direct"


async def adopt(
    session: AsyncSession,
    audit: AuditTrail,
    access: Access,
    agent: EdgeAgentRow,
    entry: Entry,
    now_ms: int,
    *,
    mode: str = AGENT_MODE,
    about: Mapping[str, Any] | None = None,
) -> EdgeServiceRow:
    """Make a service of a checked entry; ``access`` says in which project.

    ``about`` is written into the audit in the place of the agent's name.

    Raises:
        TakenError: it is managed or rejected, the name is taken, or the project has too many.
    """
    if agent.state == AgentState.MANAGED:
        service = await store.service_of_agent(session, agent.id)
        name = "?" if service is None else service.name
        raise TakenError(texts.IS_MANAGED, code="CONFLICT", name=name)
    if agent.state != AgentState.PENDING:
        raise TakenError(texts.IS_REJECTED, code="CONFLICT")
    if await store.is_name_taken(session, access.project, entry.name):
        raise TakenError(texts.NAME_TAKEN, name=entry.name)
    if await store.count_services(session, access.project) >= SERVICES_MAX:
        raise TakenError(texts.TOO_MANY_SERVICES, code="EXCEED_LIMIT", most=SERVICES_MAX)
    row = EdgeServiceRow(
        id=new_id(),
        org_id=access.org,
        project_id=access.project,
        name=entry.name,
        description=entry.description,
        mode=mode,
        agent_id=agent.id,
        created_at=now_ms,
    )
    session.add(row)
    await session.flush()
    await store.put_labels(session, row.id, entry.labels)
    decide(agent, AgentState.MANAGED)
    after = {**(about or {"agentId": agent.id}), "name": row.name, "labels": list(entry.labels)}
    record(session, audit, access, "adopt", row, after=after)
    await session.flush()
    return row


async def let_go(session: AsyncSession, row: EdgeServiceRow, agent: EdgeAgentRow | None) -> None:
    """Take the service away; its agent waits again. One at an address is gone with it."""
    await session.delete(row)
    await session.flush()
    if agent is not None and row.mode == DIRECT_MODE:
        await session.delete(agent)
    elif agent is not None:
        decide(agent, AgentState.PENDING)


def decide(agent: EdgeAgentRow, state: AgentState, reason: str = "") -> None:
    """Write what was decided about it; it is told afterwards."""
    agent.state, agent.reason = str(state), reason[:500]
    agent.desired_version += 1


def record(
    session: AsyncSession,
    audit: AuditTrail,
    access: Access,
    operation: str,
    row: EdgeServiceRow,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Tell what is done with a service."""
    audit.record(
        session,
        access,
        RESOURCE,
        operation,
        object_id=row.id,
        object_name=row.name,
        before=before,
        after=after,
    )


def record_agent(
    session: AsyncSession,
    audit: AuditTrail,
    access: Access,
    operation: str,
    agent: EdgeAgentRow,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Tell what is done with an agent that belongs to nobody."""
    audit.record(
        session,
        access,
        AGENT_RESOURCE,
        operation,
        object_id=agent.id,
        object_name=agent.description or agent.host_name,
        after=after,
    )
