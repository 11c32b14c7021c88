"""Sets up the second factor of whoever is signed in, and takes away that of others."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.accounts import second_factor, texts
from rookery.control.accounts.second_factor import SecondFactor
from rookery.control.accounts.sessions import Sessions, end_all_of
from rookery.control.accounts.store import User
from rookery.control.accounts.users import refuse_tokens
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.errors import InvalidError, MissingError, TakenError
from rookery.control.tenancy.permissions import Resource
from rookery.control.vault import Vault
from rookery.storage.database import Database

ISSUER = "Rookery"
ENROLMENT_MS = 15 * 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What an authenticator is told, once."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether there is a second factor."""

    is_on: bool
    since: int | None
    recovery_codes: int


class SecondFactors:
    """All of one database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        vault: Vault,
        sessions: Sessions,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._vault = vault
        self._sessions = sessions

    async def standing(self, user_id: str) -> Standing:
        """Whether somebody has one."""
        async with self._database.read() as session:
            factor = await second_factor.factor_of(session, user_id)
            left = await second_factor.count_recovery_codes(session, user_id)
        since = None if factor is None else factor.confirmed_at
        return Standing(is_on=since is not None, since=since, recovery_codes=left)

    async def begin(self, access: Access, password: str) -> Enrolment:
        """A secret for an authenticator; nobody is asked for a code before :meth:`confirm`.

        Whoever found somebody's page open cannot lock that one out with an authenticator of his own.

        Raises:
            InvalidError: the password is wrong, or there is none.
            TakenError: there is a second factor.
            UnknownCallerError: too many wrong ones came from there.
            OutOfReachError: this process cannot keep secrets.
        """
        await self._confirm(access, password)
        user_id, email = access.caller.id, access.caller.name
        secret = second_factor.new_secret()
        async with self._database.write() as session:
            factor = await second_factor.factor_of(session, user_id, for_update=True)
            if factor is not None and factor.confirmed_at is not None:
                raise TakenError(texts.FACTOR_IS_ON)
            if factor is not None:
                await session.delete(factor)
                await session.flush()
            session.add(
                SecondFactor(
                    user_id=user_id,
                    secret=second_factor.seal(self._vault, user_id, secret),
                    created_at=self._clock.now_ms(),
                    confirmed_at=None,
                    last_step=0,
                )
            )
        return Enrolment(
            secret=second_factor.shown(secret), uri=second_factor.uri(secret, email, ISSUER)
        )

    async def confirm(self, access: Access, code: str) -> list[str]:
        """The authenticator works: from now on it is asked for. The recovery codes, shown once.

        Raises:
            InvalidError: the code is wrong, or nobody began.
            UnknownCallerError: too many wrong ones came from there.
        """
        caller = access.caller
        self._sessions.refuse_locked(caller.name, caller.address)
        now_ms = self._clock.now_ms()
        async with self._database.write() as session:
            factor = await second_factor.factor_of(session, caller.id, for_update=True)
            if (
                factor is None
                or factor.confirmed_at is not None
                or factor.created_at + ENROLMENT_MS <= now_ms
            ):
                raise InvalidError(texts.NO_ENROLMENT)
            if second_factor.take_code(factor, self._vault, code, now_ms // 1000):
                factor.confirmed_at = now_ms
                codes = await second_factor.new_recovery_codes(session, caller.id)
                # Whoever signed in elsewhere did without it.
                await end_all_of(session, caller.id, but=caller.session_id)
                self._tell(session, access, "enableSecondFactor", caller.id, caller.name)
                return codes
        self._sessions.lockout.was_bad(caller.name, caller.address)
        raise InvalidError(texts.BAD_CODE)

    async def renew_codes(self, access: Access, password: str) -> list[str]:
        """Other recovery codes; those before work no more.

        Raises:
            InvalidError: the password is wrong, or there is no second factor.
            UnknownCallerError: too many wrong ones came from there.
        """
        await self._confirm(access, password)
        caller = access.caller
        async with self._database.write() as session:
            factor = await second_factor.factor_of(session, caller.id)
            if factor is None or factor.confirmed_at is None:
                raise InvalidError(texts.FACTOR_IS_OFF)
            codes = await second_factor.new_recovery_codes(session, caller.id)
            self._tell(session, access, "renewRecoveryCodes", caller.id, caller.name)
            return codes

    async def disable(self, access: Access, password: str) -> None:
        """Ask for it no more.

        Raises:
            InvalidError: the password is wrong, or there is no second factor.
            UnknownCallerError: too many wrong ones came from there.
        """
        await self._confirm(access, password)
        caller = access.caller
        async with self._database.write() as session:
            if not await second_factor.forget(session, caller.id):
                raise InvalidError(texts.FACTOR_IS_OFF)
            self._tell(session, access, "disableSecondFactor", caller.id, caller.name)

    async def reset(self, access: Access, user_id: str) -> None:
        """For somebody who has lost authenticator and recovery codes; that one is signed out.

        Raises:
            DeniedError: an API token asks.
            InvalidError: it is the caller, who has a password to do it with.
            MissingError: there is no such user, or no second factor.
        """
        refuse_tokens(access)
        if user_id == access.caller.id:
            raise InvalidError(texts.NOT_YOURSELF, code="NOT_ALLOWED")
        async with self._database.write() as session:
            user = await session.get(User, user_id)
            if user is None:
                raise MissingError(texts.NO_USER, code="USER_NOT_FOUND")
            if not await second_factor.forget(session, user_id):
                raise MissingError(texts.FACTOR_IS_OFF)
            await end_all_of(session, user_id)
            self._tell(session, access, "resetSecondFactor", user_id, user.email)

    async def _confirm(self, access: Access, password: str) -> None:
        async with self._database.read() as session:
            user = await session.get(User, access.caller.id)
        stored = "" if user is None else user.password_hash
        await self._sessions.confirm(access.caller, stored, password)

    def _tell(
        self, session: AsyncSession, access: Access, operation: str, user_id: str, email: str
    ) -> None:
        self._audit.record(
            session, access, Resource.USERS, operation, object_id=user_id, object_name=email
        )
