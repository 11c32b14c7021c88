"""Tables of links that were sent to somebody: of the token in one its SHA-256 is kept alone."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from rookery.storage.base import ID_LENGTH, Base


class Invitation(Base):
    """Somebody who may become a user, with roles. It is gone when it is accepted or revoked.

    Attributes:
        org_role: In the organization; none: it is no invitation to one.
        inviter_name: Who invited, as it was then.
        is_proof: Whoever has the link has the address: it was mailed, or handed to an administrator of the system.
    """

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254), index=True)
    language: Mapped[str] = mapped_column(String(8))
    is_admin: Mapped[bool]
    org_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
    org_role: Mapped[str | None] = mapped_column(String(16))
    project_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE")
    )
    project_role: Mapped[str | None] = mapped_column(String(16))
    inviter_name: Mapped[str] = mapped_column(String(254))
    is_mailed: Mapped[bool]
    is_proof: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)


class PasswordReset(Base):
    """Somebody who may set another password without knowing the one before."""

    __tablename__ = "password_resets"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
