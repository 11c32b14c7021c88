"""Tables of sign-ins elsewhere: those under way, and whom they led to."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base


class Attempt(Base):
    """A sign-in that was begun; it is gone when the browser comes back.

    What the provider is told is worked out of the state and of what the browser keeps: here are hashes alone.
    """

    __tablename__ = "oidc_attempts"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    binding_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[int] = mapped_column(index=True)


class Identity(Base):
    """An account of a provider, and the user that it is here."""

    __tablename__ = "oidc_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    issuer: Mapped[str] = mapped_column(String(512))
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[int]


async def identity(session: AsyncSession, issuer: str, subject: str) -> Identity | None:
    found: Identity | None = await session.scalar(
        select(Identity).where(Identity.issuer == issuer, Identity.subject == subject)
    )
    return found


async def issuers_of(session: AsyncSession, user_id: str) -> list[str]:
    """At whom somebody may sign in."""
    rows = await session.scalars(select(Identity.issuer).where(Identity.user_id == user_id))
    return list(rows)


async def identities_of(session: AsyncSession, user_id: str) -> list[Identity]:
    """All accounts elsewhere of a user, the first one first."""
    rows = await session.scalars(
        select(Identity).where(Identity.user_id == user_id).order_by(Identity.created_at)
    )
    return list(rows)


async def unbind(session: AsyncSession, user_id: str) -> bool:
    """Forget all accounts elsewhere of a user; whether there were any."""
    done = await session.execute(delete(Identity).where(Identity.user_id == user_id))
    return bool(getattr(done, "rowcount", 0))
