"""What can be done about users: by administrators, and by each about himself.

**Rules.** An enabled administrator always stays, and nobody disables, demotes or removes himself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.accounts import passwords as password_rule
from rookery.control.accounts import store, texts
from rookery.control.accounts.emails import checked_email
from rookery.control.accounts.passwords import Passwords
from rookery.control.accounts.proofs import prove, refuse_unproven
from rookery.control.accounts.sessions import Sessions, end_all_of
from rookery.control.accounts.store import PasswordBefore, User
from rookery.control.audit.reading import made_in
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.errors import (
    DeniedError,
    InvalidError,
    MissingError,
    TakenError,
    TooManyError,
)
from rookery.control.settings import user_management
from rookery.control.tenancy.permissions import Resource
from rookery.storage.database import Database
from rookery.storage.ids import new_id

USERS_MAX = 10_000
USERS_OF_ORG_MAX = 1_000
"""Whom one organization may make, and who are still there: none fills the system for all. An administrator of the
system may make more there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """Somebody to be."""

    email: str
    password: str
    name: str = ""
    is_admin: bool = False
    language: str = "en"
    must_change_password: bool = False
    is_proven: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What is to be another; none stays."""

    name: str | None = None
    is_admin: bool | None = None
    is_enabled: bool | None = None
    language: str | None = None


class Users:
    """All users of one database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        passwords: Passwords,
        sessions: Sessions,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._passwords = passwords
        self._sessions = sessions

    async def user(self, user_id: str) -> User:
        """One of them.

        Raises:
            MissingError: there is none.
        """
        async with self._database.read() as session:
            return _present(await session.get(User, user_id))

    async def hashed(self, password: str, user_id: str = "") -> str:
        """A password as it is kept, if it will do, for somebody who may have had it before.

        Raises:
            InvalidError: it will not do.
        """
        async with self._database.read() as session:
            rules = await user_management.read(session)
            before = await store.passwords_before(session, user_id, rules.password_history)
        password_rule.check(password, rules.password_length_min)
        for stored in before:
            if await self._passwords.is_right(stored, password):
                raise InvalidError(texts.PASSWORD_AGAIN, most=rules.password_history)
        return await self._passwords.hash(password)

    async def keep_password(
        self, session: AsyncSession, user: User, stored: str, *, must_change: bool = False
    ) -> None:
        """Set another password, hashed before, in a unit of work of the caller's."""
        now_ms = self._clock.now_ms()
        if user.password_hash:
            session.add(
                PasswordBefore(
                    id=new_id(),
                    user_id=user.id,
                    password_hash=user.password_hash,
                    created_at=now_ms,
                )
            )
            await store.forget_old_passwords(session, user.id)
        user.password_hash, user.password_changed_at = stored, now_ms
        user.must_change_password = must_change

    async def create(self, access: Access, new: NewUser) -> User:
        """Add a user.

        Raises:
            DeniedError: an API token would make an administrator.
            InvalidError: the address or the password will not do.
            TakenError: there is one of that address.
            TooManyError: there are as many as there may be.
        """
        email = checked_email(new.email)
        if new.is_admin:
            refuse_tokens(access)
        stored = await self.hashed(new.password)
        async with self._database.write() as session:
            return await self.add(session, access, new, email, stored)

    async def add(
        self, session: AsyncSession, access: Access, new: NewUser, email: str, stored: str
    ) -> User:
        """The same in a unit of work of the caller's, with the password hashed before.

        An ``access`` to an organization says that it makes the user.
        """
        await _refuse_too_many(session, access)
        now_ms = self._clock.now_ms()
        user = User(
            id=new_id(),
            email=email,
            name=new.name or email.partition("@")[0],
            password_hash=stored,
            is_admin=new.is_admin,
            is_enabled=True,
            language=new.language,
            created_at=now_ms,
            last_login_at=None,
            password_changed_at=now_ms,
            must_change_password=new.must_change_password,
            # Whom an administrator of the system makes, he vouches for.
            proven_at=now_ms if new.is_proven or access.caller.grants.is_admin else None,
        )
        session.add(user)
        try:
            await session.flush()
        except IntegrityError:
            raise TakenError(texts.EMAIL_TAKEN, email=email) from None
        self._tell(session, access, "create", user, after=_told(user))
        return user

    async def update(self, access: Access, user_id: str, change: UserChange) -> User:
        """Change somebody; who is disabled is signed out.

        Raises:
            DeniedError: an API token would make an administrator.
            MissingError: there is no such user.
            InvalidError: it is the caller, and that is not for him to do.
            TakenError: no enabled administrator would be left, or the address of one to be is not proven.
        """
        if change.is_admin:
            refuse_tokens(access)
        async with self._database.write() as session:
            user = await self._locked(session, user_id)
            before = _told(user)
            if change.name is not None:
                user.name = change.name
            if change.language is not None:
                user.language = change.language
            if change.is_admin is not None:
                if change.is_admin:
                    refuse_unproven(user)
                user.is_admin = change.is_admin
            if change.is_enabled is not None:
                user.is_enabled = change.is_enabled
            after = _told(user)
            lost = {name for name in ("isAdmin", "isEnabled") if before[name] and not after[name]}
            if lost:
                await self._keep_one(session, access, user, before)
            if "isEnabled" in lost:
                await end_all_of(session, user.id)
            self._tell(session, access, "update", user, before=before, after=after)
        return user

    async def set_password(
        self, access: Access, user_id: str, password: str, *, must_change: bool = False
    ) -> None:
        """Give somebody another password; that one is signed out everywhere.

        With ``must_change`` that one has to choose another at the next sign-in.

        Raises:
            DeniedError: an API token asks.
            MissingError: there is no such user.
            InvalidError: the password will not do.
        """
        refuse_tokens(access)
        stored = await self.hashed(password, user_id)
        async with self._database.write() as session:
            user = _present(await session.get(User, user_id))
            await self.keep_password(session, user, stored, must_change=must_change)
            await end_all_of(session, user.id)
            self._tell(session, access, "resetPassword", user)
        self._sessions.lockout.forget(user.email)

    async def confirm(
        self, access: Access, user_id: str, password: str, *, must_change: bool = True
    ) -> None:
        """Vouch for it that somebody's address is that one's, who is given another password.

        Raises:
            DeniedError: an API token asks.
            MissingError: there is no such user.
            InvalidError: the password will not do.
            TakenError: the address is proven already.
        """
        refuse_tokens(access)
        stored = await self.hashed(password)
        now_ms = self._clock.now_ms()
        async with self._database.write() as session:
            user = _present(await session.get(User, user_id, with_for_update=True))
            if not await prove(session, self._audit, access, user, "administrator", now_ms):
                raise TakenError(texts.PROVEN_ALREADY, code="CONFLICT", email=user.email)
            await self.keep_password(session, user, stored, must_change=must_change)
        self._sessions.lockout.forget(user.email)

    async def change_own_password(self, access: Access, old: str, new: str) -> None:
        """By its owner, who stays signed in here and nowhere else.

        Raises:
            InvalidError: the old one is wrong, or the new one will not do.
            UnknownCallerError: too many wrong ones came from there.
        """
        caller = access.caller
        user = await self.user(caller.id)
        await self._sessions.confirm(caller, user.password_hash, old)
        stored = await self.hashed(new, caller.id)
        async with self._database.write() as session:
            user = _present(await session.get(User, caller.id))
            await self.keep_password(session, user, stored)
            await end_all_of(session, user.id, but=caller.session_id)
            self._tell(session, access, "changePassword", user)

    async def update_own(self, access: Access, name: str | None, language: str | None) -> None:
        """What everybody may change about himself."""
        await self.update(access, access.caller.id, UserChange(name=name, language=language))

    async def delete(self, access: Access, user_id: str) -> None:
        """Remove a user with memberships, sessions and tokens.

        Raises:
            MissingError: there is no such user.
            InvalidError: it is the caller.
            TakenError: no enabled administrator would be left.
        """
        async with self._database.write() as session:
            user = await self._locked(session, user_id)
            before = _told(user)
            await session.delete(user)
            await session.flush()
            await self._keep_one(session, access, user, before)
            self._tell(session, access, "delete", user, before=before)

    async def end_sessions(self, access: Access, user_id: str) -> None:
        """Sign somebody out everywhere.

        Raises:
            MissingError: there is no such user.
        """
        async with self._database.write() as session:
            user = _present(await session.get(User, user_id))
            await end_all_of(session, user.id)
            self._tell(session, access, "endSessions", user)

    async def _locked(self, session: AsyncSession, user_id: str) -> User:
        # Two administrators who remove each other at once wait for each other here.
        await session.execute(
            select(User.id).where(User.is_admin.is_(True)).order_by(User.id).with_for_update()
        )
        return _present(await session.get(User, user_id, populate_existing=True))

    async def _keep_one(
        self, session: AsyncSession, access: Access, user: User, before: dict[str, Any]
    ) -> None:
        if user.id == access.caller.id:
            raise InvalidError(texts.NOT_YOURSELF, code="NOT_ALLOWED")
        await session.flush()
        if before["isAdmin"] and not await store.count_admins(session):
            raise TakenError(texts.LAST_ADMIN, code="CONFLICT")

    def _tell(
        self,
        session: AsyncSession,
        access: Access,
        operation: str,
        user: User,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
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


async def _refuse_too_many(session: AsyncSession, access: Access) -> None:
    count = select(func.count()).select_from(User)
    if (await session.scalar(count) or 0) >= USERS_MAX:
        raise TooManyError(texts.USERS_MAX, most=USERS_MAX)
    if access.org_id is None or access.caller.grants.is_admin:
        return
    theirs = count.where(User.id.in_(made_in(access.org_id, Resource.USERS)))
    if (await session.scalar(theirs) or 0) >= USERS_OF_ORG_MAX:
        raise TooManyError(texts.USERS_OF_ORG_MAX, most=USERS_OF_ORG_MAX)


def _told(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": user.name,
        "isAdmin": user.is_admin,
        "isEnabled": user.is_enabled,
        "isProven": user.proven_at is not None,
        "language": user.language,
    }


def refuse_tokens(access: Access) -> None:
    """What outlives a token: with another's password or an administrator of its own making it would
    be more than its owner gave it.
    """
    if access.caller.via == "token":
        raise DeniedError(texts.PEOPLE_ONLY)


def _present(user: User | None) -> User:
    if user is None:
        raise MissingError(texts.NO_USER, code="USER_NOT_FOUND")
    return user
