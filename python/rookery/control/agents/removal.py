"""What is left when an agent is removed from its cluster: a stone that tells it, should it return."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.agents.store import AgentRow, TombstoneRow
from rookery.control.clusters.state import Presence
from rookery.control.clusters.store import ClusterRow

KEPT_MS = 90 * 86_400_000
"""An agent that was away for longer is told that nobody knows it."""


async def bury(session: AsyncSession, agent: AgentRow, reason: str, now_ms: int) -> None:
    """Remove an agent; when it comes back it learns why."""
    session.add(
        TombstoneRow(
            agent_id=agent.id,
            secret_hash=agent.secret_hash,
            reason=reason[:500],
            created_at=now_ms,
            expires_at=now_ms + KEPT_MS,
        )
    )
    await session.delete(agent)


def make_vacant(row: ClusterRow) -> None:
    """An entry without an agent; what the last one said about the cluster is forgotten."""
    forget_signs(row)
    row.registered_at = None
    row.version = row.edition = ""
    row.nodes, row.nodes_running, row.nodes_total = [], 0, 0
    row.connections = row.connections_total = row.connection_limit = row.started_at = None
    row.limit_setting = row.is_limit_settable = None
    row.vacancies += 1
    row.rates = {}
    row.integrations, row.integrations_digest = {}, 0


def forget_signs(row: ClusterRow) -> None:
    """Nothing was heard of the agent that the entry has."""
    row.presence, row.presence_at, row.relay_process = str(Presence.UNKNOWN), None, None
    row.reported_at = row.first_reported_at = row.adopted_at = row.round_trip_ms = None
    row.errors, row.conditions, row.clock_skew_ms = {}, [], 0
    row.check_at = None
