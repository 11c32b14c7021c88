"""Adds, changes and removes users; takes them in from files and gives them out.

What a person chose is hashed slowly on the pool, what was generated is hashed fast; nobody gets to
see a password again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from rookery.access.errors import AccessError, ImportFileError, Words
from rookery.access.guard import BusyError
from rookery.access.passwords.algorithms import (
    DEFAULT_COST,
    PASSWORD_BYTES_MAX,
    SALT_BYTES,
    Argon2Cost,
    Credential,
    HashSettings,
    hash_password,
    new_secret,
    store_secret,
)
from rookery.access.passwords.pool import HashPool
from rookery.access.scram.keys import ITERATIONS_MIN, derive, prepare
from rookery.access.users.models import (
    USER_ID_BYTES_MAX,
    IdType,
    NewUser,
    ScramAlgorithm,
    ScramUser,
    User,
)
from rookery.access.users.store import PAGE_MAX, Imported, UserStore, Wanted
from rookery.access.users.transfer import FileFormat, FileKind, read_users, write_users
from rookery.clock import Clock
from rookery.errors import ConflictError, ExceedsLimitError, NotFoundError
from rookery.types import Secret

_T = TypeVar("_T")

SCRAM_USER_BYTES_MAX = 1024  # the name is part of messages that have a bound

_BAD_USER_ID = Words(
    "a user's name has 1 to 65535 bytes and no U+0000", "用户名应为 1 到 65535 字节且不含 U+0000"
)
_BAD_PASSWORD = Words("a password has 1 to 65535 bytes", "密码应为 1 到 65535 字节")


class UserService:
    """What can be done about users. ``pool`` is shared with those who verify passwords.

    Attributes:
        cost: What hashes of new passwords cost; may be changed while the node runs.
    """

    def __init__(
        self,
        store: UserStore,
        pool: HashPool,
        clock: Clock,
        *,
        cost: Argon2Cost = DEFAULT_COST,
    ) -> None:
        self._store = store
        self._pool = pool
        self._clock = clock
        self.cost = cost

    async def get(self, id_type: IdType, user_id: str) -> User:
        """One user.

        Raises:
            NotFoundError: there is none of that name.
        """
        user = await self._store.get(id_type, user_id)
        if user is None:
            raise NotFoundError(f"there is no user {user_id!r}")
        return user

    async def find(self, id_type: IdType, wanted: Wanted) -> tuple[list[User], int]:
        """A page of users, and how many there are on all pages."""
        return await self._store.find(id_type, wanted)

    async def create(
        self,
        id_type: IdType,
        user_id: str,
        password: Secret | None = None,
        *,
        is_superuser: bool = False,
    ) -> Secret | None:
        """Add a user. Without a password one is made and returned, this once.

        Raises:
            AccessError: the name or the password cannot be one.
            ConflictError: there is a user of that name.
            ExceedsLimitError: too many passwords are being hashed.
        """
        if not 0 < len(user_id.encode("utf-8", "replace")) <= USER_ID_BYTES_MAX or "\0" in user_id:
            raise AccessError(_BAD_USER_ID)
        credential, made = await self._credential(password)
        user = User(
            user_id=user_id,
            id_type=id_type,
            credential=credential,
            is_superuser=is_superuser,
            created_at_ms=self._clock.now_ms(),
        )
        if not await self._store.insert(user):
            raise ConflictError(f"there is a user {user_id!r}")
        return made

    async def update(
        self,
        id_type: IdType,
        user_id: str,
        *,
        password: Secret | None = None,
        is_superuser: bool | None = None,
    ) -> None:
        """Change the password, the flag, or both.

        Raises:
            AccessError: the password cannot be one.
            NotFoundError: there is no user of that name.
            ExceedsLimitError: too many passwords are being hashed.
        """
        credential = None if password is None else (await self._credential(password))[0]
        if not await self._store.update(
            id_type, user_id, credential=credential, is_superuser=is_superuser
        ):
            raise NotFoundError(f"there is no user {user_id!r}")

    async def renew_secret(self, id_type: IdType, user_id: str) -> Secret:
        """Give a user a generated password instead of the one it had; returned this once.

        Raises:
            NotFoundError: there is no user of that name.
        """
        secret = new_secret()
        if not await self._store.update(id_type, user_id, credential=store_secret(secret)):
            raise NotFoundError(f"there is no user {user_id!r}")
        return secret

    async def delete(self, id_type: IdType, user_id: str) -> None:
        """Remove a user.

        Raises:
            NotFoundError: there is none of that name.
        """
        if not await self._store.delete(id_type, user_id):
            raise NotFoundError(f"there is no user {user_id!r}")

    async def _credential(self, password: Secret | None) -> tuple[Credential, Secret | None]:
        if password is None:
            made = new_secret()
            return store_secret(made), made
        content = password.reveal().encode()
        if not 0 < len(content) <= PASSWORD_BYTES_MAX:
            raise AccessError(_BAD_PASSWORD)
        try:
            return await self._pool.run(hash_password, content, self.cost), None
        except BusyError:
            raise ExceedsLimitError("too many passwords are being hashed; try again") from None

    # ---- SCRAM --------------------------------------------------------------------------

    async def create_scram(
        self,
        algorithm: ScramAlgorithm,
        user_id: str,
        password: Secret,
        *,
        iterations: int = ITERATIONS_MIN,
        is_superuser: bool = False,
        replace: bool = False,
    ) -> None:
        """Add a user for enhanced authentication, or give it another password.

        Raises:
            AccessError: the name or the password cannot be one.
            ConflictError: there is a user of that name and ``replace`` is not said.
            ExceedsLimitError: too many passwords are being hashed.
        """
        user = await self._scram_user(algorithm, user_id, password, iterations, is_superuser)
        if not await self._store.put_scram(user, replace=replace):
            raise ConflictError(f"there is a user {user.user_id!r}")

    async def update_scram(
        self,
        algorithm: ScramAlgorithm,
        user_id: str,
        *,
        password: Secret | None = None,
        iterations: int = ITERATIONS_MIN,
        is_superuser: bool | None = None,
    ) -> None:
        """Change the password, the flag, or both.

        Raises:
            AccessError: the password cannot be one.
            NotFoundError: there is no user of that name.
            ExceedsLimitError: too many passwords are being hashed.
        """
        secret = None
        if password is not None:
            secret = await self._scram_user(algorithm, user_id, password, iterations, False)
        if not await self._store.update_scram(
            algorithm, user_id, secret=secret, is_superuser=is_superuser
        ):
            raise NotFoundError(f"there is no user {user_id!r}")

    async def _scram_user(
        self,
        algorithm: ScramAlgorithm,
        user_id: str,
        password: Secret,
        iterations: int,
        is_superuser: bool,
    ) -> ScramUser:
        name = prepare(user_id)
        if not 0 < len(name.encode()) <= SCRAM_USER_BYTES_MAX or "\0" in name:
            raise AccessError(_BAD_USER_ID)
        if not 0 < len(password.reveal().encode()) <= PASSWORD_BYTES_MAX:
            raise AccessError(_BAD_PASSWORD)
        salt = secrets.token_bytes(SALT_BYTES)
        try:
            keys = await self._pool.run(derive, algorithm, password.reveal(), salt, iterations)
        except BusyError:
            raise ExceedsLimitError("too many passwords are being hashed; try again") from None
        return ScramUser(
            user_id=name,
            algorithm=algorithm,
            salt=salt,
            iterations=iterations,
            stored_key=keys.stored_key,
            server_key=keys.server_key,
            is_superuser=is_superuser,
            created_at_ms=self._clock.now_ms(),
        )

    async def get_scram(self, algorithm: ScramAlgorithm, user_id: str) -> ScramUser:
        """One user of enhanced authentication.

        Raises:
            NotFoundError: there is none of that name.
        """
        user = await self._store.get_scram(algorithm, user_id)
        if user is None:
            raise NotFoundError(f"there is no user {user_id!r}")
        return user

    async def find_scram(
        self, algorithm: ScramAlgorithm, wanted: Wanted
    ) -> tuple[list[ScramUser], int]:
        """A page of users, and how many there are on all pages."""
        return await self._store.find_scram(algorithm, wanted)

    async def delete_scram(self, algorithm: ScramAlgorithm, user_id: str) -> None:
        """Remove a user of enhanced authentication.

        Raises:
            NotFoundError: there is none of that name.
        """
        if not await self._store.delete_scram(algorithm, user_id):
            raise NotFoundError(f"there is no user {user_id!r}")

    # ---- files --------------------------------------------------------------------------

    async def import_users(
        self,
        content: bytes,
        *,
        id_type: IdType,
        format_: FileFormat,
        kind: FileKind,
        settings: HashSettings,
        file: str = "file",
        replace: bool = True,
    ) -> Imported:
        """Take in every user of a file, or none.

        Raises:
            ImportFileError: what is wrong with the file.
        """
        newcomers = await asyncio.to_thread(
            read_users, content, file=file, format_=format_, kind=kind, settings=settings
        )
        total = len(newcomers)
        if not replace:
            # A bootstrap file is read at every start: only who is missing costs a hash.
            known = await self._store.known(id_type, [newcomer.user_id for newcomer in newcomers])
            newcomers = [newcomer for newcomer in newcomers if newcomer.user_id not in known]
        users = await self._hashed(newcomers, id_type)
        imported = await self._store.put_many(users, replace=replace)
        return imported._replace(skipped=imported.skipped + total - len(newcomers))

    async def _hashed(self, newcomers: Sequence[NewUser], id_type: IdType) -> list[User]:
        now_ms = self._clock.now_ms()
        # As many at once as there are threads: logins find places in the pool meanwhile.
        places = asyncio.Semaphore(self._pool.threads)

        async def stored(newcomer: NewUser) -> User:
            credential = newcomer.credential
            if credential is None:
                password = (newcomer.password or Secret("")).reveal().encode()
                async with places:
                    credential = await self._patiently(self._hash, password)
            return User(
                user_id=newcomer.user_id,
                id_type=id_type,
                credential=credential,
                is_superuser=newcomer.is_superuser,
                created_at_ms=now_ms,
            )

        users: list[User] = []
        for start in range(0, len(newcomers), PAGE_MAX):
            batch = newcomers[start : start + PAGE_MAX]
            users += await asyncio.gather(*(stored(newcomer) for newcomer in batch))
        return users

    def _hash(self, password: bytes) -> Credential:
        return hash_password(password, self.cost)

    async def _patiently(self, function: Callable[[bytes], _T], argument: bytes) -> _T:
        """Work that nobody waits for at a deadline stands back while the pool is full."""
        pause_s = 0.01
        while True:
            try:
                return await self._pool.run(function, argument)
            except BusyError:
                await asyncio.sleep(pause_s)
                pause_s = min(1.0, pause_s * 2)

    async def export_users(self, id_type: IdType, format_: FileFormat) -> str:
        """All users of a kind with their hashes."""
        users: list[User] = []
        after = ""
        while page := await self._store.page(id_type, after=after, limit=PAGE_MAX):
            users += page
            after = page[-1].user_id
        return await asyncio.to_thread(write_users, users, format_)

    async def bootstrap(
        self, path: Path, *, id_type: IdType, kind: FileKind, settings: HashSettings
    ) -> Imported:
        """Take in the users of ``bootstrap_file`` that are not there yet.

        Raises:
            ImportFileError: what is wrong with the file.
        """
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise _unreadable(path, error) from error
        return await self.import_users(
            content,
            id_type=id_type,
            format_="json" if path.suffix == ".json" else "csv",
            kind=kind,
            settings=settings,
            file=str(path),
            replace=False,
        )


def _unreadable(path: Path, error: OSError) -> ImportFileError:
    reason = error.strerror or "error"
    return ImportFileError(
        Words(f"{path}: cannot be read: {reason}", f"{path}：无法读取：{reason}")
    )
