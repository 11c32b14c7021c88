"""Lists of clusters: what is wanted of them is worked out by the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, defer

from rookery.control.agents.registration import RegistrationToken
from rookery.control.agents.store import AgentRow, RegistrationTokenRow, known_of
from rookery.control.clusters.models import Cluster, Wanted
from rookery.control.clusters.store import CLUSTERS, ClusterRow, labels_of

SORTS: Mapping[str, InstrumentedAttribute[Any]] = {
    "name": ClusterRow.name,
    "state": ClusterRow.state,
    "version": ClusterRow.version,
    "connections": ClusterRow.connections,
    "nodesRunning": ClusterRow.nodes_running,
    "createdAt": ClusterRow.created_at,
    "adoptedAt": ClusterRow.adopted_at,
    "lastReportAt": ClusterRow.reported_at,
    "startedAt": ClusterRow.started_at,
}
"""What a list can be sorted by, by the name in the REST interface."""

# What no list shows, and takes long to read.
_LEFT_OUT = tuple(
    defer(column, raiseload=True)
    for column in (ClusterRow.nodes, ClusterRow.errors, ClusterRow.integrations)
)


async def list_clusters(
    session: AsyncSession, project_id: str, wanted: Wanted, now_ms: int
) -> tuple[Sequence[Cluster], int]:
    """A page of a project's clusters, and how many there are on all pages."""
    count = _filtered(select(func.count()).select_from(ClusterRow), project_id, wanted)
    column = SORTS[wanted.sort]
    order = column.desc().nulls_last() if wanted.is_descending else column.asc().nulls_last()
    # In one query: a page waits for the database as often as there are queries.
    query = (
        select(ClusterRow, AgentRow, count.correlate(None).scalar_subquery())
        .outerjoin(AgentRow, AgentRow.cluster_id == ClusterRow.id)
        .options(*_LEFT_OUT)
    )
    found = await session.execute(
        _filtered(query, project_id, wanted)
        .order_by(order, ClusterRow.id)
        .offset(wanted.offset)
        .limit(wanted.size)
    )
    rows = found.all()
    if not rows:
        return [], await session.scalar(count) or 0
    return await _with_words(session, [(row, agent) for row, agent, _ in rows], now_ms), rows[0][2]


async def some_clusters(
    session: AsyncSession, project_id: str, cluster_ids: Sequence[str], now_ms: int
) -> Sequence[Cluster]:
    """Those of these that are still in the project."""
    rows = await session.scalars(
        select(ClusterRow).where(
            ClusterRow.project_id == project_id, ClusterRow.id.in_(cluster_ids)
        )
    )
    return await complete(session, rows.all(), now_ms)


async def versions_of(session: AsyncSession, project_id: str) -> Sequence[str]:
    """Versions that clusters of the project have, for a filter."""
    found = await session.scalars(
        select(ClusterRow.version)
        .where(ClusterRow.project_id == project_id, ClusterRow.version != "")
        .distinct()
        .order_by(ClusterRow.version)
        .limit(200)
    )
    return found.all()


async def known_labels(session: AsyncSession, project_id: str) -> Sequence[str]:
    """Labels that clusters of the project have, for a filter."""
    return await CLUSTERS.labels_in(session, project_id, 1000)


async def complete(
    session: AsyncSession, rows: Sequence[ClusterRow], now_ms: int
) -> Sequence[Cluster]:
    """Clusters with their labels, agents and newest tokens: three queries, however many rows."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    found = await session.scalars(select(AgentRow).where(AgentRow.cluster_id.in_(ids)))
    agents = {agent.cluster_id: agent for agent in found}
    return await _with_words(session, [(row, agents.get(row.id)) for row in rows], now_ms)


async def _with_words(
    session: AsyncSession, found: Sequence[tuple[ClusterRow, AgentRow | None]], now_ms: int
) -> Sequence[Cluster]:
    ids = [row.id for row, _ in found]
    labels = await labels_of(session, ids)
    tokens = await _newest_tokens(session, ids)
    return [
        Cluster(row, labels.get(row.id, ()), agent, tokens.get(row.id), now_ms)
        for row, agent in found
    ]


async def _newest_tokens(
    session: AsyncSession, cluster_ids: Sequence[str]
) -> dict[str, RegistrationToken]:
    rows = await session.scalars(
        select(RegistrationTokenRow)
        .where(RegistrationTokenRow.cluster_id.in_(cluster_ids))
        .order_by(RegistrationTokenRow.created_at, RegistrationTokenRow.hash.desc())
    )
    return {row.cluster_id: known_of(row) for row in rows}


def _filtered(query: Select[Any], project_id: str, wanted: Wanted) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [ClusterRow.project_id == project_id]
    if wanted.search:
        columns = (
            ClusterRow.name,
            ClusterRow.address,
            ClusterRow.description,
            ClusterRow.version,
        )
        conditions.append(
            or_(*(column.icontains(wanted.search, autoescape=True) for column in columns))
        )
    if wanted.states:
        conditions.append(ClusterRow.state.in_(wanted.states))
    if wanted.versions:
        conditions.append(ClusterRow.version.in_(wanted.versions))
    conditions.extend(CLUSTERS.with_labels(wanted.labels))
    return query.where(and_(*conditions))
