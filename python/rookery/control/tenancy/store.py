"""Tables of tenants, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.tenancy.grants import Membership
from rookery.storage.base import ID_LENGTH, Base


class Organization(Base):
    """A tenant."""

    __tablename__ = "organizations"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[int]


class Project(Base):
    """What clusters and their people belong to."""

    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("org_id", "name"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    org_id: Mapped[str] = mapped_column(String(ID_LENGTH), ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[int]


class Member(Base):
    """Somebody in an organization (``project_id`` none) or in one of its projects."""

    __tablename__ = "memberships"
    __table_args__ = (
        Index(
            "uq_memberships_org",
            "user_id",
            "org_id",
            unique=True,
            sqlite_where=text("project_id IS NULL"),
            postgresql_where=text("project_id IS NULL"),
        ),
        Index(
            "uq_memberships_project",
            "user_id",
            "project_id",
            unique=True,
            sqlite_where=text("project_id IS NOT NULL"),
            postgresql_where=text("project_id IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE")
    )
    org_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
    project_id: Mapped[str | None] = mapped_column(
        String(ID_LENGTH), ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int]


MEMBERSHIP = (Member.org_id, Member.project_id, Member.role)


async def memberships_of(session: AsyncSession, user_id: str) -> Sequence[Membership]:
    """Where somebody belongs to."""
    rows = await session.execute(select(*MEMBERSHIP).where(Member.user_id == user_id))
    return memberships_in(rows)


def memberships_in(rows: Iterable[Sequence[Any]]) -> Sequence[Membership]:
    """Of :data:`MEMBERSHIP`, from rows that may have none."""
    return [Membership(*row) for row in rows if row[0] is not None]


async def organization(session: AsyncSession, org_id: str) -> Organization | None:
    return await session.get(Organization, org_id)


async def project(session: AsyncSession, org_id: str, project_id: str) -> Project | None:
    """A project, if it is one of that organization."""
    found = await session.get(Project, project_id)
    return found if found is not None and found.org_id == org_id else None


async def count_organizations(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(Organization)) or 0


async def count_projects(session: AsyncSession, org_id: str | None = None) -> int:
    """Of one organization, or of all."""
    query = select(func.count()).select_from(Project)
    if org_id is not None:
        query = query.where(Project.org_id == org_id)
    return await session.scalar(query) or 0
