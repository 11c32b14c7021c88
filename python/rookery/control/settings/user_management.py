"""How long somebody stays signed in, and what a password has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.settings import store
from rookery.control.settings.names import USER_MANAGEMENT

ACCESS_TOKEN_S = 30 * 60
REFRESH_TOKEN_S = 7 * 24 * 3600
PASSWORD_LENGTH_MIN = 8
INVITATION_S = 24 * 3600
RESET_S = 30 * 60


@dataclass(frozen=True, slots=True)
class UserManagement:
    """The section ``user-management``.

    Attributes:
        password_age_s: After that a password has to be changed; 0: never.
        password_history: So many of the last passwords may not be chosen again; 0: any may.
        is_factor_required: Administrators of the system need a second factor.
    """

    access_token_s: int = ACCESS_TOKEN_S
    refresh_token_s: int = REFRESH_TOKEN_S
    password_length_min: int = PASSWORD_LENGTH_MIN
    password_age_s: int = 0
    password_history: int = 0
    invitation_s: int = INVITATION_S
    reset_s: int = RESET_S
    is_factor_required: bool = False


def of(kept: Mapping[str, Any] | None) -> UserManagement:
    """What the table of settings keeps of it; none: nobody has changed anything."""
    return UserManagement(**(kept or {}))


async def read(session: AsyncSession) -> UserManagement:
    """As it holds."""
    return of(await store.value_of(session, USER_MANAGEMENT))


async def write(session: AsyncSession, rules: UserManagement, now_ms: int) -> None:
    await store.put(session, USER_MANAGEMENT, asdict(rules), now_ms)
