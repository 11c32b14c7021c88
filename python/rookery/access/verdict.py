"""What a provider says about a client, and what the chain makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from rookery.native.config import AclRule
from rookery.native.rows import AdmitRow, ContinueRow

# MQTT-5.0 section 2.4; the core translates for 3.x clients.
BAD_USER_NAME_OR_PASSWORD: Final = 0x86
NOT_AUTHORIZED: Final = 0x87
SERVER_UNAVAILABLE: Final = 0x88
SERVER_BUSY: Final = 0x89
BAD_AUTHENTICATION_METHOD: Final = 0x8C
PROTOCOL_ERROR: Final = 0x82

CLIENT_ATTRS_MAX = 64
CLIENT_ATTR_LENGTH_MAX = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    """Let the client in.

    Attributes:
        is_superuser: Nothing is denied to it.
        client_attrs: Attributes it gets.
        expire_at_ms: When its connection ends, milliseconds since 1970.
        acl: Rules looked at before every source.
        client_id_override: The Client Identifier it gets instead of its own.
        auth_data: The last Authentication Data of enhanced authentication.
        reason: Why, for people.
    """

    is_superuser: bool = False
    client_attrs: tuple[tuple[str, str], ...] = ()
    expire_at_ms: int | None = None
    acl: tuple[AclRule, ...] | None = None
    client_id_override: str | None = None
    auth_data: bytes | None = field(default=None, repr=False)
    reason: str = ""

    def to_row(self) -> AdmitRow:
        return AdmitRow(
            self.is_superuser,
            self.client_attrs,
            self.expire_at_ms,
            self.acl,
            self.client_id_override,
            self.auth_data,
        )


@dataclass(frozen=True, slots=True)
class Refuse:
    """Keep the client out; nobody else is asked."""

    reason_code: int = BAD_USER_NAME_OR_PASSWORD
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ignore:
    """This provider knows nothing about the client: the next one is asked."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Continue:
    """Another step is needed: send this and ask again with the answer."""

    auth_data: bytes = field(repr=False)
    reason: str | None = None

    def to_row(self) -> ContinueRow:
        return ContinueRow(self.auth_data, self.reason)


Opinion: TypeAlias = Admit | Refuse | Ignore | Continue
"""What one provider says."""

Verdict: TypeAlias = Admit | Refuse | Continue
"""What the chain says."""
