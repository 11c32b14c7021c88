"""Tables of processes, and of the leases that they hold."""

from __future__ import annotations

from sqlalchemy import String, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base


class ProcessRow(Base):
    """A process that serves this database, or did a moment ago."""

    __tablename__ = "processes"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(300))
    version: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[int]
    heartbeat_at: Mapped[int]
    # How the others reach it; empty: they do not.
    peer_address: Mapped[str] = mapped_column(String(300))
    peer_certificate: Mapped[str] = mapped_column(String(64))
    peer_secret: Mapped[str] = mapped_column(String(64))


class LeaseRow(Base):
    """Who does some work, and for how long nobody else may."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(ID_LENGTH))
    until_at: Mapped[int]


async def take_lease(
    session: AsyncSession, name: str, holder: str, now_ms: int, for_ms: int
) -> bool:
    """Take or extend a lease; whether it is the holder's now."""
    taken = await session.scalar(
        update(LeaseRow)
        .where(LeaseRow.name == name, or_(LeaseRow.holder == holder, LeaseRow.until_at < now_ms))
        .values(holder=holder, until_at=now_ms + for_ms)
        .returning(LeaseRow.name)
    )
    if taken is not None:
        return True
    if await session.get(LeaseRow, name) is not None:
        return False
    try:
        async with session.begin_nested():
            session.add(LeaseRow(name=name, holder=holder, until_at=now_ms + for_ms))
    except IntegrityError:
        return False  # another process was faster
    return True


async def release_lease(session: AsyncSession, name: str, holder: str) -> None:
    """Let another process go on at once."""
    await session.execute(
        update(LeaseRow).where(LeaseRow.name == name, LeaseRow.holder == holder).values(until_at=0)
    )
