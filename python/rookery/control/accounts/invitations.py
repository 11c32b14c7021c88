"""Invitations: a link that makes its holder a user with the roles that were chosen, once.

With a mail server the link goes to the address alone; nobody else is shown it. Without one whoever invites is
given it to hand over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.accounts import letters, store, texts
from rookery.control.accounts.emails import checked_email
from rookery.control.accounts.letters import INVITATION_PATH, Invited
from rookery.control.accounts.links import Invitation
from rookery.control.accounts.proofs import CODE, By, may_be_proven, prove
from rookery.control.accounts.secrets import digest, new_token
from rookery.control.accounts.store import User
from rookery.control.accounts.users import NewUser, Users, refuse_tokens
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access, Caller
from rookery.control.errors import (
    NOT_FOUND,
    InvalidError,
    MissingError,
    TakenError,
    TooManyError,
)
from rookery.control.mail import settings as mail_settings
from rookery.control.mail.outbox import Outbox
from rookery.control.settings import address as access_address
from rookery.control.settings import user_management
from rookery.control.tenancy import store as tenancy
from rookery.control.tenancy.permissions import Resource
from rookery.control.tenancy.store import Member
from rookery.storage.database import Database
from rookery.storage.ids import new_id

AT_ONCE_MAX = 10
OPEN_MAX = 1000
OPEN_OF_ORG_MAX = 200
"""Into one organization: none takes the room of all."""
KEPT_MS = 30 * 24 * 3600 * 1000
"""How long one that has expired is listed, to be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What somebody is to be."""

    is_admin: bool = False
    org_id: str | None = None
    org_role: str | None = None
    project_id: str | None = None
    project_role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An invitation with the link, where no mail took it."""

    row: Invitation
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """What somebody who accepts says of himself; ``stored``: the password as it is kept, empty for none."""

    stored: str
    name: str
    language: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What somebody who follows the link is shown."""

    email: str
    language: str
    inviter: str
    org_name: str
    project_name: str
    is_known: bool
    expires_at: int


class Invitations:
    """All of one database."""

    def __init__(
        self, database: Database, clock: Clock, audit: AuditTrail, users: Users, outbox: Outbox
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._users = users
        self._outbox = outbox

    async def invite(
        self, access: Access, emails: Sequence[str], language: str, roles: Roles
    ) -> list[Made]:
        """Invite all of them, or none.

        Raises:
            DeniedError: an API token would make an administrator.
            InvalidError: an address is none, or a role has no place.
            MissingError: there is no such organization or project.
            TakenError: one of them is a user already, or is invited to the same place.
            TooManyError: as many are open as may be, in all or in the organization.
        """
        addresses = list(dict.fromkeys(checked_email(email) for email in emails))
        if roles.is_admin:
            refuse_tokens(access)
        async with self._database.write() as session:
            await self._database.alone(session, Invitation.__tablename__)
            place = await self._place(session, roles)
            await _refuse_too_many(session, roles.org_id, len(addresses))
            made = []
            for email in addresses:
                user = await self._refuse_known(session, email, roles)
                row = self._new(access, email, language, roles)
                session.add(row)
                made.append(await self._hand_over(session, access, row, place))
                if user is not None and not row.is_proof:
                    raise TakenError(texts.NOT_PROVEN_NO_MAIL, code=CODE, email=email)
                self._tell(session, access, "invite", row, after=_told(row))
        self._outbox.nudge()
        return made

    async def renew(self, access: Access, invitation_id: str) -> Made:
        """Another link for the same; the one before ends.

        Raises:
            MissingError: there is no such invitation here.
        """
        async with self._database.write() as session:
            row = await self._mine(session, access, invitation_id)
            if row.is_admin:
                refuse_tokens(access)
            roles = Roles(org_id=row.org_id, project_id=row.project_id)
            place = await self._place(session, roles)
            made = await self._hand_over(session, access, row, place)
            self._tell(session, access, "renewInvitation", row)
        self._outbox.nudge()
        return made

    async def revoke(self, access: Access, invitation_id: str) -> None:
        """Its link works no more.

        Raises:
            MissingError: there is no such invitation here.
        """
        async with self._database.write() as session:
            row = await self._mine(session, access, invitation_id)
            await session.delete(row)
            self._tell(session, access, "revokeInvitation", row, before=_told(row))

    async def look(self, token: str) -> Opened:
        """What a link is for.

        Raises:
            InvalidError: it works no more.
        """
        async with self._database.read() as session:
            row = await self._by_token(session, token)
            is_known = await store.user_by_email(session, row.email) is not None
            org = None if row.org_id is None else await tenancy.organization(session, row.org_id)
            project = None
            if row.project_id is not None and row.org_id is not None:
                project = await tenancy.project(session, row.org_id, row.project_id)
        return Opened(
            email=row.email,
            language=row.language,
            inviter=row.inviter_name,
            org_name="" if org is None else org.name,
            project_name="" if project is None else project.name,
            is_known=is_known,
            expires_at=row.expires_at,
        )

    async def accept(
        self, token: str, name: str, password: str, language: str, address: str
    ) -> None:
        """Become a user.

        Raises:
            InvalidError: the link works no more, or the password will not do.
            TakenError: that one became a user meanwhile.
        """
        await self.look(token)
        stored = await self._users.hashed(password)
        async with self._database.write() as session:
            # Two that use it at once wait for each other here.
            row = await self._by_token(session, token, for_update=True)
            taker = Taker(stored=stored, name=name, language=language, address=address)
            await self.take(session, [row], taker, "invitation" if row.is_proof else None)

    async def open_for(self, session: AsyncSession, email: str) -> list[Invitation]:
        """Those of an address that work, for somebody who proved that it is his."""
        rows = await session.scalars(
            select(Invitation)
            .where(Invitation.email == email, Invitation.expires_at > self._clock.now_ms())
            .order_by(Invitation.created_at)
            .with_for_update()
        )
        return list(rows)

    async def take(
        self, session: AsyncSession, rows: Sequence[Invitation], taker: Taker, by: By | None
    ) -> User:
        """Make a user of who is invited, with all roles, in a unit of work of the caller's.

        Args:
            session: Where.
            rows: Invitations of one address.
            taker: What that one says of himself.
            by: What proves that the address is his; none: nothing does. An account that somebody made for him is
                his by a proof alone.

        Raises:
            TakenError: there is such a user, and this proves nothing more.
        """
        email = rows[0].email
        caller = Caller(id="", name=email, via="session", address=taker.address)
        access = Access(caller=caller, org_id=rows[0].org_id)
        user = await store.user_by_email(session, email)
        if user is None:
            new = NewUser(
                email=email,
                password="",
                name=taker.name,
                language=taker.language,
                is_proven=by is not None,
            )
            user = await self._users.add(session, access, new, email, taker.stored)
        else:
            await self._prove(session, access, user, taker, by)
        user.is_admin = user.is_admin or any(row.is_admin for row in rows)
        await self._join_all(session, access.caller, user, rows)
        return user

    async def _prove(
        self, session: AsyncSession, access: Access, user: User, taker: Taker, by: By | None
    ) -> None:
        if not may_be_proven(user):
            raise TakenError(texts.EMAIL_TAKEN, email=user.email)
        if by is None:
            raise TakenError(texts.NOT_PROVEN_NO_MAIL, code=CODE, email=user.email)
        await prove(session, self._audit, access, user, by, self._clock.now_ms())
        if taker.stored:
            await self._users.keep_password(session, user, taker.stored)
        user.name, user.language = taker.name or user.name, taker.language

    async def _join_all(
        self, session: AsyncSession, caller: Caller, user: User, rows: Sequence[Invitation]
    ) -> None:
        for row in rows:
            await self._join(session, user, row)
            access = Access(caller=caller, org_id=row.org_id, project_id=row.project_id)
            self._tell(session, access, "acceptInvitation", row, after=_told(row))
            await session.delete(row)

    async def drop_expired(self) -> None:
        """Forget those that nobody sent again for long."""
        async with self._database.write() as session:
            before = self._clock.now_ms() - KEPT_MS
            await session.execute(delete(Invitation).where(Invitation.expires_at < before))

    async def _join(self, session: AsyncSession, user: User, row: Invitation) -> None:
        if row.org_id is None:
            return
        places: list[tuple[str | None, str]] = [(None, row.org_role or "viewer")]
        if row.project_id is not None:
            places.append((row.project_id, row.project_role or "viewer"))
        for project_id, role in places:
            known = select(Member.id).where(
                Member.user_id == user.id,
                Member.org_id == row.org_id,
                Member.project_id.is_(None)
                if project_id is None
                else Member.project_id == project_id,
            )
            if await session.scalar(known) is not None:
                continue
            session.add(
                Member(
                    id=new_id(),
                    user_id=user.id,
                    org_id=row.org_id,
                    project_id=project_id,
                    role=role,
                    created_at=self._clock.now_ms(),
                )
            )
            await session.flush()

    def _new(self, access: Access, email: str, language: str, roles: Roles) -> Invitation:
        return Invitation(
            id=new_id(),
            token_hash="",
            email=email,
            language=language,
            is_admin=roles.is_admin,
            org_id=roles.org_id,
            org_role=roles.org_role,
            project_id=roles.project_id,
            project_role=roles.project_role,
            inviter_name=access.caller.name[:254],
            is_mailed=False,
            created_at=self._clock.now_ms(),
            expires_at=0,
        )

    async def _hand_over(
        self, session: AsyncSession, access: Access, row: Invitation, place: str
    ) -> Made:
        """A link of its own, by mail where there is a server."""
        rules = await user_management.read(session)
        address = await access_address.read(session)
        token = new_token()
        row.token_hash = digest(token)
        row.expires_at = self._clock.now_ms() + rules.invitation_s * 1000
        row.is_mailed = await mail_settings.is_set(session)
        # An administrator of the system vouches for whom he hands the link to.
        row.is_proof = row.is_mailed or access.caller.grants.is_admin
        if not row.is_mailed:
            return Made(row=row, link=letters.link(address, INVITATION_PATH, token))
        letter = letters.invitation(
            address,
            Invited(
                email=row.email,
                language=row.language,
                inviter=row.inviter_name,
                place=place,
                token=token,
                hours=max(1, rules.invitation_s // 3600),
                until_ms=row.expires_at,
            ),
        )
        await self._outbox.post(session, letter)
        return Made(row=row, link=None)

    async def _place(self, session: AsyncSession, roles: Roles) -> str:
        if roles.org_id is None:
            if roles.project_id is not None or roles.org_role is not None:
                raise InvalidError(texts.ROLE_NOWHERE)
            return ""
        org = await tenancy.organization(session, roles.org_id)
        if org is None:
            raise MissingError(NOT_FOUND)
        if roles.project_id is None:
            return org.name
        project = await tenancy.project(session, org.id, roles.project_id)
        if project is None:
            raise MissingError(NOT_FOUND)
        return f"{org.name} / {project.name}"

    async def _refuse_known(self, session: AsyncSession, email: str, roles: Roles) -> User | None:
        """The account that somebody may have made for that address, which an invitation proves."""
        user = await store.user_by_email(session, email)
        if user is not None and not may_be_proven(user):
            raise TakenError(texts.INVITED_USER, email=email)
        same = Invitation.org_id == roles.org_id
        if roles.org_id is None:
            same = Invitation.org_id.is_(None)
        found = select(Invitation.id).where(Invitation.email == email, same)
        if await session.scalar(found) is not None:
            raise TakenError(texts.INVITED_ALREADY, email=email)
        return user

    async def _by_token(
        self, session: AsyncSession, token: str, *, for_update: bool = False
    ) -> Invitation:
        query = select(Invitation).where(Invitation.token_hash == digest(token))
        row = await session.scalar(query.with_for_update() if for_update else query)
        if row is None or row.expires_at <= self._clock.now_ms():
            raise InvalidError(texts.LINK_ENDED)
        return row

    async def _mine(self, session: AsyncSession, access: Access, invitation_id: str) -> Invitation:
        row = await session.get(Invitation, invitation_id)
        # One that makes an administrator of the system is the system's alone, wherever else it leads.
        theirs = row is not None and row.org_id == access.org_id and not row.is_admin
        if row is None or not (access.org_id is None or theirs):
            raise MissingError(texts.NO_INVITATION)
        return row

    def _tell(
        self,
        session: AsyncSession,
        access: Access,
        operation: str,
        row: Invitation,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        self._audit.record(
            session,
            access,
            Resource.USERS,
            operation,
            object_id=row.id,
            object_name=row.email,
            before=before,
            after=after,
        )


async def _refuse_too_many(session: AsyncSession, org_id: str | None, more: int) -> None:
    count = select(func.count()).select_from(Invitation)
    if (await session.scalar(count) or 0) + more > OPEN_MAX:
        raise TooManyError(texts.INVITATIONS_MAX, most=OPEN_MAX)
    theirs = count.where(Invitation.org_id == org_id)
    if org_id is not None and (await session.scalar(theirs) or 0) + more > OPEN_OF_ORG_MAX:
        raise TooManyError(texts.INVITATIONS_OF_ORG_MAX, most=OPEN_OF_ORG_MAX)


def _told(row: Invitation) -> dict[str, Any]:
    return {
        "isAdmin": row.is_admin,
        "orgId": row.org_id,
        "orgRole": row.org_role,
        "projectId": row.project_id,
        "projectRole": row.project_role,
    }
