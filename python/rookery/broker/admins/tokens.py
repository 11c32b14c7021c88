"""Tokens of those who signed in: random, short-lived, extended by use, kept in memory alone.

A token is 256 random bits; what is kept is its SHA-256, so that nothing in memory or in a core dump
signs anybody in. A restart signs everybody out.

**Bounds.** At most :data:`TOKENS_MAX` tokens, :data:`TOKENS_OF_USER_MAX` for one user or for those who
signed in by the codes of one API key; the one that was used longest ago gives way.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from rookery.clock import Clock
from rookery.web.caller import Role, Via

TOKENS_MAX = 10_000
TOKENS_OF_USER_MAX = 100
TOKEN_BYTES = 32


@dataclass(slots=True)
class Session:
    """Somebody who signed in.

    Attributes:
        username: Who; for a sign-in code the name that was given with it.
        role: None: the role that the user has at the moment of each request.
        key: The name of the API key that asked for the sign-in code; it ends with that key.
        must_change_password: Signed in with the default password.
        expires_s: When, by the monotonic clock, unless it is used before.
    """

    username: str
    via: Via
    role: Role | None = None
    key: str = ""
    must_change_password: bool = False
    expires_s: float = 0.0

    @property
    def owner(self) -> tuple[Via, str]:
        """Whose tokens give way to this one: a name that came with a code may be anybody's."""
        return (self.via, self.key or self.username)


class TokenStore:
    """Everybody who is signed in."""

    def __init__(self, clock: Clock, lifetime_s: Callable[[], float]) -> None:
        """``lifetime_s`` is asked at every use: the setting may change while the node runs."""
        self._clock = clock
        self._lifetime_s = lifetime_s
        # The one used longest ago first.
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self.gave_way = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def issue(self, session: Session) -> str:
        """Sign somebody in; the token."""
        mine = [key for key, other in self._sessions.items() if other.owner == session.owner]
        if len(mine) >= TOKENS_OF_USER_MAX:
            self._give_way(mine[0])
        if len(self._sessions) >= TOKENS_MAX:
            self._give_way(next(iter(self._sessions)))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session.expires_s = self._clock.monotonic_s() + self._lifetime_s()
        self._sessions[_digest(token)] = session
        return token

    def use(self, token: str, *, is_automatic: bool = False) -> Session | None:
        """Who that is, for as long again; none: nobody knows the token.

        What ``is_automatic`` was caused by nobody, and extends nothing.

        An expired one is given back as it is once, so that its owner can be told why.
        """
        key = _digest(token)
        session = self._sessions.get(key)
        if session is None:
            return None
        if self.is_expired(session):
            del self._sessions[key]
            return session
        if not is_automatic:
            session.expires_s = self._clock.monotonic_s() + self._lifetime_s()
            self._sessions.move_to_end(key)
        return session

    def is_expired(self, session: Session) -> bool:
        return session.expires_s <= self._clock.monotonic_s()

    def revoke(self, token: str) -> None:
        """Sign out."""
        self._sessions.pop(_digest(token), None)

    def revoke_where(self, is_meant: Callable[[Session], bool]) -> int:
        """Sign out everybody who is meant; how many that were."""
        gone = [key for key, session in self._sessions.items() if is_meant(session)]
        for key in gone:
            del self._sessions[key]
        return len(gone)

    def _give_way(self, key: bytes) -> None:
        del self._sessions[key]
        self.gave_way += 1


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
