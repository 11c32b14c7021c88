"""API tokens: never more than what their owner may do, and less where that was asked for.

A token is 256 random bits after ``rkt_``; its SHA-256 is kept alone. It ends at its time, with its owner,
and at once when the owner is disabled.

**Bounds.** :data:`TOKENS_OF_USER_MAX` for one user.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError

from rookery.clock import Clock
from rookery.control.accounts import texts as account_texts
from rookery.control.accounts.secrets import digest, new_token
from rookery.control.accounts.store import User
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access, Caller
from rookery.control.errors import (
    NOT_FOUND,
    InvalidError,
    MissingError,
    TakenError,
    TooManyError,
    UnknownCallerError,
)
from rookery.control.tenancy import store as tenancy
from rookery.control.tenancy.grants import grants_of
from rookery.control.tokens import texts
from rookery.control.tokens.store import TokenRow
from rookery.errors import UnavailableError
from rookery.storage.database import Database
from rookery.storage.ids import new_id

PREFIX = "rkt_"
TOKENS_OF_USER_MAX = 50
LIFETIME_MAX_MS = 366 * 24 * 3600 * 1000
USED_EVERY_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token to be."""

    name: str
    access: Literal["read", "write"]
    expires_at_ms: int
    org_id: str | None = None
    project_id: str | None = None


class Tokens:
    """API tokens of all users."""

    def __init__(self, database: Database, clock: Clock, audit: AuditTrail) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    async def list(self, access: Access) -> list[TokenRow]:
        """Those of the caller, by name."""
        async with self._database.read() as session:
            rows = await session.scalars(
                select(TokenRow).where(TokenRow.user_id == access.caller.id).order_by(TokenRow.name)
            )
            return list(rows)

    async def create(self, access: Access, new: NewToken) -> tuple[TokenRow, str]:
        """Make one; the row, and the token itself, which nobody can be shown again.

        Raises:
            InvalidError: the expiry will not do.
            MissingError: the caller sees no such organization or project.
            TakenError: the caller has one of that name.
            TooManyError: the caller has as many as one may.
        """
        now_ms = self._clock.now_ms()
        if not now_ms < new.expires_at_ms <= now_ms + LIFETIME_MAX_MS:
            raise InvalidError(texts.EXPIRY)
        if new.project_id is not None and new.org_id is None:
            raise InvalidError(texts.PROJECT_ALONE)
        await self._check_place(access.caller, new)
        caller = access.caller
        token = new_token(PREFIX)
        row = TokenRow(
            id=new_id(),
            user_id=caller.id,
            name=new.name,
            secret_hash=digest(token),
            access=new.access,
            org_id=new.org_id,
            project_id=new.project_id,
            created_at=now_ms,
            expires_at=new.expires_at_ms,
            used_at=None,
        )
        async with self._database.write() as session:
            mine = select(func.count()).select_from(TokenRow).where(TokenRow.user_id == caller.id)
            if (await session.scalar(mine) or 0) >= TOKENS_OF_USER_MAX:
                raise TooManyError(texts.TOKENS_MAX, most=TOKENS_OF_USER_MAX)
            session.add(row)
            try:
                await session.flush()
            except IntegrityError:
                raise TakenError(texts.TAKEN, name=new.name) from None
            self._audit.record(
                session,
                access,
                "tokens",
                "create",
                object_id=row.id,
                object_name=row.name,
                after={
                    "access": row.access,
                    "orgId": row.org_id,
                    "projectId": row.project_id,
                    "expiresAt": row.expires_at,
                },
            )
        return row, token

    async def delete(self, access: Access, token_id: str) -> None:
        """It works no more.

        Raises:
            MissingError: the caller has no such token.
        """
        async with self._database.write() as session:
            row = await session.get(TokenRow, token_id)
            if row is None or row.user_id != access.caller.id:
                raise MissingError(texts.NO_TOKEN)
            await session.delete(row)
            self._audit.record(
                session, access, "tokens", "delete", object_id=row.id, object_name=row.name
            )

    async def caller_of(self, token: str, address: str) -> Caller:
        """Who that is.

        Raises:
            UnknownCallerError: nobody, any more.
        """
        now_ms = self._clock.now_ms()
        async with self._database.read() as session:
            found = (await session.execute(_CALLER, {"secret_hash": digest(token)})).all()
        if not found or not found[0][1].is_enabled:
            raise UnknownCallerError(account_texts.BAD_TOKEN, code="BAD_TOKEN")
        row, user, *_ = found[0]
        if row.expires_at <= now_ms:
            raise UnknownCallerError(account_texts.TOKEN_EXPIRED, code="TOKEN_TIME_OUT")
        memberships = tenancy.memberships_in(one[2:] for one in found)
        if row.used_at is None or now_ms - row.used_at >= USED_EVERY_MS:
            await self._note_use(row.id, now_ms)
        grants = grants_of(memberships, is_admin=user.is_admin)
        return Caller(
            id=user.id,
            name=user.email,
            via="token",
            address=address,
            grants=grants.narrowed(row.org_id, row.project_id, read_only=row.access == "read"),
        )

    async def _check_place(self, caller: Caller, new: NewToken) -> None:
        if new.org_id is None:
            return
        grants = caller.grants
        if new.project_id is None:
            standing = grants.in_org(new.org_id)
        else:
            standing = grants.in_project(new.org_id, new.project_id)
        async with self._database.read() as session:
            org = await tenancy.organization(session, new.org_id)
            is_there = org is not None
            if new.project_id is not None:
                found = await tenancy.project(session, new.org_id, new.project_id)
                is_there = found is not None
        if standing is None or not is_there:
            raise MissingError(NOT_FOUND)

    async def _note_use(self, token_id: str, now_ms: int) -> None:
        # A disk that is full must not keep anybody from looking.
        with contextlib.suppress(UnavailableError):
            async with self._database.write() as session:
                row = await session.get(TokenRow, token_id)
                if row is not None:
                    row.used_at = now_ms


_CALLER = (
    select(TokenRow, User, *tenancy.MEMBERSHIP)
    .join(User, User.id == TokenRow.user_id)
    .outerjoin(tenancy.Member, tenancy.Member.user_id == User.id)
    .where(TokenRow.secret_hash == bindparam("secret_hash"))
)
"""Whose token it is, a row for each membership."""
