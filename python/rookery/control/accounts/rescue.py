"""Lets somebody on the machine in who has lost the way: gives an administrator a password."""

from __future__ import annotations

import asyncio
import getpass
from dataclasses import dataclass

from sqlalchemy import select

from rookery.clock import Clock
from rookery.config.control import ControlConfig
from rookery.control.accounts import passwords as password_rule
from rookery.control.accounts import second_factor
from rookery.control.accounts.emails import checked_email
from rookery.control.accounts.passwords import Passwords
from rookery.control.accounts.proofs import prove
from rookery.control.accounts.sessions import end_all_of
from rookery.control.accounts.store import User, user_by_email
from rookery.control.assembly import existing_database
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access, machine
from rookery.control.errors import MissingError, Text
from rookery.control.settings import store as settings
from rookery.control.settings.names import SETUP_CODE
from rookery.control.tenancy.permissions import Resource
from rookery.storage.ids import new_id

WHICH = Text(
    "there are several administrators, say which with --email: {emails}",
    "存在多个管理员，请用 --email 指定：{emails}",
)
NOBODY = Text(
    "there is no administrator yet, say with --email who shall be",
    "尚无管理员，请用 --email 指定邮箱",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescued:
    """Who may sign in."""

    email: str
    is_new: bool


def reset_admin(config: ControlConfig, email: str | None, password: str, clock: Clock) -> Rescued:
    """Give an administrator another password; who is none becomes one. Processes may run.

    Raises:
        InvalidError: the address or the password will not do.
        MissingError: it is not clear who is meant.
        StartError: the database cannot be opened.
    """
    return asyncio.run(_reset(config, email, password, clock))


async def _reset(config: ControlConfig, email: str | None, password: str, clock: Clock) -> Rescued:
    password_rule.check(password)
    wanted = None if email is None else checked_email(email)
    passwords = Passwords()
    database = existing_database(config)
    await database.open()
    try:
        stored = await passwords.hash(password)
        async with database.write() as session:
            admins = list(
                await session.scalars(
                    select(User).where(User.is_admin.is_(True)).order_by(User.email)
                )
            )
            user = await user_by_email(session, wanted) if wanted is not None else None
            if wanted is None:
                if len(admins) != 1:
                    emails = ", ".join(admin.email for admin in admins)
                    raise MissingError(WHICH if admins else NOBODY, emails=emails)
                user = admins[0]
            is_new = user is None
            if user is None:
                user = _new(str(wanted), clock)
                session.add(user)
            access = Access(caller=machine(getpass.getuser()))
            audit = AuditTrail(clock)
            await prove(session, audit, access, user, "machine", clock.now_ms())
            user.password_hash, user.is_admin, user.is_enabled = stored, True, True
            user.password_changed_at, user.must_change_password = clock.now_ms(), False
            # Whoever is on the machine may have lost the authenticator, too.
            await second_factor.forget(session, user.id)
            await end_all_of(session, user.id)
            # Whoever has an administrator needs no wizard.
            await settings.drop(session, SETUP_CODE)
            audit.record(
                session,
                access,
                Resource.USERS,
                "resetAdmin",
                object_id=user.id,
                object_name=user.email,
            )
            return Rescued(email=user.email, is_new=is_new)
    finally:
        passwords.close()
        await database.close()


def _new(email: str, clock: Clock) -> User:
    return User(
        id=new_id(),
        email=email,
        name=email.partition("@")[0],
        password_hash="",
        is_admin=True,
        is_enabled=True,
        language="en",
        created_at=clock.now_ms(),
        last_login_at=None,
        proven_at=clock.now_ms(),
    )
