"""A forgotten password: a link by mail sets another one, once.

Whoever asks gets the same answer as quickly, whether the address is anybody's or not: what is looked up is
looked up afterwards. A second factor stays as it is, but of an account whose address nobody had proven: the
link proves it, and ends everything that whoever made the account could have kept.

**Bounds.** :data:`WAITING_MAX` requests wait; more are dropped. One user gets a message a minute, and
:data:`HOURLY_MAX` an hour.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.control.accounts import letters, store, texts
from rookery.control.accounts.links import PasswordReset
from rookery.control.accounts.proofs import prove
from rookery.control.accounts.secrets import digest, new_token
from rookery.control.accounts.sessions import Sessions, end_all_of
from rookery.control.accounts.store import User
from rookery.control.accounts.users import Users
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access, Caller
from rookery.control.errors import InvalidError, TakenError
from rookery.control.mail import settings as mail_settings
from rookery.control.mail.outbox import Outbox
from rookery.control.settings import address as access_address
from rookery.control.settings import user_management
from rookery.control.tenancy.permissions import Resource
from rookery.ending import ended
from rookery.errors import RookeryError
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control")

WAITING_MAX = 100
HOURLY_MAX = 5
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


class _Asked(NamedTuple):
    email: str
    address: str


class Resets:
    """Of one process; the links are in the database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        users: Users,
        sessions: Sessions,
        outbox: Outbox,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._users = users
        self._sessions = sessions
        self._outbox = outbox
        self._asked: asyncio.Queue[_Asked] = asyncio.Queue(WAITING_MAX)
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin on the running loop."""
        self._task = asyncio.create_task(self._run(), name="password resets")

    async def close(self) -> None:
        """May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            await ended("resets of passwords", task)

    async def request(self, email: str, address: str) -> None:
        """Send a link, if that is somebody's address.

        Raises:
            TakenError: there is no mail server.
        """
        async with self._database.read() as session:
            if not await mail_settings.is_set(session):
                raise TakenError(texts.NO_MAIL, code="CONFLICT")
        try:
            self._asked.put_nowait(_Asked(email.strip().lower(), address))
        except asyncio.QueueFull:
            _log.warning("too many ask for another password: one is dropped")

    async def settled(self) -> None:
        """Everything that was asked for so far is looked up."""
        await self._asked.join()

    async def look(self, token: str) -> str:
        """For whom a link is: the e-mail address.

        Raises:
            InvalidError: it works no more.
        """
        async with self._database.read() as session:
            return (await self._user(session, token)).email

    async def finish(self, token: str, password: str, address: str) -> None:
        """Set another password; all sessions and all links of that user end.

        Raises:
            InvalidError: the link works no more, or the password will not do.
        """
        async with self._database.read() as session:
            user_id = (await self._user(session, token)).id
        stored = await self._users.hashed(password, user_id)
        async with self._database.write() as session:
            user = await self._user(session, token, for_update=True)
            caller = Caller(id=user.id, name=user.email, via="session", address=address)
            access = Access(caller=caller)
            await prove(session, self._audit, access, user, "resetByMail", self._clock.now_ms())
            await self._users.keep_password(session, user, stored)
            await session.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id))
            await end_all_of(session, user.id)
            self._audit.record(
                session,
                access,
                Resource.USERS,
                "resetByMail",
                object_id=user.id,
                object_name=user.email,
            )
        self._sessions.lockout.forget(user.email)

    async def drop_expired(self) -> None:
        """Forget links that work no more; those of the last hour are counted."""
        async with self._database.write() as session:
            before = self._clock.now_ms() - HOUR_MS
            await session.execute(delete(PasswordReset).where(PasswordReset.expires_at < before))

    async def _run(self) -> None:
        while True:
            asked = await self._asked.get()
            try:
                await self._send(asked)
            except RookeryError as error:
                _log.warning("a link for another password could not be sent: %s", error)
            except Exception:  # noqa: BLE001 — one that fails must not end the others
                _log.exception("a link for another password could not be sent")
            finally:
                self._asked.task_done()

    async def _send(self, asked: _Asked) -> None:
        now_ms = self._clock.now_ms()
        async with self._database.write() as session:
            user = await store.user_by_email(session, asked.email)
            if user is None or not user.is_enabled or await self._has_enough(session, user, now_ms):
                return
            rules = await user_management.read(session)
            token = new_token()
            until_ms = now_ms + rules.reset_s * 1000
            session.add(
                PasswordReset(
                    token_hash=digest(token),
                    user_id=user.id,
                    created_at=now_ms,
                    expires_at=until_ms,
                )
            )
            letter = letters.reset(
                await access_address.read(session),
                user.email,
                user.language,
                token,
                origin=asked.address,
                minutes=max(1, rules.reset_s // 60),
                until_ms=until_ms,
            )
            await self._outbox.post(session, letter)
        self._outbox.nudge()

    async def _has_enough(self, session: AsyncSession, user: User, now_ms: int) -> bool:
        made = list(
            await session.scalars(
                select(PasswordReset.created_at).where(
                    PasswordReset.user_id == user.id, PasswordReset.created_at > now_ms - HOUR_MS
                )
            )
        )
        return len(made) >= HOURLY_MAX or any(at > now_ms - MINUTE_MS for at in made)

    async def _user(self, session: AsyncSession, token: str, *, for_update: bool = False) -> User:
        query = select(PasswordReset).where(PasswordReset.token_hash == digest(token))
        row = await session.scalar(query.with_for_update() if for_update else query)
        user = None if row is None else await session.get(User, row.user_id)
        if (
            row is None
            or user is None
            or not user.is_enabled
            or row.expires_at <= self._clock.now_ms()
        ):
            raise InvalidError(texts.LINK_ENDED)
        return user
