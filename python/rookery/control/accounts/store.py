"""Tables of users and sessions."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, delete, func, select
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
    password_changed_at: Mapped[int | None]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    proven_at: Mapped[int | None]
    """Since when it is known to be that person's address; none: whoever made it may be another."""


class PasswordBefore(Base):
    """A password that somebody had, hashed: rules may forbid it."""

    __tablename__ = "passwords_before"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    password_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[int]


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
    provider: Mapped[str] = mapped_column(String(16), default="")
    """Who told who that is: empty, or ``oidc``."""


async def user_by_email(session: AsyncSession, email: str) -> User | None:
    found: User | None = await session.scalar(select(User).where(User.email == email.lower()))
    return found


PASSWORDS_BEFORE_MAX = 10


async def passwords_before(session: AsyncSession, user_id: str, most: int) -> list[str]:
    """The last ``most`` passwords of somebody, hashed; the present one is the first."""
    user = await session.get(User, user_id) if user_id and most > 0 else None
    if user is None:
        return []
    rows = await session.scalars(
        select(PasswordBefore.password_hash)
        .where(PasswordBefore.user_id == user_id)
        .order_by(PasswordBefore.created_at.desc())
        .limit(most - 1)
    )
    return [stored for stored in (user.password_hash, *rows) if stored]


async def forget_old_passwords(session: AsyncSession, user_id: str) -> None:
    """Keep no more than rules may ask for."""
    await session.flush()
    ids = list(
        await session.scalars(
            select(PasswordBefore.id)
            .where(PasswordBefore.user_id == user_id)
            .order_by(PasswordBefore.created_at.desc())
            .offset(PASSWORDS_BEFORE_MAX)
        )
    )
    if ids:
        await session.execute(delete(PasswordBefore).where(PasswordBefore.id.in_(ids)))


async def count_admins(session: AsyncSession, *, enabled: bool = True) -> int:
    """How many administrators of the whole system there are."""
    query = select(func.count()).select_from(User).where(User.is_admin.is_(True))
    if enabled:
        query = query.where(User.is_enabled.is_(True))
    return await session.scalar(query) or 0
