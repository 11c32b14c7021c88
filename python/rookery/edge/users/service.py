"""What can be done about users, and signing in.

**The first user** is ``admin`` with the password ``0000``, which is good on this machine alone and for nothing
but choosing another; until then nobody else is answered at all (:class:`rookery.edge.rest.app.NearOnly`). A
password in ``edge.admin_password`` takes its place.

Users are few and kept in memory too; the file is written first.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from rookery.access.guard import BusyError as PoolBusyError
from rookery.access.lockout import Lockout, is_loopback
from rookery.access.passwords import rule
from rookery.access.passwords.algorithms import Credential, hash_password, verify
from rookery.access.passwords.pool import HashPool
from rookery.clock import Clock
from rookery.edge.users import texts
from rookery.edge.users.models import ADMIN, DEFAULT_PASSWORD, EdgeRole, User
from rookery.edge.users.store import UserFile
from rookery.edge.users.tokens import Tokens
from rookery.errors import (
    BadRequestError,
    BusyError,
    ConflictError,
    ExceedsLimitError,
    NotFoundError,
    RookeryError,
    UnauthorizedError,
)
from rookery.types import Secret
from rookery.web.caller import Caller
from rookery.words import Words

_log = logging.getLogger("rookery.edge.users")

USERS_MAX = 100
NAME_MAX = 64
HASHES_WAITING_MAX = 16
PENDING_MAX = 4
"""Sign-ins from one address at a time."""
SIGNED_OUT_MAX = 64
"""Of one user; with more than that, every token of the user ends."""

_Error = TypeVar("_Error", bound=RookeryError)


class Users:
    """The users of one edge service."""

    def __init__(
        self, data_dir: Path, clock: Clock, *, lifetime_s: float, first_password: Secret
    ) -> None:
        """``first_password`` is that of ``admin`` at the first start; none: the default one."""
        self._file = UserFile(data_dir)
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._first_password = first_password
        self._key = b""
        self._users: dict[str, User] = {}
        self._tokens: Tokens
        self._changing = asyncio.Lock()
        self._pool = HashPool(threads=1, waiting_max=HASHES_WAITING_MAX)
        self._lockout = Lockout(clock)
        self._pending: Counter[str] = Counter()
        self._nobody: Credential | None = None

    async def open(self) -> None:
        """Read them; the first one is made where there is none.

        Raises:
            StartError: the file cannot be used.
        """
        kept = await asyncio.to_thread(self._file.read)
        self._key = kept.key
        self._users = {user.name: user for user in kept.users}
        self._tokens = Tokens(self._key, self._clock, self._lifetime_s)
        if not self._users:
            await self._make_first()

    async def close(self) -> None:
        """May be called twice."""
        self._pool.close()

    @property
    def is_initial(self) -> bool:
        """Whether nobody has chosen the administrator's password."""
        return any(not user.password_hash for user in self._users.values())

    # -- users ------------------------------------------------------------------------------

    def all(self) -> Sequence[User]:
        """By name."""
        return sorted(self._users.values(), key=lambda user: user.name)

    def get(self, name: str) -> User:
        """One of them.

        Raises:
            NotFoundError: there is none of that name.
        """
        found = self._users.get(name)
        if found is None:
            raise _told(NotFoundError, texts.NO_SUCH_USER, "USER_NOT_FOUND", name=name)
        return found

    async def create(self, name: str, password: str, role: EdgeRole) -> None:
        """Add one, who has to change the password at the first sign-in.

        Raises:
            BadRequestError: the name or the password will not do.
            ConflictError: there is one of that name.
            ExceedsLimitError: there are too many.
        """
        if not 0 < len(name) <= NAME_MAX or not name.isprintable() or name.strip() != name:
            raise _told(BadRequestError, texts.BAD_NAME, most=NAME_MAX)
        _check(password)
        stored = await self._hash(password)
        async with self._changing:
            if name in self._users:
                raise _told(ConflictError, texts.USER_EXISTS, name=name)
            if len(self._users) >= USERS_MAX:
                raise _told(ExceedsLimitError, texts.TOO_MANY, count=USERS_MAX)
            await self._put(
                User(
                    name=name,
                    role=role,
                    password_hash=stored,
                    must_change=True,
                    created_at_ms=self._clock.now_ms(),
                )
            )

    async def set_role(self, name: str, role: EdgeRole) -> None:
        """Open sessions have it at once.

        Raises:
            NotFoundError: there is no such user.
            BadRequestError: nobody would be an administrator any more.
        """
        async with self._changing:
            user = self.get(name)
            if role != "administrator":
                self._keep_one(user)
            await self._put(replace(user, role=role))

    async def delete(self, name: str) -> None:
        """Remove one; the user's tokens end.

        Raises:
            NotFoundError: there is no such user.
            BadRequestError: it is the last administrator.
        """
        async with self._changing:
            self._keep_one(self.get(name))
            await self._write([user for user in self._users.values() if user.name != name])
            del self._users[name]
            self._lockout.forget(name)

    async def reset_password(self, name: str, password: str, *, must_change: bool) -> None:
        """Give a user another password; all tokens of that one end.

        Raises:
            NotFoundError: there is no such user.
            BadRequestError: the password will not do.
        """
        _check(password)
        stored = await self._hash(password)
        async with self._changing:
            await self._put(_with_password(self.get(name), stored, must_change=must_change))
            self._lockout.forget(name)

    async def change_own_password(self, caller: Caller, old: str, new: str) -> str:
        """Change it and end every token; one that holds from here on.

        Raises:
            BadRequestError: the present one is wrong, or the new one will not do.
            UnauthorizedError: too many wrong ones.
        """
        self._refuse_locked(caller.name, caller.address)
        if not await self._is_password(caller.name, old):
            self._lockout.was_bad(caller.name, caller.address)
            raise _told(BadRequestError, texts.OLD_IS_WRONG, "ERROR_PWD_NOT_MATCH")
        if old == new:
            raise _told(BadRequestError, texts.SAME, "SAME_PASSWORD")
        _check(new)
        stored = await self._hash(new)
        async with self._changing:
            user = _with_password(self.get(caller.name), stored, must_change=False)
            await self._put(user)
            self._lockout.forget(caller.name)
        return self._tokens.issue(user)

    # -- signing in -------------------------------------------------------------------------

    async def sign_in(self, name: str, password: str, address: str, *, is_near: bool) -> str:
        """A token.

        Args:
            name: Who.
            password: What was said.
            address: From where.
            is_near: Whether that is this machine itself, without a page or proxy of others between.

        Raises:
            UnauthorizedError: they do not fit, or did not too often.
        """
        self._refuse_locked(name, address)
        with self._one_of_few(address):
            is_right = await self._is_password(name, password)
        user = self._users.get(name)
        if not is_right or user is None:
            is_locked = self._lockout.was_bad(name, address)
            _log.warning("sign-in of %r from %s refused%s", name, address or "this machine",
                         ", locked for ten minutes" if is_locked else "")  # fmt: skip
            raise _told(UnauthorizedError, texts.BAD_PASSWORD, "BAD_USERNAME_OR_PWD")
        if not user.password_hash and not (is_near and is_loopback(address)):
            raise _told(UnauthorizedError, texts.NEAR_ONLY, "BAD_USERNAME_OR_PWD", port="8085")
        self._lockout.was_good(name, address)
        _log.info("%s signed in from %s", name, address or "this machine")
        return self._tokens.issue(user)

    def caller_of(self, token: str, address: str) -> Caller:
        """Who sends that token.

        Raises:
            UnauthorizedError: it is no good, or no more.
        """
        claims = self._tokens.read(token)
        user = self._users.get(claims.name)
        is_over = user is None or user.generation != claims.generation
        if is_over or any(claims.token_id == jti for jti, _ in user.signed_out):  # type: ignore[union-attr]
            raise _told(UnauthorizedError, texts.BAD_TOKEN, "BAD_TOKEN")
        assert user is not None
        return Caller(
            name=user.name,
            role=user.role,
            via="token",
            address=address,
            must_change_password=user.must_change,
            token=token,
        )

    async def sign_out(self, caller: Caller) -> None:
        """End the token that the caller sent."""
        claims = self._tokens.read(caller.token)
        async with self._changing:
            user = self.get(caller.name)
            now_s = self._clock.now_ms() // 1000
            live = [(jti, ends_s) for jti, ends_s in user.signed_out if ends_s > now_s]
            live.append((claims.token_id, claims.ends_s))
            if len(live) > SIGNED_OUT_MAX:
                user, live = replace(user, generation=user.generation + 1), []
            await self._put(replace(user, signed_out=tuple(live)))

    # -- the rest ---------------------------------------------------------------------------

    async def _make_first(self) -> None:
        chosen = self._first_password.reveal()
        stored = ""
        if chosen and chosen != DEFAULT_PASSWORD:
            _check(chosen)
            stored = await self._hash(chosen)
        await self._put(
            User(
                name=ADMIN,
                role="administrator",
                password_hash=stored,
                must_change=not stored,
                created_at_ms=self._clock.now_ms(),
            )
        )

    def _keep_one(self, user: User) -> None:
        admins = [each for each in self._users.values() if each.role == "administrator"]
        if admins == [user]:
            raise _told(BadRequestError, texts.LAST_ADMIN, "NOT_ALLOWED", name=user.name)

    async def _put(self, user: User) -> None:
        await self._write(list({**self._users, user.name: user}.values()))
        self._users[user.name] = user

    async def _write(self, users: Sequence[User]) -> None:
        await asyncio.to_thread(self._file.write, self._key, users)

    async def _is_password(self, name: str, password: str) -> bool:
        user = self._users.get(name)
        if user is not None and not user.password_hash:
            return hmac.compare_digest(password.encode(), DEFAULT_PASSWORD.encode())
        try:
            if self._nobody is None:
                self._nobody = await self._pool.run(hash_password, b"nobody's")
            # A user that does not exist takes as long to refuse as one that does.
            stored = Credential(password_hash=user.password_hash) if user else self._nobody
            is_right = await self._pool.run(verify, stored, password.encode())
        except PoolBusyError:
            raise _told(BusyError, texts.BUSY) from None
        return is_right and user is not None

    async def _hash(self, password: str) -> str:
        try:
            made = await self._pool.run(hash_password, password.encode())
        except PoolBusyError:
            raise _told(BusyError, texts.BUSY) from None
        return made.password_hash

    @contextmanager
    def _one_of_few(self, address: str) -> Iterator[None]:
        if self._pending[address] >= PENDING_MAX:
            raise _told(BusyError, texts.BUSY)
        self._pending[address] += 1
        try:
            yield
        finally:
            self._pending[address] -= 1
            if not self._pending[address]:
                del self._pending[address]

    def _refuse_locked(self, name: str, address: str) -> None:
        if self._lockout.locked_for_s(name, address) > 0:
            raise _told(UnauthorizedError, texts.LOCKED, "LOGIN_LOCKED")


def _with_password(user: User, stored: str, *, must_change: bool) -> User:
    return replace(
        user,
        password_hash=stored,
        must_change=must_change,
        generation=user.generation + 1,
        signed_out=(),
    )


def _check(password: str) -> None:
    low, high = rule.LENGTH_MIN, rule.LENGTH_MAX
    if not low <= len(password) <= high:
        raise _told(BadRequestError, texts.LENGTH, "PASSWORD_LENGTH", low=low, high=high)
    try:
        rule.check_password(password)
        password.encode()
    except (BadRequestError, UnicodeEncodeError):
        raise _told(BadRequestError, texts.KINDS, "PASSWORD_LENGTH") from None


def _told(kind: type[_Error], words: Words, code: str = "", **values: object) -> _Error:
    said = words.format(**values)
    return kind(said.en, code=code, message_zh=said.zh)
