"""Whether an address is that person's: shown by a link that was mailed to it, or by a provider that verified it.

Whoever makes an account knows its first password. Until its address is proven it counts where it was made and
nowhere else; the proof ends everything that its maker could have kept: password, sessions, API tokens, second
factor, accounts elsewhere.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.accounts import second_factor, texts
from rookery.control.accounts.links import PasswordReset
from rookery.control.accounts.sessions import end_all_of
from rookery.control.accounts.store import PasswordBefore, User
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.errors import TakenError
from rookery.control.oidc import store as oidc
from rookery.control.tenancy.permissions import Resource
from rookery.control.tokens.store import TokenRow

By: TypeAlias = Literal["invitation", "resetByMail", "openid", "administrator", "machine"]

CODE = "ADDRESS_NOT_PROVEN"


def refuse_unproven(user: User) -> None:
    """Before an account is given anything beyond the organization that made it.

    Raises:
        TakenError: nobody has shown whose address it is.
    """
    if user.proven_at is None:
        raise TakenError(texts.NOT_PROVEN, code=CODE, email=user.email)


def may_be_proven(user: User) -> bool:
    """Whether a link may still make it that of whoever has the address; who is disabled stays so."""
    return user.proven_at is None and user.is_enabled


async def prove(
    session: AsyncSession, audit: AuditTrail, access: Access, user: User, by: By, now_ms: int
) -> bool:
    """Note that the address is proven, in a unit of work of the caller's; whether it was not before.

    An account that was not has no password afterwards: the caller sets one, or a provider is asked.
    """
    if user.proven_at is not None:
        return False
    user.proven_at = now_ms
    user.password_hash, user.must_change_password = "", False
    await second_factor.forget(session, user.id)
    await oidc.unbind(session, user.id)
    for table in (TokenRow, PasswordReset, PasswordBefore):
        await session.execute(delete(table).where(table.user_id == user.id))
    await end_all_of(session, user.id)
    audit.record(
        session,
        access,
        Resource.USERS,
        "proveAddress",
        object_id=user.id,
        object_name=user.email,
        before={"proven": False},
        after={"proven": True, "by": by},
    )
    return True
