"""The table of messages that wait to be sent."""

from __future__ import annotations

from sqlalchemy import String, Text, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base


class OutboxRow(Base):
    """A message to one recipient. Its text is sealed: there may be a link in it that lets somebody in.

    Attributes:
        until_at: After that it is of no use to the recipient.
        next_at: When it is tried; while a process tries, when another may.
    """

    __tablename__ = "mail_outbox"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int]
    until_at: Mapped[int]
    next_at: Mapped[int] = mapped_column(index=True)
    attempts: Mapped[int]
    error: Mapped[str] = mapped_column(String(500))


async def count(session: AsyncSession) -> int:
    """How many wait."""
    return await session.scalar(select(func.count()).select_from(OutboxRow)) or 0


async def due(session: AsyncSession, now_ms: int, most: int) -> list[OutboxRow]:
    """Those that may be tried, the oldest first."""
    query = select(OutboxRow).where(OutboxRow.next_at <= now_ms).order_by(OutboxRow.next_at)
    return list(await session.scalars(query.limit(most)))


async def claim(session: AsyncSession, row: OutboxRow, until_ms: int) -> bool:
    """Take one for this process until then; whether no other was faster."""
    done = await session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == row.id, OutboxRow.next_at == row.next_at)
        .values(next_at=until_ms, attempts=OutboxRow.attempts + 1)
    )
    return bool(getattr(done, "rowcount", 0))
