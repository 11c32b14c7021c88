"""Tables of the ports that clusters and edge services have, and of who may come in."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

from sqlalchemy import ForeignKey, Integer, String, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from rookery.control.clusters.store import ClusterRow
from rookery.control.edges.store import EdgeServiceRow
from rookery.storage.base import ID_LENGTH, Base

Sort: TypeAlias = Literal["cluster_id", "edge_id"]
"""The column that names it."""


class Target(NamedTuple):
    """What has a port: a cluster or an edge service."""

    sort: Sort
    id: str

    def of(self, table: type[DoorPortRow | DoorPassRow]) -> InstrumentedAttribute[Any]:
        """The column of a table that names it."""
        found: InstrumentedAttribute[Any] = getattr(table, self.sort)
        return found

    @property
    def columns(self) -> dict[str, str | None]:
        """As it is written in a row of either table."""
        return {"cluster_id": None, "edge_id": None, self.sort: self.id}


class DoorPortRow(Base):
    """The port of one target. It stays its own: what a browser keeps belongs to the port."""

    __tablename__ = "door_ports"

    port: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    cluster_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE"), unique=True
    )
    edge_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("edge_services.id", ondelete="CASCADE"), unique=True
    )
    used_at: Mapped[int]

    @property
    def target(self) -> Target:
        """Whose it is."""
        return target_of(self.cluster_id, self.edge_id)


class DoorPassRow(Base):
    """Somebody who may come in: with a code once, from then on with a cookie. Hashes are kept alone."""

    __tablename__ = "door_passes"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    cluster_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("clusters.id", ondelete="CASCADE"), index=True
    )
    edge_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("edge_services.id", ondelete="CASCADE"), index=True
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
    jar: Mapped[str | None] = mapped_column(Text)
    """Cookies that the pages were given, sealed."""


def target_of(cluster_id: str | None, edge_id: str | None) -> Target:
    """What two columns name."""
    if edge_id is not None:
        return Target("edge_id", edge_id)
    return Target("cluster_id", cluster_id or "")


async def port_of(session: AsyncSession, target: Target) -> DoorPortRow | None:
    """The port of a target, if it has one."""
    found: DoorPortRow | None = await session.scalar(
        select(DoorPortRow).where(target.of(DoorPortRow) == target.id)
    )
    return found


async def project_of(session: AsyncSession, target: Target) -> str | None:
    """Whose a target is."""
    table = EdgeServiceRow if target.sort == "edge_id" else ClusterRow
    found: str | None = await session.scalar(select(table.project_id).where(table.id == target.id))
    return found


async def ports(session: AsyncSession) -> list[DoorPortRow]:
    """All of them, the one used longest ago first."""
    return list(await session.scalars(select(DoorPortRow).order_by(DoorPortRow.used_at)))


async def projects_of_ports(session: AsyncSession) -> dict[int, str]:
    """Whose target each of them has."""
    clusters = select(DoorPortRow.port, ClusterRow.project_id).join(
        ClusterRow, ClusterRow.id == DoorPortRow.cluster_id
    )
    edges = select(DoorPortRow.port, EdgeServiceRow.project_id).join(
        EdgeServiceRow, EdgeServiceRow.id == DoorPortRow.edge_id
    )
    rows = [*await session.execute(clusters), *await session.execute(edges)]
    return {row[0]: row[1] for row in rows}


async def drop_passes(session: AsyncSession, target: Target) -> None:
    """Nobody may come in any more."""
    await session.execute(delete(DoorPassRow).where(target.of(DoorPassRow) == target.id))


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
