"""What is known about a user."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rookery.access.passwords.algorithms import Credential
from rookery.types import Secret

IdType: TypeAlias = Literal["username", "clientid"]
"""``user_id_type``: which part of CONNECT is the user's name."""

ScramAlgorithm: TypeAlias = Literal["sha256", "sha512"]

USER_ID_BYTES_MAX = 65_535  # MQTT-5.0 section 3.1.3.5


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user as stored."""

    user_id: str
    id_type: IdType = "username"
    credential: Credential
    is_superuser: bool = False
    created_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A user as it comes in a file: with a password, or with one that is stored already."""

    user_id: str
    password: Secret | None = None
    credential: Credential | None = None
    is_superuser: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScramUser:
    """What RFC 5802 stores about a user: enough to verify, too little to log in with."""

    user_id: str
    algorithm: ScramAlgorithm
    salt: bytes = field(repr=False)
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)
    is_superuser: bool = False
    created_at_ms: int = 0
