"""Signing in, staying so, and signing out.

Access tokens are short-lived and ended by a refresh; the refresh token stays the same while it is used,
so that two pages of one browser do not sign each other out. Both end with the session's row, at once and
in every process.

**Bounds.** :data:`SESSIONS_OF_USER_MAX` for one user: the one used longest ago gives way.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.access.lockout import Lockout
from rookery.clock import Clock
from rookery.control.accounts import second_factor, store, texts
from rookery.control.accounts.passwords import Passwords
from rookery.control.accounts.second_factor import SecondFactor
from rookery.control.accounts.secrets import digest, new_token
from rookery.control.accounts.store import SessionRow, User
from rookery.control.audit.service import AuditTrail, Result
from rookery.control.caller import Access, Caller, Must
from rookery.control.errors import InvalidError, OutOfReachError, UnknownCallerError
from rookery.control.settings import user_management
from rookery.control.settings.names import USER_MANAGEMENT
from rookery.control.settings.store import SettingRow
from rookery.control.settings.user_management import UserManagement
from rookery.control.tenancy.grants import grants_of
from rookery.control.tenancy.store import MEMBERSHIP, Member, memberships_in, memberships_of
from rookery.control.vault import Vault
from rookery.errors import UnavailableError
from rookery.storage.database import Database
from rookery.storage.ids import new_id

_log = logging.getLogger("rookery.control")

SESSIONS_OF_USER_MAX = 50
USED_EVERY_MS = 60_000
"""A session's last use is written this often at most."""
PENDING_MAX = 8
"""Sign-ins of one address at a time: guessing from there leaves room for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What somebody who signed in gets."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    refresh_expires_in_s: int
    is_admin: bool


class Sessions:
    """Everybody who is signed in, in all processes of one database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        passwords: Passwords,
        vault: Vault,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._passwords = passwords
        self._vault = vault
        self.lockout = Lockout(clock)
        self._pending: Counter[str] = Counter()

    async def sign_in(
        self,
        email: str,
        password: str,
        address: str,
        user_agent: str = "",
        code: str | None = None,
    ) -> SignedIn:
        """Sign in with a password, and a code for whoever has a second factor.

        Raises:
            UnknownCallerError: it is not the password, the code is missing or wrong, or too many wrong ones
                came from there.
            OutOfReachError: too many sign in at once.
        """
        email = email.strip().lower()
        self.refuse_locked(email, address)
        async with self._database.read() as session:
            user = await store.user_by_email(session, email)
        with self._one_of_few(address):
            stored = None if user is None else user.password_hash or None
            is_right = await self._passwords.is_right(stored, password)
        if user is None or not is_right:
            await self._was_bad(user, email, address)
            raise UnknownCallerError(texts.BAD_SIGN_IN, code="BAD_USERNAME_OR_PWD")
        if not user.is_enabled:
            raise UnknownCallerError(texts.DISABLED, code="BAD_USERNAME_OR_PWD")
        try:
            signed_in = await self._begin(user.id, stored, code, address, user_agent)
        except UnknownCallerError as error:
            # A password that is known makes the code what is left to be guessed.
            if error.code == second_factor.BAD:
                await self._was_bad(user, email, address)
            raise
        self.lockout.was_good(email, address)
        return signed_in

    async def sign_in_known(
        self, session: AsyncSession, user: User, provider: str, address: str, user_agent: str
    ) -> SignedIn:
        """Sign somebody in whom a provider knows, in a unit of work of the caller's.

        Raises:
            UnknownCallerError: that one is disabled.
        """
        if not user.is_enabled:
            raise UnknownCallerError(texts.DISABLED, code="BAD_USERNAME_OR_PWD")
        return await self._add(session, user, address, user_agent, provider)

    async def confirm(self, caller: Caller, stored: str, password: str) -> None:
        """Have somebody who is signed in say the password again.

        Raises:
            InvalidError: it is another, or there is none.
            UnknownCallerError: too many wrong ones came from there.
        """
        self.refuse_locked(caller.name, caller.address)
        if not stored:
            raise InvalidError(texts.NO_PASSWORD, code="ERROR_PWD_NOT_MATCH")
        if not await self._passwords.is_right(stored, password):
            self.lockout.was_bad(caller.name, caller.address)
            raise InvalidError(texts.OLD_PASSWORD, code="ERROR_PWD_NOT_MATCH")

    async def _was_bad(self, user: User | None, email: str, address: str) -> None:
        if self.lockout.was_bad(email, address):
            _log.warning("%r is locked for %s after wrong passwords or codes", email, address)
        await self._tell_failure(user, email, address)

    def refuse_locked(self, email: str, address: str) -> None:
        """Before a password is looked at.

        Raises:
            UnknownCallerError: too many wrong ones came from there.
        """
        locked_s = self.lockout.locked_for_s(email, address)
        if locked_s > 0:
            minutes = max(1, round(locked_s / 60))
            raise UnknownCallerError(texts.LOCKED, code="LOGIN_LOCKED", minutes=minutes)

    async def _begin(
        self, user_id: str, proven: str | None, code: str | None, address: str, user_agent: str
    ) -> SignedIn:
        """``proven``: the hash that the password fitted; another one came meanwhile with another."""
        async with self._database.write() as session:
            user = await session.get(User, user_id)
            if user is None or not user.is_enabled or user.password_hash != proven:
                raise UnknownCallerError(texts.BAD_SIGN_IN, code="BAD_USERNAME_OR_PWD")
            await second_factor.prove(
                session, self._vault, user_id, code, self._clock.now_ms() // 1000
            )
            return await self._add(session, user, address, user_agent, "")

    async def _add(
        self, session: AsyncSession, user: User, address: str, user_agent: str, provider: str
    ) -> SignedIn:
        now_ms = self._clock.now_ms()
        access, refresh = new_token(), new_token()
        rules = await user_management.read(session)
        await self._make_room(session, user.id, now_ms)
        session.add(
            SessionRow(
                id=new_id(),
                user_id=user.id,
                access_hash=digest(access),
                refresh_hash=digest(refresh),
                address=address[:64],
                user_agent=user_agent[:256],
                created_at=now_ms,
                used_at=now_ms,
                access_until_at=now_ms + rules.access_token_s * 1000,
                refresh_until_at=now_ms + rules.refresh_token_s * 1000,
                provider=provider,
            )
        )
        user.last_login_at = now_ms
        caller = Caller(id=user.id, name=user.email, via="session", address=address)
        self._audit.record(
            session,
            Access(caller=caller),
            "sessions",
            "login",
            object_id=user.id,
            object_name=user.email,
            after={"provider": provider} if provider else None,
        )
        return SignedIn(
            access_token=access,
            refresh_token=refresh,
            expires_in_s=rules.access_token_s,
            refresh_expires_in_s=rules.refresh_token_s,
            is_admin=user.is_admin,
        )

    async def refresh(self, refresh_token: str, address: str) -> SignedIn:
        """Another access token; the one before ends.

        Raises:
            UnknownCallerError: the session has ended.
        """
        now_ms = self._clock.now_ms()
        access = new_token()
        async with self._database.write() as session:
            row = await session.scalar(
                select(SessionRow).where(SessionRow.refresh_hash == digest(refresh_token))
            )
            user = None if row is None else await session.get(User, row.user_id)
            if row is None or user is None or not user.is_enabled:
                raise UnknownCallerError(texts.BAD_TOKEN, code="BAD_TOKEN")
            if row.refresh_until_at <= now_ms:
                raise UnknownCallerError(texts.TOKEN_EXPIRED, code="TOKEN_TIME_OUT")
            rules = await user_management.read(session)
            row.access_hash = digest(access)
            row.access_until_at = now_ms + rules.access_token_s * 1000
            row.refresh_until_at = now_ms + rules.refresh_token_s * 1000
            row.used_at, row.address = now_ms, address[:64]
            return SignedIn(
                access_token=access,
                refresh_token=refresh_token,
                expires_in_s=rules.access_token_s,
                refresh_expires_in_s=rules.refresh_token_s,
                is_admin=user.is_admin,
            )

    async def caller_of(self, token: str, address: str) -> Caller:
        """Who that is.

        Raises:
            UnknownCallerError: nobody, any more.
        """
        now_ms = self._clock.now_ms()
        async with self._database.read() as session:
            found = (await session.execute(_CALLER, {"access_hash": digest(token)})).all()
        if not found or not found[0][1].is_enabled:
            raise UnknownCallerError(texts.BAD_TOKEN, code="BAD_TOKEN")
        row, user, factor_since, rules, *_ = found[0]
        if row.access_until_at <= now_ms:
            raise UnknownCallerError(texts.TOKEN_EXPIRED, code="TOKEN_TIME_OUT")
        memberships = memberships_in(one[4:] for one in found)
        must = self._must(user, row, user_management.of(rules), has_factor=factor_since is not None)
        if now_ms - row.used_at >= USED_EVERY_MS:
            await self._note_use(row.id, now_ms)
        return Caller(
            id=user.id,
            name=user.email,
            via="session",
            address=address,
            grants=grants_of(memberships, is_admin=user.is_admin),
            session_id=row.id,
            must=must,
        )

    def _must(
        self, user: User, row: SessionRow, rules: UserManagement, *, has_factor: bool
    ) -> Must:
        """What somebody has to do before anything else; whom a provider knows, it sees to that."""
        if row.provider:
            return ""
        changed_at = user.password_changed_at or user.created_at
        is_old = rules.password_age_s > 0 and (
            changed_at + rules.password_age_s * 1000 <= self._clock.now_ms()
        )
        if user.must_change_password or is_old:
            return "changePassword"
        is_missing = rules.is_factor_required and user.is_admin and not has_factor
        return "enrolSecondFactor" if is_missing else ""

    async def still(self, caller: Caller) -> Caller:
        """The same caller with what that one is now, for what lasts longer than a request.

        Raises:
            UnknownCallerError: the session has ended, or the user may not sign in any more.
        """
        async with self._database.read() as session:
            user = await session.get(User, caller.id)
            row = await session.get(SessionRow, caller.session_id)
            if user is None or not user.is_enabled or row is None or row.user_id != user.id:
                raise UnknownCallerError(texts.BAD_TOKEN, code="BAD_TOKEN")
            memberships = await memberships_of(session, user.id)
        return replace(caller, grants=grants_of(memberships, is_admin=user.is_admin))

    async def sessions_of(self, user_id: str) -> list[SessionRow]:
        """Those that have not ended, the one used last first."""
        async with self._database.read() as session:
            rows = await session.scalars(
                select(SessionRow)
                .where(
                    SessionRow.user_id == user_id,
                    SessionRow.refresh_until_at > self._clock.now_ms(),
                )
                .order_by(SessionRow.used_at.desc())
            )
            return list(rows)

    async def end(self, access: Access, session_id: str) -> bool:
        """Sign the caller out of one session; whether it was there."""
        caller = access.caller
        async with self._database.write() as session:
            row = await session.get(SessionRow, session_id)
            if row is None or row.user_id != caller.id:
                return False
            await session.delete(row)
            self._audit.record(
                session,
                access,
                "sessions",
                "logout",
                object_id=caller.id,
                object_name=caller.name,
            )
        return True

    async def end_others(self, access: Access) -> None:
        """Sign the caller out everywhere else."""
        caller = access.caller
        async with self._database.write() as session:
            await end_all_of(session, caller.id, but=caller.session_id)
            self._audit.record(
                session,
                access,
                "sessions",
                "endSessions",
                object_id=caller.id,
                object_name=caller.name,
            )

    async def drop_expired(self) -> None:
        """Forget sessions that nobody can go on with."""
        async with self._database.write() as session:
            await session.execute(
                delete(SessionRow).where(SessionRow.refresh_until_at <= self._clock.now_ms())
            )

    async def _note_use(self, session_id: str, now_ms: int) -> None:
        # A disk that is full must not keep anybody from looking.
        with contextlib.suppress(UnavailableError):
            async with self._database.write() as session:
                row = await session.get(SessionRow, session_id)
                if row is not None:
                    row.used_at = now_ms

    async def _make_room(self, session: AsyncSession, user_id: str, now_ms: int) -> None:
        rows = list(
            await session.scalars(
                select(SessionRow).where(SessionRow.user_id == user_id).order_by(SessionRow.used_at)
            )
        )
        ended = [row for row in rows if row.refresh_until_at <= now_ms]
        left = [row for row in rows if row.refresh_until_at > now_ms]
        for row in ended + left[: max(0, len(left) + 1 - SESSIONS_OF_USER_MAX)]:
            await session.delete(row)

    async def _tell_failure(self, user: User | None, email: str, address: str) -> None:
        """Of users who are there alone: names that somebody tries would fill the table."""
        if user is None:
            return
        caller = Caller(id=user.id, name=email, via="session", address=address)
        failed: Result = "failure"
        async with self._database.write() as session:
            self._audit.record(
                session,
                Access(caller=caller),
                "sessions",
                "login",
                object_id=user.id,
                object_name=email,
                result=failed,
            )

    @contextmanager
    def _one_of_few(self, address: str) -> Iterator[None]:
        if self._pending[address] >= PENDING_MAX:
            raise OutOfReachError(texts.BUSY)
        self._pending[address] += 1
        try:
            yield
        finally:
            self._pending[address] -= 1
            if not self._pending[address]:
                del self._pending[address]


async def end_all_of(session: AsyncSession, user_id: str, *, but: str = "") -> None:
    """Sign a user out everywhere, but for one session, in a unit of work of the caller's."""
    await session.execute(
        delete(SessionRow).where(SessionRow.user_id == user_id, SessionRow.id != but)
    )


_CALLER = (
    select(SessionRow, User, SecondFactor.confirmed_at, SettingRow.value, *MEMBERSHIP)
    .join(User, User.id == SessionRow.user_id)
    .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
    .outerjoin(SettingRow, SettingRow.name == USER_MANAGEMENT)
    .outerjoin(Member, Member.user_id == User.id)
    .where(SessionRow.access_hash == bindparam("access_hash"))
)
"""Who has a token, with all that each request asks of them: a row for each membership."""
