"""What can be done about users of the dashboard, and signing in.

**The first user.** While there is none, ``dashboard.default_username`` may sign in with
``dashboard.default_password``, from this machine alone and to do nothing but choose a password. That
makes the user. Where the configured password is one that somebody chose (it passes the rule for
passwords), the user is made of it at the start instead.

Users are few and kept in memory too; the store is written first.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rookery.access.database_replica import DatabaseReplica
from rookery.access.guard import BusyError
from rookery.access.lockout import Lockout, is_loopback
from rookery.access.passwords.algorithms import Credential, hash_password, verify
from rookery.access.passwords.pool import HashPool
from rookery.access.passwords.rule import check_password
from rookery.broker.admins.keys import ApiKeys
from rookery.broker.admins.models import Admin, UserRole
from rookery.broker.admins.settings import AdminSettings
from rookery.broker.admins.sso import SignInCodes
from rookery.broker.admins.store import AdminStore
from rookery.broker.admins.tokens import Session, TokenStore
from rookery.broker.audit import AuditLog
from rookery.clock import Clock
from rookery.errors import (
    BadRequestError,
    ConflictError,
    ExceedsLimitError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
)
from rookery.web.caller import Caller, Role

_log = logging.getLogger("rookery.admins")

USERS_MAX = 1000
NAME_MAX = 100
HASHES_WAITING_MAX = 32
PENDING_MAX = 8
"""From one address at a time: guessing from there leaves room for others."""


class AdminService:
    """Users, tokens, API keys and sign-in codes of one node."""

    def __init__(
        self,
        data_dir: Path,
        clock: Clock,
        audit: AuditLog,
        settings: Callable[[], AdminSettings],
    ) -> None:
        """``settings`` is asked at every use."""
        self._data_dir = data_dir
        self._clock = clock
        self._audit = audit
        # Of its own: a storm of clients that connect must not keep administrators out.
        self._pool = HashPool(threads=1, waiting_max=HASHES_WAITING_MAX)
        self._settings = settings
        self._store: AdminStore | None = None
        self._admins: dict[str, Admin] = {}
        self._changing = asyncio.Lock()
        self._lockout = Lockout(clock)
        self.key_lockout = Lockout(clock)
        self._nobody: Credential | None = None
        self._pending: Counter[str] = Counter()
        self.tokens = TokenStore(clock, lambda: settings().token_expired_time_s)
        self._keys: ApiKeys | None = None
        self._is_closed = False
        self.codes = SignInCodes(clock)
        self.failed_logins = 0

    async def open(self) -> None:
        """Read users and keys. While that has not been possible, nobody is let in.

        Raises:
            StartError: the file cannot be used.
            UnavailableError: it cannot be read, or what the configuration asks for not be written.
        """
        store = await asyncio.to_thread(AdminStore, self._data_dir)
        try:
            admins = {admin.username: admin for admin in await store.admins()}
            configured = None if admins else await self._configured()
            if configured is not None:
                await store.put_admin(configured, None)
                admins[configured.username] = configured
            keys = ApiKeys(store, self._clock, self._audit, self._end_key)
            await keys.open(self._settings().bootstrap_file)
        except BaseException:
            await asyncio.to_thread(store.close)
            raise
        self._store, self._admins, self._keys = store, admins, keys

    async def close(self) -> None:
        """May be called twice."""
        self._pool.close()
        self._is_closed = True
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
            self._store = None

    def metrics(self) -> dict[str, int]:
        return {
            "dashboard.login.failed": self.failed_logins,
            "dashboard.login.locked": self._lockout.locked + self.key_lockout.locked,
            "dashboard.tokens.gave_way": self.tokens.gave_way,
        }

    def stats(self) -> dict[str, int]:
        return {"dashboard.tokens.count": len(self.tokens)}

    # -- users ------------------------------------------------------------------------------

    @property
    def is_default(self) -> bool:
        """Whether nobody has chosen a password.

        Raises:
            UnavailableError: that is not known.
        """
        self._refuse_unknown()
        return not self._admins

    @property
    def keys(self) -> ApiKeys:
        """API keys.

        Raises:
            UnavailableError: they are not known.
        """
        if self._keys is None:
            raise self._not_known()
        return self._keys

    def users(self) -> list[Admin]:
        """All of them, by name; before there is one, the default user.

        Raises:
            UnavailableError: they are not known.
        """
        self._refuse_unknown()
        return sorted(self._admins.values(), key=lambda admin: admin.username) or [self._default()]

    def user(self, username: str) -> Admin:
        """One of them.

        Raises:
            NotFoundError: there is none of that name.
        """
        for admin in self.users():
            if admin.username == username:
                return admin
        raise NotFoundError(f"no user {username}", code="USER_NOT_FOUND")

    async def create(
        self, username: str, password: str, role: UserRole, description: str = ""
    ) -> Admin:
        """Add a user.

        Raises:
            BadRequestError: the name or the password will not do.
            ConflictError: there is one of that name.
            ExceedsLimitError: there are too many.
        """
        _check_name(username)
        check_password(password)
        credential = await self._hash(password)
        async with self._changing:
            if username in self._admins:
                raise ConflictError(f"{username} exists already")
            if len(self._admins) >= USERS_MAX:
                raise ExceedsLimitError(f"there are {USERS_MAX} users already")
            if not self._admins and role != "administrator":
                raise BadRequestError("the first user has to be an administrator")
            admin = Admin(
                username=username,
                role=role,
                description=description,
                credential=credential,
                created_at_ms=self._clock.now_ms(),
            )
            await self._put(admin)
        self._tell(username, None, admin)
        return admin

    async def update(
        self, username: str, role: UserRole | None = None, description: str | None = None
    ) -> Admin:
        """Change role or description; open sessions have the new role at once.

        Raises:
            NotFoundError: there is no such user.
            BadRequestError: nobody would be an administrator any more.
        """
        async with self._changing:
            before = self._made(username)
            if role is not None and role != "administrator":
                self._keep_one(before)
            after = replace(
                before,
                role=before.role if role is None else role,
                description=before.description if description is None else description,
            )
            await self._put(after)
        self._tell(username, before, after)
        return after

    async def delete(self, username: str) -> None:
        """Remove a user, whose tokens end with it.

        Raises:
            NotFoundError: there is no such user.
            BadRequestError: it is the last administrator.
        """
        async with self._changing:
            before = self._made(username)
            self._keep_one(before)
            await self._opened.delete_admin(before)
            del self._admins[username]
        self._end_sessions(username)
        self._tell(username, before, None)

    def replica(self) -> DatabaseReplica:
        """Users and API keys, as all nodes of a cluster have them."""
        return self._opened.replica(self._changed_elsewhere)

    async def _changed_elsewhere(self, tables: frozenset[str]) -> None:
        if "api_keys" in tables:
            await self.keys.read_again()
        if "admins" not in tables:
            return
        found = {admin.username: admin for admin in await self._opened.admins()}
        before, self._admins = self._admins, found
        if not before:
            # Whoever signed in with the default password.
            self.tokens.revoke_where(lambda session: session.must_change_password)
        for name, admin in before.items():
            if name not in found or found[name].credential != admin.credential:
                self._end_sessions(name)

    def stored(self) -> list[Admin]:
        """All of them as they are kept; nobody before somebody has chosen a password.

        Raises:
            UnavailableError: they are not known.
        """
        self._refuse_unknown()
        return sorted(self._admins.values(), key=lambda admin: admin.username)

    async def restore(self, admins: Sequence[Admin]) -> None:
        """Add or replace users, all or none; whoever has another password then is signed out.

        Raises:
            BadRequestError: a name cannot be one, or nobody would be an administrator.
            ExceedsLimitError: there would be too many.
        """
        for admin in admins:
            _check_name(admin.username)
        async with self._changing:
            after = {**self._admins, **{admin.username: admin for admin in admins}}
            if len(after) > USERS_MAX:
                raise ExceedsLimitError(f"there would be more than {USERS_MAX} users")
            if after and all(admin.role != "administrator" for admin in after.values()):
                raise BadRequestError("nobody would be an administrator")
            await self._opened.put_many(admins, ())
            before, self._admins = self._admins, after
        if not before:
            # Whoever signed in with the default password.
            self.tokens.revoke_where(lambda session: session.must_change_password)
        for admin in admins:
            self._lockout.forget(admin.username)
            known = before.get(admin.username)
            # Who brings back an own export proved to know the very password.
            if known is None or known.credential != admin.credential:
                self._end_sessions(admin.username)

    async def check_old_password(self, username: str, password: str, address: str) -> None:
        """Before a password is changed by its owner.

        Raises:
            BadRequestError: it is not the password.
            UnauthorizedError: too many wrong ones came from there.
        """
        self._refuse_locked(username, address)
        if not await self._is_password(username, password):
            self._lockout.was_bad(username, address)
            self.failed_logins += 1
            raise BadRequestError(
                "the old password is wrong", code="ERROR_PWD_NOT_MATCH", message_zh="旧密码错误"
            )

    async def set_password(self, username: str, password: str) -> None:
        """Give a user a password; whoever was signed in as that user is signed out.

        For the default user this makes the user.

        Raises:
            NotFoundError: there is no such user.
            BadRequestError: the password will not do.
        """
        self.user(username)
        check_password(password)
        credential = await self._hash(password)
        async with self._changing:
            before = self.user(username)
            await self._put(replace(before, credential=credential))
        self._lockout.forget(username)
        self._end_sessions(username)
        self._audit.record("update", f"users/{username}", after={"password": "changed"})

    # -- signing in -------------------------------------------------------------------------

    async def login(
        self, username: str, password: str, address: str, *, is_direct: bool
    ) -> tuple[str, Role, bool]:
        """Sign in.

        Args:
            username: Who.
            password: What was typed.
            address: Where the request came from.
            is_direct: Whether it was made for this machine and passed no proxy that says so.

        Returns:
            The token, the role, and whether the password has to be changed first.

        Raises:
            UnauthorizedError: it is not the password, or too many wrong ones came from there.
        """
        self._refuse_locked(username, address)
        with self._one_of_few(address):
            is_right = await self._is_password(username, password)
        is_default = self.is_default
        if is_right and is_default and not (is_direct and is_loopback(address)):
            raise UnauthorizedError(
                "the default password works on the node's machine alone: sign in there, or run "
                f"`rookery ctl admins passwd {username}` there",
                code="BAD_USERNAME_OR_PWD",
            )
        if not is_right:
            self.failed_logins += 1
            if self._lockout.was_bad(username, address):
                _log.warning("%r is locked for %s after bad passwords", username, address)
            raise UnauthorizedError("bad username or password", code="BAD_USERNAME_OR_PWD")
        self._lockout.was_good(username, address)
        session = Session(username, "token", must_change_password=is_default)
        return self.tokens.issue(session), self.user(username).role, is_default

    def login_with_code(self, code: str) -> tuple[str, str, Role]:
        """Sign in with a code that an API key asked for.

        Returns:
            The token, the name and the role.

        Raises:
            UnauthorizedError: it is not known, was used, is too old, or its key is gone.
        """
        found = self.codes.take(code)
        key = self.keys.usable(found.key) if found is not None else None
        if found is None or key is None:
            raise UnauthorizedError(
                "the sign-in code is not known, was used, or has expired", code="BAD_SSO_CODE"
            )
        session = Session(found.username, "sso", role=found.role, key=key.name)
        return self.tokens.issue(session), found.username, found.role

    def caller_of_token(self, token: str, address: str, *, is_automatic: bool = False) -> Caller:
        """Who that is; what ``is_automatic`` does not count as use.

        Raises:
            UnauthorizedError: nobody, any more.
        """
        self._refuse_unknown()
        session = self.tokens.use(token, is_automatic=is_automatic)
        if session is None:
            raise UnauthorizedError("the token is not known, sign in again", code="BAD_TOKEN")
        if self.tokens.is_expired(session):
            raise UnauthorizedError("the token has expired, sign in again", code="TOKEN_TIME_OUT")
        if session.via == "sso" and self.keys.usable(session.key) is None:
            # Its time is over: nobody was told, as when it is removed or disabled.
            self._end_key(session.key)
            raise UnauthorizedError("the API key of the token has expired", code="BAD_TOKEN")
        role = session.role or self.user(session.username).role
        return Caller(
            name=session.username,
            role=role,
            via=session.via,
            address=address,
            must_change_password=session.must_change_password,
            token=token,
            key=session.key,
        )

    # -- inside -----------------------------------------------------------------------------

    @property
    def _opened(self) -> AdminStore:
        if self._store is None:
            raise self._not_known()
        return self._store

    def _refuse_unknown(self) -> None:
        # Without the users everybody would be the first one.
        if self._keys is None:
            raise self._not_known()

    def _not_known(self) -> UnavailableError:
        if self._is_closed:
            return UnavailableError("the node stops", message_zh="节点正在停止")
        # Whoever asks may be anybody: where the file is stands in the log and in the alarm.
        return UnavailableError(
            "users and API keys cannot be read, nobody can sign in: the log and `rookery ctl alarms list` "
            "on the node's machine say why",
            message_zh="无法读取用户与 API 密钥，暂时无法登录：原因见日志，"
            "或在节点所在机器上执行 `rookery ctl alarms list`",
        )

    def _default(self) -> Admin:
        return Admin(
            username=self._settings().default_username,
            role="administrator",
            description="",
            credential=Credential(password_hash=""),
            created_at_ms=self._clock.now_ms(),
        )

    async def _configured(self) -> Admin | None:
        """The user that the configuration asks for, where it has a password that may be one."""
        settings = self._settings()
        try:
            check_password(settings.default_password.reveal())
        except BadRequestError:
            return None
        credential = await self._hash(settings.default_password.reveal())
        return replace(self._default(), credential=credential)

    async def _is_password(self, username: str, password: str) -> bool:
        self._refuse_unknown()
        admin = self._admins.get(username)
        if self._nobody is None:
            self._nobody = await self._hash("nobody's")
        # A user that does not exist takes as long to refuse as one that does.
        credential = admin.credential if admin is not None else self._nobody
        try:
            is_right = await self._pool.run(verify, credential, password.encode())
        except BusyError:
            raise UnavailableError("too many sign in at once, try again") from None
        if admin is not None:
            return is_right
        return self.is_default and self._is_default_password(username, password)

    def _is_default_password(self, username: str, password: str) -> bool:
        settings = self._settings()
        given = f"{username}\0{password}".encode()
        wanted = f"{settings.default_username}\0{settings.default_password.reveal()}".encode()
        return hmac.compare_digest(given, wanted)

    async def _hash(self, password: str) -> Credential:
        try:
            return await self._pool.run(hash_password, password.encode())
        except BusyError:
            raise UnavailableError("too many passwords are hashed at once, try again") from None

    @contextmanager
    def _one_of_few(self, address: str) -> Iterator[None]:
        if self._pending[address] >= PENDING_MAX:
            raise UnavailableError("too many sign in at once from there, try again")
        self._pending[address] += 1
        try:
            yield
        finally:
            self._pending[address] -= 1
            if not self._pending[address]:
                del self._pending[address]

    def _refuse_locked(self, username: str, address: str) -> None:
        if self._lockout.locked_for_s(username, address) > 0:
            raise UnauthorizedError(
                "too many bad passwords, try again in ten minutes; `rookery ctl admins passwd` on "
                "the node's machine works at once",
                code="LOGIN_LOCKED",
            )

    def _made(self, username: str) -> Admin:
        if username not in self._admins:
            self.user(username)
            raise BadRequestError(
                "the default user is made when its password is changed", code="NOT_ALLOWED"
            )
        return self._admins[username]

    def _keep_one(self, admin: Admin) -> None:
        others = [
            other
            for other in self._admins.values()
            if other.role == "administrator" and other.username != admin.username
        ]
        if admin.role == "administrator" and not others:
            raise BadRequestError(f"{admin.username} is the only administrator", code="NOT_ALLOWED")

    async def _put(self, admin: Admin) -> None:
        await self._opened.put_admin(admin, self._admins.get(admin.username))
        was_default = self.is_default
        self._admins[admin.username] = admin
        if was_default:
            # Whoever signed in with the default password.
            self.tokens.revoke_where(lambda session: session.must_change_password)

    def _end_sessions(self, username: str) -> None:
        self.tokens.revoke_where(
            lambda session: session.via == "token" and session.username == username
        )

    def _end_key(self, name: str) -> None:
        self.tokens.revoke_where(lambda session: session.key == name)
        self.codes.forget(name)

    def _tell(self, username: str, before: Admin | None, after: Admin | None) -> None:
        verb = "create" if before is None else "delete" if after is None else "update"
        self._audit.record(verb, f"users/{username}", before=_shown(before), after=_shown(after))


def _shown(admin: Admin | None) -> dict[str, Any] | None:
    if admin is None:
        return None
    return {"role": admin.role, "description": admin.description}


def _check_name(username: str) -> None:
    if not username or len(username) > NAME_MAX or not username.isprintable():
        raise BadRequestError(f"a user name has 1 to {NAME_MAX} printable characters")
