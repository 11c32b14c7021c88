"""What a password has to be, and how it is kept and checked."""

from __future__ import annotations

from rookery.access.guard import BusyError
from rookery.access.passwords.algorithms import Credential, hash_password, verify
from rookery.access.passwords.pool import HashPool
from rookery.control.accounts import texts
from rookery.control.errors import InvalidError, OutOfReachError

LENGTH_MIN = 8
LENGTH_MAX = 64
WAITING_MAX = 32


def check(password: str, length_min: int = LENGTH_MIN) -> None:
    """Refuse what is too easy to guess, or too long to type.

    Raises:
        InvalidError: says what is wrong, not what was typed.
    """
    if not length_min <= len(password) <= LENGTH_MAX:
        raise InvalidError(texts.PASSWORD_LENGTH, low=length_min, high=LENGTH_MAX)
    if len({_kind(character) for character in password}) < 3:
        raise InvalidError(texts.PASSWORD_KINDS)


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    return "letter" if character.isalpha() else "other"


class Passwords:
    """Hashes and checks, on threads of their own and with a bound."""

    def __init__(self) -> None:
        self._pool = HashPool(threads=1, waiting_max=WAITING_MAX)
        self._nobody: Credential | None = None

    def close(self) -> None:
        """May be called twice."""
        self._pool.close()

    async def hash(self, password: str) -> str:
        """What to keep.

        Raises:
            OutOfReachError: too many want that at once.
        """
        try:
            credential = await self._pool.run(hash_password, password.encode())
        except BusyError:
            raise OutOfReachError(texts.BUSY) from None
        return credential.password_hash

    async def is_right(self, stored: str | None, password: str) -> bool:
        """Whether that is the password; without ``stored`` it is not, and takes as long to find out.

        Raises:
            OutOfReachError: too many want that at once.
        """
        try:
            if stored is not None:
                credential = Credential(password_hash=stored)
                return await self._pool.run(verify, credential, password.encode())
            if self._nobody is None:
                self._nobody = await self._pool.run(hash_password, b"nobody")
            await self._pool.run(verify, self._nobody, password.encode())
        except BusyError:
            raise OutOfReachError(texts.BUSY) from None
        return False
