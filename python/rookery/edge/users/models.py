"""Users as they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

EdgeRole: TypeAlias = Literal["administrator", "viewer"]

ADMIN = "admin"
DEFAULT_PASSWORD = "0000"  # noqa: S105
"""What the first user signs in with, to do nothing but choose another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may sign in.

    Attributes:
        password_hash: Empty: the default password, before anybody chose one.
        must_change: The password was chosen by somebody else; nothing is allowed before it is changed.
        generation: Tokens of an earlier one are not good any more.
        signed_out: Ids of tokens that were given back, with the second at which they end anyway.
    """

    name: str
    role: EdgeRole
    password_hash: str
    must_change: bool
    created_at_ms: int
    generation: int = 0
    signed_out: tuple[tuple[str, int], ...] = ()
