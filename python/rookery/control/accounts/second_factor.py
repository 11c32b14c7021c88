"""The second factor: a code of an authenticator (TOTP, RFC 6238), or a recovery code instead.

The secret is sealed; of recovery codes their SHA-256 is kept. A code of a moment, and a recovery code, work
once.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import ColumnElement, ForeignKey, String, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from rookery.control.accounts import texts
from rookery.control.accounts.secrets import digest
from rookery.control.errors import UnknownCallerError
from rookery.control.vault import Vault
from rookery.storage.base import ID_LENGTH, Base
from rookery.storage.ids import new_id

NEEDED = "SECOND_FACTOR_REQUIRED"
BAD = "BAD_SECOND_FACTOR"
SECRET_BYTES = 20
DIGITS = 6
STEP_S = 30
# Clocks of telephones differ, and people take a while to type.
STEPS_AROUND = 1
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10


class SecondFactor(Base):
    """An authenticator of a user.

    Attributes:
        confirmed_at: None: the user has not shown yet that the authenticator works; nobody asks for it.
        last_step: Of the code that was used last; none before or at it works again.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    secret: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[int]
    confirmed_at: Mapped[int | None]
    last_step: Mapped[int]


class RecoveryCode(Base):
    """A code for whoever has lost the authenticator; its row goes when it is used."""

    __tablename__ = "recovery_codes"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        String(ID_LENGTH), ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    code_hash: Mapped[str] = mapped_column(String(64))


def new_secret() -> bytes:
    """For one user."""
    return secrets.token_bytes(SECRET_BYTES)


def seal(vault: Vault, user_id: str, secret: bytes) -> str:
    """As it is kept."""
    return vault.seal(secret.hex(), _purpose(user_id))


def shown(secret: bytes) -> str:
    """As somebody types it into an authenticator."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, email: str, issuer: str) -> str:
    """What an authenticator reads from a picture."""
    return _totp(secret).get_provisioning_uri(email, issuer)


async def factor_of(
    session: AsyncSession, user_id: str, *, for_update: bool = False
) -> SecondFactor | None:
    """The authenticator of somebody, confirmed or not."""
    query = select(SecondFactor).where(SecondFactor.user_id == user_id)
    found: SecondFactor | None = await session.scalar(
        query.with_for_update() if for_update else query
    )
    return found


def has_factor(user_id: Any) -> ColumnElement[bool]:
    """For a query: whether the user of that column is asked for a code."""
    return exists().where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))


async def count_recovery_codes(session: AsyncSession, user_id: str) -> int:
    """How many are left."""
    query = select(func.count()).where(RecoveryCode.user_id == user_id)
    return await session.scalar(query) or 0


async def prove(
    session: AsyncSession, vault: Vault, user_id: str, code: str | None, now_s: int
) -> None:
    """Let nobody on who has a second factor and does not show it.

    Raises:
        UnknownCallerError: the code is missing, or wrong.
        OutOfReachError: the secret cannot be read.
    """
    factor = await factor_of(session, user_id, for_update=True)
    if factor is None or factor.confirmed_at is None:
        return
    if not code:
        raise UnknownCallerError(texts.CODE_NEEDED, code=NEEDED)
    if not (
        take_code(factor, vault, code, now_s) or await _take_recovery_code(session, user_id, code)
    ):
        raise UnknownCallerError(texts.BAD_CODE, code=BAD)


def take_code(factor: SecondFactor, vault: Vault, code: str, now_s: int) -> bool:
    """Whether that is a code of about now that was not used; it is then."""
    typed = code.replace(" ", "")
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return False
    totp = _totp(bytes.fromhex(vault.unseal(factor.secret, _purpose(factor.user_id))))
    present = now_s // STEP_S
    right = None
    for step in range(present - STEPS_AROUND, present + STEPS_AROUND + 1):
        # All are compared, whichever fits.
        is_same = hmac.compare_digest(totp.generate(step * STEP_S), typed.encode())
        if is_same and step > factor.last_step:
            right = step
    if right is None:
        return False
    factor.last_step = right
    return True


async def new_recovery_codes(session: AsyncSession, user_id: str) -> list[str]:
    """Replace those that there were; nobody is shown these again."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(id=new_id(), user_id=user_id, code_hash=digest(_plain(code))) for code in codes
    )
    return codes


async def forget(session: AsyncSession, user_id: str) -> bool:
    """Take the second factor away; whether there was one."""
    factor = await factor_of(session, user_id)
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    if factor is None:
        return False
    await session.delete(factor)
    return factor.confirmed_at is not None


async def _take_recovery_code(session: AsyncSession, user_id: str, code: str) -> bool:
    done = await session.execute(
        delete(RecoveryCode).where(
            RecoveryCode.user_id == user_id, RecoveryCode.code_hash == digest(_plain(code))
        )
    )
    return bool(getattr(done, "rowcount", 0))


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _plain(code: str) -> str:
    return code.strip().lower().replace("-", "").replace(" ", "")


def _totp(secret: bytes) -> TOTP:
    # SHA-1 is what every authenticator knows, and no weakness of it matters in HMAC.
    return TOTP(secret, DIGITS, SHA1(), STEP_S, enforce_key_length=False)  # noqa: S303


def _purpose(user_id: str) -> str:
    return f"second factor {user_id}"
