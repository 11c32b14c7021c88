"""Tokens as Neuron's scripts know them: JSON Web Tokens, signed with a key that this edge service keeps."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import jwt

from rookery.clock import Clock
from rookery.edge.users import texts
from rookery.edge.users.models import User
from rookery.errors import UnauthorizedError
from rookery.words import Words

ISSUER = "rookery-edge"
ALGORITHM = "HS256"
TOKEN_BYTES_MAX = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says."""

    name: str
    generation: int
    token_id: str
    ends_s: int


class Tokens:
    """Signs and reads them."""

    def __init__(self, key: bytes, clock: Clock, lifetime_s: float) -> None:
        self._key = key
        self._clock = clock
        self._lifetime_s = lifetime_s

    def issue(self, user: User) -> str:
        now_s = self._clock.now_ms() // 1000
        claims = {
            "iss": ISSUER,
            "sub": user.name,
            "gen": user.generation,
            "jti": secrets.token_hex(8),
            "iat": now_s,
            "exp": now_s + round(self._lifetime_s),
        }
        return jwt.encode(claims, self._key, ALGORITHM)

    def read(self, token: str) -> Claims:
        """What it says, signed by us and not over.

        Raises:
            UnauthorizedError: it is not.
        """
        if len(token) > TOKEN_BYTES_MAX:
            raise _bad(texts.BAD_TOKEN, "BAD_TOKEN")
        try:
            found = jwt.decode(
                token,
                self._key,
                [ALGORITHM],
                issuer=ISSUER,
                # Against our clock, not that of the library.
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "require": ["sub", "gen", "jti", "exp"],
                },
            )
            claims = Claims(
                name=str(found["sub"]),
                generation=int(found["gen"]),
                token_id=str(found["jti"]),
                ends_s=int(found["exp"]),
            )
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise _bad(texts.BAD_TOKEN, "BAD_TOKEN") from None
        if claims.ends_s * 1000 <= self._clock.now_ms():
            raise _bad(texts.TOKEN_OVER, "TOKEN_TIME_OUT")
        return claims


def _bad(words: Words, code: str) -> UnauthorizedError:
    return UnauthorizedError(words.en, code=code, message_zh=words.zh)
