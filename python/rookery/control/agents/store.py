"""Tables of agents and registration tokens, and what is asked of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, String, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.agents.registration import RegistrationToken
from rookery.storage.base import ID_LENGTH, Base

VERSION_LENGTH_MAX = 64
TOKENS_KEPT = 20
"""Of one entry: that an old one was used or revoked is said for so long."""


class AgentRow(Base):
    """The agent of a cluster."""

    __tablename__ = "agents"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    cluster_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE"), unique=True
    )
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    node_id: Mapped[str] = mapped_column(String(128))
    host_name: Mapped[str] = mapped_column(String(256))
    version: Mapped[str] = mapped_column(String(VERSION_LENGTH_MAX))
    address: Mapped[str] = mapped_column(String(64))
    registered_at: Mapped[int]
    connected_at: Mapped[int | None]
    desired_version: Mapped[int]
    unregister_reason: Mapped[str] = mapped_column(String(500))
    capabilities: Mapped[list[Any]]
    """What it said that it can do."""


class TombstoneRow(Base):
    """An agent that was removed: what it is told when it comes back."""

    __tablename__ = "agent_tombstones"

    agent_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    reason: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)


class RegistrationTokenRow(Base):
    """A registration token; the token itself is kept nowhere."""

    __tablename__ = "registration_tokens"
    __table_args__ = (Index("ix_registration_tokens_cluster_id_at", "cluster_id", "created_at"),)

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    cluster_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE")
    )
    created_at: Mapped[int]
    expires_at: Mapped[int]
    replaces: Mapped[bool]
    used_at: Mapped[int | None]
    revoked_at: Mapped[int | None]
    downloaded_at: Mapped[int | None]


async def agent_of(session: AsyncSession, cluster_id: str) -> AgentRow | None:
    """The agent of a cluster."""
    found: AgentRow | None = await session.scalar(
        select(AgentRow).where(AgentRow.cluster_id == cluster_id)
    )
    return found


async def agent_by_secret(session: AsyncSession, secret_hash: str) -> AgentRow | None:
    """Whose secret it is."""
    found: AgentRow | None = await session.scalar(
        select(AgentRow).where(AgentRow.secret_hash == secret_hash)
    )
    return found


async def tombstone_by_secret(
    session: AsyncSession, secret_hash: str, now_ms: int
) -> TombstoneRow | None:
    """Which removed agent's secret it is."""
    found: TombstoneRow | None = await session.scalar(
        select(TombstoneRow).where(
            TombstoneRow.secret_hash == secret_hash, TombstoneRow.expires_at > now_ms
        )
    )
    return found


async def drop_old_tombstones(session: AsyncSession, now_ms: int) -> None:
    """Those whose time is over."""
    await session.execute(delete(TombstoneRow).where(TombstoneRow.expires_at <= now_ms))


async def token_of(session: AsyncSession, cluster_id: str) -> RegistrationToken | None:
    """What is known of the newest token of an entry."""
    row = await newest_token(session, cluster_id)
    return None if row is None else known_of(row)


async def newest_token(session: AsyncSession, cluster_id: str) -> RegistrationTokenRow | None:
    """The newest token of an entry."""
    found: RegistrationTokenRow | None = await session.scalar(
        select(RegistrationTokenRow)
        .where(RegistrationTokenRow.cluster_id == cluster_id)
        .order_by(RegistrationTokenRow.created_at.desc(), RegistrationTokenRow.hash)
        .limit(1)
    )
    return found


async def revoke_tokens(session: AsyncSession, cluster_id: str, now_ms: int) -> None:
    """None of those issued so far can be used."""
    await session.execute(
        update(RegistrationTokenRow)
        .where(
            RegistrationTokenRow.cluster_id == cluster_id,
            RegistrationTokenRow.used_at.is_(None),
            RegistrationTokenRow.revoked_at.is_(None),
        )
        .values(revoked_at=now_ms)
    )


async def forget_old_tokens(session: AsyncSession, cluster_id: str) -> None:
    """Keep the newest of an entry alone."""
    kept = (
        select(RegistrationTokenRow.hash)
        .where(RegistrationTokenRow.cluster_id == cluster_id)
        .order_by(RegistrationTokenRow.created_at.desc())
        .limit(TOKENS_KEPT)
    )
    await session.execute(
        delete(RegistrationTokenRow).where(
            RegistrationTokenRow.cluster_id == cluster_id, RegistrationTokenRow.hash.not_in(kept)
        )
    )


def known_of(row: RegistrationTokenRow) -> RegistrationToken:
    """What is known of a token."""
    return RegistrationToken(
        row.hash,
        row.cluster_id,
        row.created_at,
        row.expires_at,
        row.replaces,
        row.used_at,
        row.revoked_at,
        row.downloaded_at,
    )
