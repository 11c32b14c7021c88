"""Sign-in codes: a program that holds an API key opens the dashboard for somebody, signed in.

A code is good once, for :data:`LIFETIME_S`. It carries no more rights than its key.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from rookery.clock import Clock
from rookery.web.caller import Role

LIFETIME_S = 30.0
CODES_MAX = 1000
CODES_OF_KEY_MAX = 100
CODE_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignInCode:
    """What a code is good for."""

    key: str
    username: str
    role: Role
    expires_s: float


class SignInCodes:
    """Codes that were not used yet; the oldest, of the same key if that has many, gives way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes: OrderedDict[bytes, SignInCode] = OrderedDict()

    def issue(self, key: str, username: str, role: Role) -> str:
        """A new code, asked for by that API key."""
        code = secrets.token_urlsafe(CODE_BYTES)
        mine = [digest for digest, found in self._codes.items() if found.key == key]
        if len(mine) >= CODES_OF_KEY_MAX:
            del self._codes[mine[0]]
        elif len(self._codes) >= CODES_MAX:
            self._codes.popitem(last=False)
        expires_s = self._clock.monotonic_s() + LIFETIME_S
        self._codes[_digest(code)] = SignInCode(key, username, role, expires_s)
        return code

    def take(self, code: str) -> SignInCode | None:
        """Use a code up; none: it is not known, or too old."""
        found = self._codes.pop(_digest(code), None)
        if found is None or found.expires_s <= self._clock.monotonic_s():
            return None
        return found

    def forget(self, key: str) -> None:
        """Those of a key that is gone."""
        for code in [code for code, found in self._codes.items() if found.key == key]:
            del self._codes[code]


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
