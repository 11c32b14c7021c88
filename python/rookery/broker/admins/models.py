"""Users and API keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rookery.access.passwords.algorithms import Credential

UserRole: TypeAlias = Literal["administrator", "viewer"]
KeyRole: TypeAlias = Literal["administrator", "viewer", "publisher"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """A user of the dashboard."""

    username: str
    role: UserRole
    description: str
    credential: Credential = field(repr=False)
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key for programs.

    Attributes:
        key: What is sent as the user name; no secret.
        credential: Salted SHA-256 of the secret, which has at least 128 random bits.
        expired_at_ms: When it stops working; none: never.
    """

    name: str
    key: str
    credential: Credential = field(repr=False)
    role: KeyRole
    description: str
    enable: bool
    expired_at_ms: int | None
    created_at_ms: int

    def is_expired(self, now_ms: int) -> bool:
        return self.expired_at_ms is not None and self.expired_at_ms <= now_ms
