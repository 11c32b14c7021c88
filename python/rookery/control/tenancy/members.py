"""Who belongs to an organization, and to its projects. Only who is in the one can be in the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from rookery.clock import Clock
from rookery.control.accounts import store as accounts
from rookery.control.accounts import texts as account_texts
from rookery.control.accounts.emails import checked_email
from rookery.control.accounts.proofs import refuse_unproven
from rookery.control.accounts.store import User
from rookery.control.accounts.users import NewUser, Users
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.errors import InvalidError, MissingError, TakenError
from rookery.control.rest.lists import Window, like, page
from rookery.control.tenancy import texts
from rookery.control.tenancy.grants import ADMIN
from rookery.control.tenancy.permissions import Resource
from rookery.control.tenancy.store import Member
from rookery.storage.database import Database
from rookery.storage.ids import new_id

_COLUMNS: Mapping[str, InstrumentedAttribute[Any]] = {
    "email": User.email,
    "name": User.name,
    "createdAt": Member.created_at,
}


class Members:
    """Members of the place that an :class:`Access` names: a project, or an organization itself."""

    def __init__(self, database: Database, clock: Clock, audit: AuditTrail, users: Users) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._users = users

    async def list(
        self, access: Access, window: Window, sort: str, email: str | None
    ) -> tuple[list[Any], int]:
        """Rows with who that is, and how many there are."""
        query: Select[*tuple[Any, ...]] = (
            select(
                Member.id,
                User.id.label("user_id"),
                User.email,
                User.name,
                User.is_enabled,
                User.proven_at.is_not(None).label("is_proven"),
                Member.role,
                Member.created_at,
            )
            .join(User, User.id == Member.user_id)
            .where(Member.org_id == access.org, _is_of(access))
        )
        if email:
            query = query.where(like(User.email, email))
        async with self._database.read() as session:
            return await page(session, query, window, sort, _COLUMNS)

    async def candidates(
        self, access: Access, window: Window, sort: str, email: str | None
    ) -> tuple[Sequence[Any], int]:
        """Who of the organization may be added to the project; whoever is disabled may not."""
        there = select(Member.user_id).where(Member.project_id == access.project)
        query: Select[*tuple[Any, ...]] = (
            select(User.id.label("user_id"), User.email, User.name)
            .join(Member, User.id == Member.user_id)
            .where(
                Member.org_id == access.org,
                Member.project_id.is_(None),
                User.is_enabled,
                User.id.not_in(there),
            )
        )
        if email:
            query = query.where(like(User.email, email))
        async with self._database.read() as session:
            return await page(session, query, window, sort, _COLUMNS)

    async def add_to_org(self, access: Access, new: NewUser, role: str) -> str:
        """Add somebody by the e-mail address, who is made if there is a password; the id of the user.

        Raises:
            MissingError: there is no such user, and no password to make one with.
            TakenError: that one belongs to the organization already, or somebody made the account and nobody has
                shown that the address is that one's.
            InvalidError: the address or the password will not do.
        """
        email = checked_email(new.email)
        stored = await self._users.hashed(new.password) if new.password else ""
        async with self._database.write() as session:
            user = await accounts.user_by_email(session, email)
            if user is not None:
                await self._refuse_member(session, access, user)
                refuse_unproven(user)
            else:
                if not stored:
                    raise MissingError(account_texts.NO_USER, code="USER_NOT_FOUND")
                user = await self._users.add(session, access, new, email, stored)
            await self._add(session, access, user, role)
            return user.id

    async def add_to_project(self, access: Access, user_id: str, role: str) -> None:
        """Add somebody of the organization to one of its projects.

        Raises:
            MissingError: there is no such user in the organization.
            TakenError: that one belongs to the project already; or is elsewhere too, and the address is not proven.
        """
        async with self._database.write() as session:
            user = await session.get(User, user_id)
            in_org = await session.scalar(
                select(Member.id).where(
                    Member.user_id == user_id,
                    Member.org_id == access.org,
                    Member.project_id.is_(None),
                )
            )
            if user is None or in_org is None:
                raise MissingError(texts.NOT_IN_ORG, code="USER_NOT_FOUND")
            await self._refuse_shared(session, access, user)
            await self._add(session, access, user, role)

    async def change(self, access: Access, user_id: str, role: str) -> None:
        """Give a member another role.

        Raises:
            MissingError: that user does not belong here.
            TakenError: that one is to be an administrator, is elsewhere too, and the address is not proven.
        """
        async with self._database.write() as session:
            member, user = await self._member(session, access, user_id)
            if role == ADMIN:
                await self._refuse_shared(session, access, user)
            before, member.role = member.role, role
            self._tell(
                session, access, "updateMember", user, before={"role": before}, after={"role": role}
            )

    async def remove(self, access: Access, user_id: str) -> None:
        """Take somebody out; out of an organization is out of its projects too.

        Raises:
            MissingError: that user does not belong here.
            InvalidError: it is the caller, who would lock himself out.
        """
        if user_id == access.caller.id:
            raise InvalidError(account_texts.NOT_YOURSELF, code="NOT_ALLOWED")
        async with self._database.write() as session:
            member, user = await self._member(session, access, user_id)
            gone = delete(Member).where(Member.user_id == user_id, Member.org_id == access.org)
            if access.project_id is not None:
                gone = gone.where(Member.project_id == access.project)
            self._tell(session, access, "removeMember", user, before={"role": member.role})
            await session.execute(gone)

    async def _refuse_member(self, session: AsyncSession, access: Access, user: User) -> None:
        known = select(Member.id).where(
            Member.user_id == user.id, Member.org_id == access.org, Member.project_id.is_(None)
        )
        if await session.scalar(known) is not None:
            raise TakenError(texts.MEMBER_ALREADY, email=user.email)

    async def _refuse_shared(self, session: AsyncSession, access: Access, user: User) -> None:
        """An account that came from elsewhere before addresses were proven gets nothing more."""
        elsewhere = select(Member.id).where(Member.user_id == user.id, Member.org_id != access.org)
        if await session.scalar(elsewhere.limit(1)) is not None:
            refuse_unproven(user)

    async def _add(self, session: AsyncSession, access: Access, user: User, role: str) -> None:
        email = user.email
        session.add(
            Member(
                id=new_id(),
                user_id=user.id,
                org_id=access.org,
                project_id=access.project_id,
                role=role,
                created_at=self._clock.now_ms(),
            )
        )
        try:
            await session.flush()
        except IntegrityError:
            raise TakenError(texts.MEMBER_ALREADY, email=email) from None
        self._tell(session, access, "addMember", user, after={"role": role})

    async def _member(
        self, session: AsyncSession, access: Access, user_id: str
    ) -> tuple[Member, User]:
        found = (
            await session.execute(
                select(Member, User)
                .join(User, User.id == Member.user_id)
                .where(Member.user_id == user_id, Member.org_id == access.org, _is_of(access))
            )
        ).first()
        if found is None:
            raise MissingError(texts.NO_MEMBER, code="USER_NOT_FOUND")
        return found[0], found[1]

    def _tell(
        self,
        session: AsyncSession,
        access: Access,
        operation: str,
        user: User,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        self._audit.record(
            session,
            access,
            Resource.USERS,
            operation,
            object_id=user.id,
            object_name=user.email,
            before=before,
            after=after,
        )


def _is_of(access: Access) -> Any:
    if access.project_id is None:
        return Member.project_id.is_(None)
    return Member.project_id == access.project_id
