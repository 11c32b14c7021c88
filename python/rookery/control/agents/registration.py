"""Registration tokens: whether one may be used, as a function of what is known of it and the time.

A token is shown once, when it is issued; what is kept is its SHA-256. It is random and long, so a
slow hash would protect nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum

TOKEN_PREFIX = "rkr_"  # noqa: S105  -- what marks one in a log or a paste
SECRET_PREFIX = "rka_"  # noqa: S105
TOKEN_TTL_S = 3600
TOKEN_TTL_S_MIN = 60
TOKEN_TTL_S_MAX = 30 * 86400
TOKEN_LENGTH_MAX = 128
_RANDOM_BYTES = 32


class TokenState(StrEnum):
    """What can be done with a token."""

    NONE = "none"
    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class RegistrationToken:
    """What is known of a token.

    Attributes:
        hash: Its SHA-256, in hex.
        cluster_id: The entry it is for.
        created_at_ms: When it was issued.
        expires_at_ms: Until when it can be used.
        replaces: Whether the agent that registers with it takes the place of the one there is.
        used_at_ms: When it was used.
        revoked_at_ms: When it was revoked, by somebody or by a newer one.
        downloaded_at_ms: When the agent was downloaded with commands that belong to it.
    """

    hash: str
    cluster_id: str
    created_at_ms: int
    expires_at_ms: int
    replaces: bool = False
    used_at_ms: int | None = None
    revoked_at_ms: int | None = None
    downloaded_at_ms: int | None = None


def new_registration_token() -> str:
    """One that nobody can guess."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def new_agent_secret() -> str:
    """What an agent proves with who it is: 256 random bits."""
    return SECRET_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def hash_of(secret: str) -> str:
    """What is kept of a token or a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_same(secret: str, kept: str) -> bool:
    """Whether a secret is the one whose hash was kept; takes as long either way."""
    return hmac.compare_digest(hash_of(secret), kept)


def state_of(token: RegistrationToken | None, now_ms: int) -> TokenState:
    """What can be done with a token."""
    if token is None:
        return TokenState.NONE
    if token.used_at_ms is not None:
        return TokenState.USED
    if token.revoked_at_ms is not None:
        return TokenState.REVOKED
    return TokenState.EXPIRED if now_ms >= token.expires_at_ms else TokenState.OPEN
