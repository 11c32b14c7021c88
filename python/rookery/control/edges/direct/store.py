"""The table of addresses of edge services, and what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.edges.store import AGENT_ID_LENGTH, EdgeServiceRow
from rookery.storage.base import ID_LENGTH, Base

DIRECT_PREFIX = "direct-"
"""What stands in the place of an agent's name for one that has none."""
ADDRESS_LENGTH_MAX = 300
REASON_LENGTH_MAX = 700


class DirectEdgeRow(Base):
    """Where an edge service is, and as whom control signs in there."""

    __tablename__ = "direct_edges"

    service_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("edge_services.id", ondelete="CASCADE"), primary_key=True
    )
    agent_id: Mapped[str] = mapped_column(String(AGENT_ID_LENGTH), unique=True)
    address: Mapped[str] = mapped_column(String(ADDRESS_LENGTH_MAX))
    username: Mapped[str] = mapped_column(String(256))
    sealed: Mapped[str] = mapped_column(Text)
    """The password."""
    certificate_sha256: Mapped[str] = mapped_column(String(64))
    """Of the certificate that it shows; empty: it has to be one that this machine trusts."""
    problem: Mapped[str] = mapped_column(String(REASON_LENGTH_MAX))
    problem_zh: Mapped[str] = mapped_column(String(REASON_LENGTH_MAX))


async def all_of(session: AsyncSession) -> Sequence[DirectEdgeRow]:
    """Of all projects."""
    return (await session.scalars(select(DirectEdgeRow).order_by(DirectEdgeRow.service_id))).all()


async def at(session: AsyncSession, agent_id: str) -> DirectEdgeRow | None:
    """The one of that name."""
    found: DirectEdgeRow | None = await session.scalar(
        select(DirectEdgeRow).where(DirectEdgeRow.agent_id == agent_id)
    )
    return found


async def of_project(
    session: AsyncSession, project_id: str
) -> Sequence[tuple[EdgeServiceRow, DirectEdgeRow]]:
    """With their services, by name."""
    query = (
        select(EdgeServiceRow, DirectEdgeRow)
        .join(DirectEdgeRow, DirectEdgeRow.service_id == EdgeServiceRow.id)
        .where(EdgeServiceRow.project_id == project_id)
        .order_by(EdgeServiceRow.name)
    )
    return [(service, row) for service, row in await session.execute(query)]
