"""Makes the first administrator, once.

Before there is one, whoever comes from another machine has to know the set-up code. It was printed at the
start; all processes of one database print the same. On this machine nobody is asked for it.
"""

from __future__ import annotations

import secrets

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.access.lockout import Lockout
from rookery.clock import Clock
from rookery.control.accounts import passwords as password_rule
from rookery.control.accounts import store as accounts
from rookery.control.accounts import texts as account_texts
from rookery.control.accounts.emails import checked_email
from rookery.control.accounts.passwords import Passwords
from rookery.control.accounts.store import User
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access, Caller
from rookery.control.errors import DeniedError, TakenError, UnknownCallerError
from rookery.control.settings import store as settings
from rookery.control.settings.names import ACCESS_ADDRESS, SETUP_CODE
from rookery.control.setup import texts
from rookery.control.tenancy.grants import Grants
from rookery.storage.database import Database
from rookery.storage.ids import new_id

CODE_BYTES = 10
_WHO = "setup"


class SetupService:
    """Open until there is an administrator."""

    def __init__(
        self, database: Database, clock: Clock, audit: AuditTrail, passwords: Passwords
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._passwords = passwords
        self._lockout = Lockout(clock)

    async def is_finished(self) -> bool:
        async with self._database.read() as session:
            return await accounts.count_admins(session, enabled=False) > 0

    async def code(self) -> str | None:
        """What to print at the start; none when there is an administrator."""
        async with self._database.write() as session:
            if await accounts.count_admins(session, enabled=False):
                return None
            await self._database.alone(session, SETUP_CODE)
            kept = await settings.value_of(session, SETUP_CODE)
            if kept is None:
                kept = {"code": secrets.token_hex(CODE_BYTES)}
                await settings.put(session, SETUP_CODE, kept, self._clock.now_ms())
            return str(kept["code"])

    async def check_code(self, code: str | None, address: str, *, is_near: bool) -> None:
        """Let in who knows the code, or is on this machine.

        Raises:
            TakenError: there is an administrator.
            DeniedError: that is not the code.
            UnknownCallerError: too many wrong ones came from there.
        """
        expected = await self.code()
        if expected is None:
            raise TakenError(texts.FINISHED, code="CONFLICT")
        if is_near:
            return
        locked_s = self._lockout.locked_for_s(_WHO, address)
        if locked_s > 0:
            minutes = max(1, round(locked_s / 60))
            raise UnknownCallerError(account_texts.LOCKED, code="LOGIN_LOCKED", minutes=minutes)
        if not secrets.compare_digest((code or "").strip().encode(), expected.encode()):
            self._lockout.was_bad(_WHO, address)
            raise DeniedError(texts.BAD_CODE)

    async def finish(
        self, *, email: str, password: str, name: str, access_address: str, language: str,
        address: str,
    ) -> None:  # fmt: skip
        """Make the administrator and keep the access address.

        Raises:
            InvalidError: the address or the password will not do.
            TakenError: somebody was faster.
        """
        email = checked_email(email)
        password_rule.check(password)
        stored = await self._passwords.hash(password)
        now_ms = self._clock.now_ms()
        async with self._database.write() as session:
            # The row of the code is what two that finish at once both want.
            await self._claim(session)
            user = User(
                id=new_id(),
                email=email,
                name=name or email.partition("@")[0],
                password_hash=stored,
                is_admin=True,
                is_enabled=True,
                language=language,
                created_at=now_ms,
                last_login_at=None,
                proven_at=now_ms,
            )
            session.add(user)
            await settings.put(session, ACCESS_ADDRESS, {"url": access_address}, now_ms)
            caller = Caller(
                id=user.id, name=email, via="session", address=address, grants=Grants(is_admin=True)
            )
            self._audit.record(
                session,
                Access(caller=caller),
                "users",
                "create",
                object_id=user.id,
                object_name=email,
                after={"email": email, "isAdmin": True, "accessAddress": access_address},
            )

    async def _claim(self, session: AsyncSession) -> None:
        row = await session.get(settings.SettingRow, SETUP_CODE, with_for_update=True)
        if row is None or await accounts.count_admins(session, enabled=False):
            raise TakenError(texts.FINISHED, code="CONFLICT")
        await session.delete(row)
