"""The table of commands, and what is asked of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ForeignKey, Index, String, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.agents.store import AgentRow
from rookery.control.clusters.store import ClusterRow
from rookery.control.commands.kinds import UNREGISTER
from rookery.control.commands.state import OPEN, State
from rookery.storage.base import ID_LENGTH, Base

KIND_LENGTH_MAX = 64
SUBJECT_LENGTH_MAX = 330
CODE_LENGTH_MAX = 64
TEXT_LENGTH_MAX = 1024
NAME_LENGTH_MAX = 254


class CommandRow(Base):
    """Something to be done at a cluster, and how that goes."""

    __tablename__ = "commands"
    __table_args__ = (
        Index("ix_commands_cluster_id_at", "cluster_id", "created_at"),
        Index("ix_commands_state", "state"),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    cluster_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE")
    )
    # Of whom it was asked: another agent at the same entry may stand beside another cluster.
    agent_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    kind: Mapped[str] = mapped_column(String(KIND_LENGTH_MAX))
    subject: Mapped[str] = mapped_column(String(SUBJECT_LENGTH_MAX))
    arguments: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    created_at: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(NAME_LENGTH_MAX))
    expires_at: Mapped[int]
    not_before: Mapped[int]
    sent_at: Mapped[int | None]
    acknowledged_at: Mapped[int | None]
    started_at: Mapped[int | None]
    finished_at: Mapped[int | None]
    code: Mapped[str] = mapped_column(String(CODE_LENGTH_MAX))
    text: Mapped[str] = mapped_column(String(TEXT_LENGTH_MAX))
    fields: Mapped[dict[str, Any]]


_OPEN = [str(state) for state in sorted(OPEN)]


async def command_of(session: AsyncSession, cluster_id: str, command_id: str) -> CommandRow | None:
    """A command, if it is one of that cluster."""
    found = await session.get(CommandRow, command_id)
    return found if found is not None and found.cluster_id == cluster_id else None


async def open_of(session: AsyncSession, cluster_id: str) -> Sequence[CommandRow]:
    """The open ones of a cluster, in the order they were made."""
    found = await session.scalars(
        select(CommandRow)
        .where(CommandRow.cluster_id == cluster_id, CommandRow.state.in_(_OPEN))
        .order_by(CommandRow.created_at, CommandRow.id)
    )
    return found.all()


async def open_of_agent(session: AsyncSession, agent_id: str) -> Sequence[CommandRow]:
    """Those that an agent which is there is to carry out, in that order."""
    found = await session.scalars(
        select(CommandRow)
        .join(AgentRow, AgentRow.id == CommandRow.agent_id)
        .where(
            CommandRow.agent_id == agent_id,
            CommandRow.state.in_(_OPEN),
            CommandRow.kind != UNREGISTER,
        )
        .order_by(CommandRow.created_at, CommandRow.id)
    )
    return found.all()


async def agents_waiting(session: AsyncSession, now_ms: int, *, most: int) -> Sequence[str]:
    """The agents for which something is to be sent, or sent again."""
    found = await session.scalars(
        select(CommandRow.agent_id)
        .where(
            CommandRow.state.in_(_OPEN),
            CommandRow.not_before <= now_ms,
            CommandRow.kind != UNREGISTER,
        )
        .distinct()
        .limit(most)
    )
    return found.all()


async def last_at(session: AsyncSession, cluster_id: str) -> int:
    """When the newest of a cluster was made."""
    return (
        await session.scalar(
            select(func.max(CommandRow.created_at)).where(CommandRow.cluster_id == cluster_id)
        )
        or 0
    )


async def overdue(session: AsyncSession, now_ms: int, *, most: int) -> Sequence[CommandRow]:
    """Open ones whose time is over."""
    found = await session.scalars(
        select(CommandRow)
        .where(CommandRow.state.in_(_OPEN), CommandRow.expires_at <= now_ms)
        .limit(most)
    )
    return found.all()


async def orphans(session: AsyncSession, *, most: int) -> Sequence[CommandRow]:
    """Open ones whose agent is not there any more."""
    found = await session.scalars(
        select(CommandRow)
        .outerjoin(AgentRow, AgentRow.id == CommandRow.agent_id)
        .where(CommandRow.state.in_(_OPEN), AgentRow.id.is_(None), CommandRow.kind != UNREGISTER)
        .limit(most)
    )
    return found.all()


async def open_removals(session: AsyncSession, agent_id: str) -> Sequence[CommandRow]:
    """The commands by which an agent was let go, as long as it has not said that it knows."""
    found = await session.scalars(
        select(CommandRow).where(
            CommandRow.agent_id == agent_id,
            CommandRow.kind == UNREGISTER,
            CommandRow.state.in_(_OPEN),
        )
    )
    return found.all()


async def drop_old(session: AsyncSession, before_ms: int) -> None:
    """Forget those that ended before."""
    await session.execute(
        delete(CommandRow).where(CommandRow.state.not_in(_OPEN), CommandRow.finished_at < before_ms)
    )


async def drop_beyond(session: AsyncSession, cluster_id: str, most: int) -> None:
    """Keep so many of a cluster that have ended, the newest."""
    kept = (
        select(CommandRow.id)
        .where(CommandRow.cluster_id == cluster_id, CommandRow.state.not_in(_OPEN))
        .order_by(CommandRow.created_at.desc())
        .limit(most)
    )
    await session.execute(
        delete(CommandRow).where(
            CommandRow.cluster_id == cluster_id,
            CommandRow.state.not_in(_OPEN),
            CommandRow.id.not_in(kept),
        )
    )


async def places_of(
    session: AsyncSession, cluster_ids: Collection[str]
) -> Sequence[tuple[str, str]]:
    """Project and id of clusters."""
    found = await session.execute(
        select(ClusterRow.project_id, ClusterRow.id).where(ClusterRow.id.in_(cluster_ids))
    )
    return [(project_id, cluster_id) for project_id, cluster_id in found]


def state_of(row: CommandRow) -> State:
    """Where it is."""
    return State(row.state)
