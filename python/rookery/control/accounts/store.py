"""Tables of users and sessions."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base


class User(Base):
    """Somebody who may sign in; ``email`` is in lower case."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    is_admin: Mapped[bool]
    is_enabled: Mapped[bool]
    language: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[int]
    last_login_at: Mapped[int | None]


class SessionRow(Base):
    """Somebody who signed in. Of the tokens their SHA-256 is kept alone."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    access_hash: Mapped[str] = mapped_column(String(64), unique=True)
    refresh_hash: Mapped[str] = mapped_column(String(64), unique=True)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[int]
    used_at: Mapped[int]
    access_until_at: Mapped[int]
    refresh_until_at: Mapped[int] = mapped_column(index=True)


async def user_by_email(session: AsyncSession, email: str) -> User | None:
    found: User | None = await session.scalar(select(User).where(User.email == email.lower()))
    return found


async def count_admins(session: AsyncSession, *, enabled: bool = True) -> int:
    """How many administrators of the whole system there are."""
    query = select(func.count()).select_from(User).where(User.is_admin.is_(True))
    if enabled:
        query = query.where(User.is_enabled.is_(True))
    return await session.scalar(query) or 0
