"""Tables of the ports that clusters have, and of who may come in."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.clusters.store import ClusterRow
from rookery.storage.base import ID_LENGTH, Base


class DoorPortRow(Base):
    """The port of a cluster. It stays the cluster's: what a browser keeps belongs to the port."""

    __tablename__ = "door_ports"

    port: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    cluster_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE"), unique=True
    )
    used_at: Mapped[int]


class DoorPassRow(Base):
    """Somebody who may come in: with a code once, from then on with a cookie. Hashes are kept alone."""

    __tablename__ = "door_passes"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    cluster_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("sessions.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    cookie_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    forgets: Mapped[bool]
    """Whether the browser is to forget what the cluster before left at this port."""
    created_at: Mapped[int]
    until_at: Mapped[int] = mapped_column(index=True)


async def port_of(session: AsyncSession, cluster_id: str) -> DoorPortRow | None:
    """The port of a cluster, if it has one."""
    found: DoorPortRow | None = await session.scalar(
        select(DoorPortRow).where(DoorPortRow.cluster_id == cluster_id)
    )
    return found


async def ports(session: AsyncSession) -> list[DoorPortRow]:
    """All of them, the one used longest ago first."""
    return list(await session.scalars(select(DoorPortRow).order_by(DoorPortRow.used_at)))


async def projects_of_ports(session: AsyncSession) -> dict[int, str]:
    """Whose cluster each of them has."""
    rows = await session.execute(
        select(DoorPortRow.port, ClusterRow.project_id).join(
            ClusterRow, ClusterRow.id == DoorPortRow.cluster_id
        )
    )
    return {row[0]: row[1] for row in rows}


async def drop_passes(session: AsyncSession, cluster_id: str) -> None:
    """Nobody may come in any more."""
    await session.execute(delete(DoorPassRow).where(DoorPassRow.cluster_id == cluster_id))


async def drop_old_passes(session: AsyncSession, now_ms: int) -> None:
    """Those whose time is over."""
    await session.execute(delete(DoorPassRow).where(DoorPassRow.until_at <= now_ms))


async def keep_newest_passes(session: AsyncSession, session_id: str, most: int) -> None:
    """Of those of one session."""
    kept = (
        select(DoorPassRow.id)
        .where(DoorPassRow.session_id == session_id)
        .order_by(DoorPassRow.created_at.desc())
        .limit(most)
    )
    await session.execute(
        delete(DoorPassRow).where(DoorPassRow.session_id == session_id, DoorPassRow.id.not_in(kept))
    )
