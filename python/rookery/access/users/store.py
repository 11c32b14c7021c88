"""Keeps users in the data directory. Knows tables, not passwords."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from rookery.access.database import Database
from rookery.access.passwords.algorithms import (
    Credential,
    settings_from_json,
    settings_to_json,
)
from rookery.access.users.models import IdType, ScramAlgorithm, ScramUser, User

PAGE_MAX = 1000

UserOrder: TypeAlias = Literal["user_id", "is_superuser"]

_USER_COLUMNS = "user_id, id_type, settings, password_hash, salt, is_superuser, created_at_ms"
_SCRAM_COLUMNS = (
    "user_id, algorithm, salt, iterations, stored_key, server_key, is_superuser, created_at_ms"
)
_INSERT = f"INSERT INTO users ({_USER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_REPLACE = (
    f"{_INSERT} ON CONFLICT (id_type, user_id) DO UPDATE SET settings = excluded.settings, "
    "password_hash = excluded.password_hash, salt = excluded.salt, "
    "is_superuser = excluded.is_superuser"
)

_REPLACE_SCRAM = (
    f"INSERT OR REPLACE INTO scram_users ({_SCRAM_COLUMNS}) "  # noqa: S608
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class Imported(NamedTuple):
    """How many users a file brought."""

    added: int
    replaced: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which users, and which part of their list.

    Attributes:
        like: What their names hold.
        is_superuser: Only those who are, or are not.
        start: How many to pass over.
        limit: Most of them.
        order: By what; names come in their order where that is the same.
        is_descending: Whether the greatest comes first.
    """

    like: str = ""
    is_superuser: bool | None = None
    start: int = 0
    limit: int = 100
    order: UserOrder = "user_id"
    is_descending: bool = False

    def read(
        self, connection: sqlite3.Connection, table: str, columns: str, key: str, value: str
    ) -> tuple[list[tuple[Any, ...]], int]:
        """Rows of ``table`` whose ``key`` is ``value``, and how many fit in all."""
        where = f"{key} = ? AND instr(user_id, ?) > 0"
        given: tuple[Any, ...] = (value, self.like)
        if self.is_superuser is not None:
            where += " AND is_superuser = ?"
            given += (self.is_superuser,)
        count = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", given)  # noqa: S608
        order = f"{self.order} {'DESC' if self.is_descending else 'ASC'}, user_id"
        rows = connection.execute(
            f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608
            (*given, self.limit, self.start),
        )
        return rows.fetchall(), int(count.fetchone()[0])


class UserStore:
    """Users by the kind of their name; a name of one kind says nothing about the other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, id_type: IdType, user_id: str) -> User | None:
        def query(connection: sqlite3.Connection) -> User | None:
            row = connection.execute(
                f"SELECT {_USER_COLUMNS} FROM users WHERE id_type = ? AND user_id = ?",  # noqa: S608
                (id_type, user_id),
            ).fetchone()
            return None if row is None else _user(row)

        return await self._database.read(query)

    async def insert(self, user: User) -> bool:
        """Add a user; false when there is one of that name."""

        def change(connection: sqlite3.Connection) -> bool:
            try:
                connection.execute(_INSERT, _row(user))
            except sqlite3.IntegrityError:
                return False
            return True

        return await self._database.write(change)

    async def update(
        self,
        id_type: IdType,
        user_id: str,
        *,
        credential: Credential | None = None,
        is_superuser: bool | None = None,
    ) -> bool:
        """Change what is given; false when there is no such user."""

        def change(connection: sqlite3.Connection) -> bool:
            found = connection.execute(
                "SELECT 1 FROM users WHERE id_type = ? AND user_id = ?", (id_type, user_id)
            ).fetchone()
            if found is None:
                return False
            if credential is not None:
                connection.execute(
                    "UPDATE users SET settings = ?, password_hash = ?, salt = ? "
                    "WHERE id_type = ? AND user_id = ?",
                    (*_credential_row(credential), id_type, user_id),
                )
            if is_superuser is not None:
                connection.execute(
                    "UPDATE users SET is_superuser = ? WHERE id_type = ? AND user_id = ?",
                    (is_superuser, id_type, user_id),
                )
            return True

        return await self._database.write(change)

    async def delete(self, id_type: IdType, user_id: str) -> bool:
        """Remove a user; whether it was there."""

        def change(connection: sqlite3.Connection) -> bool:
            cursor = connection.execute(
                "DELETE FROM users WHERE id_type = ? AND user_id = ?", (id_type, user_id)
            )
            return cursor.rowcount > 0

        return await self._database.write(change)

    async def page(
        self, id_type: IdType, *, after: str = "", limit: int = 100, like: str = ""
    ) -> list[User]:
        """Users in the order of their names, those behind ``after`` whose name holds ``like``."""

        def query(connection: sqlite3.Connection) -> list[User]:
            rows = connection.execute(
                f"SELECT {_USER_COLUMNS} FROM users WHERE id_type = ? AND user_id > ? "  # noqa: S608
                "AND instr(user_id, ?) > 0 ORDER BY user_id LIMIT ?",
                (id_type, after, like, min(limit, PAGE_MAX)),
            )
            return [_user(row) for row in rows]

        return await self._database.read(query)

    async def find(self, id_type: IdType, wanted: Wanted) -> tuple[list[User], int]:
        """A page of users in the order of their names, and how many there are on all pages."""

        def query(connection: sqlite3.Connection) -> tuple[list[User], int]:
            rows, count = wanted.read(connection, "users", _USER_COLUMNS, "id_type", id_type)
            return [_user(row) for row in rows], count

        return await self._database.read(query)

    async def count(self, id_type: IdType) -> int:
        def query(connection: sqlite3.Connection) -> int:
            row = connection.execute("SELECT count(*) FROM users WHERE id_type = ?", (id_type,))
            return int(row.fetchone()[0])

        return await self._database.read(query)

    async def known(self, id_type: IdType, user_ids: Sequence[str]) -> set[str]:
        """Which of these names belong to users."""

        def query(connection: sqlite3.Connection) -> set[str]:
            statement = "SELECT 1 FROM users WHERE id_type = ? AND user_id = ?"
            return {
                user_id
                for user_id in user_ids
                if connection.execute(statement, (id_type, user_id)).fetchone() is not None
            }

        return await self._database.read(query)

    async def put_many(self, users: Iterable[User], *, replace: bool) -> Imported:
        """Add users, all in one change. Without ``replace`` those that are there stay.

        They are gone through in the thread that writes.
        """

        def change(connection: sqlite3.Connection) -> Imported:
            added = replaced = skipped = 0
            for user in users:
                known = connection.execute(
                    "SELECT 1 FROM users WHERE id_type = ? AND user_id = ?",
                    (user.id_type, user.user_id),
                ).fetchone()
                if known is not None and not replace:
                    skipped += 1
                    continue
                connection.execute(_REPLACE, _row(user))
                if known is None:
                    added += 1
                else:
                    replaced += 1
            return Imported(added, replaced, skipped)

        return await self._database.write(change)

    # ---- SCRAM --------------------------------------------------------------------------

    async def get_scram(self, algorithm: ScramAlgorithm, user_id: str) -> ScramUser | None:
        def query(connection: sqlite3.Connection) -> ScramUser | None:
            row = connection.execute(
                f"SELECT {_SCRAM_COLUMNS} FROM scram_users "  # noqa: S608
                "WHERE algorithm = ? AND user_id = ?",
                (algorithm, user_id),
            ).fetchone()
            return None if row is None else _scram_user(row)

        return await self._database.read(query)

    async def put_scram(self, user: ScramUser, *, replace: bool) -> bool:
        """Store a user; false when there is one of that name and ``replace`` is not said."""

        def change(connection: sqlite3.Connection) -> bool:
            return _put_scram(connection, user, "REPLACE" if replace else "IGNORE")

        return await self._database.write(change)

    async def update_scram(
        self,
        algorithm: ScramAlgorithm,
        user_id: str,
        *,
        secret: ScramUser | None = None,
        is_superuser: bool | None = None,
    ) -> bool:
        """Change what is given; false when there is no such user. ``secret`` brings the keys."""

        def change(connection: sqlite3.Connection) -> bool:
            row = connection.execute(
                f"SELECT {_SCRAM_COLUMNS} FROM scram_users "  # noqa: S608
                "WHERE algorithm = ? AND user_id = ?",
                (algorithm, user_id),
            ).fetchone()
            if row is None:
                return False
            user = _scram_user(row)
            if secret is not None:
                user = dataclasses.replace(
                    secret, is_superuser=user.is_superuser, created_at_ms=user.created_at_ms
                )
            if is_superuser is not None:
                user = dataclasses.replace(user, is_superuser=is_superuser)
            return _put_scram(connection, user, "REPLACE")

        return await self._database.write(change)

    async def put_many_scram(self, users: Iterable[ScramUser]) -> None:
        """Add or replace users, all in one change."""

        def change(connection: sqlite3.Connection) -> None:
            connection.executemany(_REPLACE_SCRAM, map(_scram_row, users))

        await self._database.write(change)

    async def delete_scram(self, algorithm: ScramAlgorithm, user_id: str) -> bool:
        def change(connection: sqlite3.Connection) -> bool:
            cursor = connection.execute(
                "DELETE FROM scram_users WHERE algorithm = ? AND user_id = ?",
                (algorithm, user_id),
            )
            return cursor.rowcount > 0

        return await self._database.write(change)

    async def find_scram(
        self, algorithm: ScramAlgorithm, wanted: Wanted
    ) -> tuple[list[ScramUser], int]:
        """A page of users in the order of their names, and how many there are on all pages."""

        def query(connection: sqlite3.Connection) -> tuple[list[ScramUser], int]:
            rows, count = wanted.read(
                connection, "scram_users", _SCRAM_COLUMNS, "algorithm", algorithm
            )
            return [_scram_user(row) for row in rows], count

        return await self._database.read(query)


def _scram_row(user: ScramUser) -> tuple[Any, ...]:
    return (
        user.user_id,
        user.algorithm,
        user.salt,
        user.iterations,
        user.stored_key,
        user.server_key,
        user.is_superuser,
        user.created_at_ms,
    )


def _put_scram(connection: sqlite3.Connection, user: ScramUser, otherwise: str) -> bool:
    cursor = connection.execute(
        f"INSERT OR {otherwise} INTO scram_users ({_SCRAM_COLUMNS}) "  # noqa: S608
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        _scram_row(user),
    )
    return cursor.rowcount > 0


def _credential_row(credential: Credential) -> tuple[str, str, str]:
    settings = json.dumps(settings_to_json(credential.settings), separators=(",", ":"))
    return settings, credential.password_hash, credential.salt


def _row(user: User) -> tuple[Any, ...]:
    return (
        user.user_id,
        user.id_type,
        *_credential_row(user.credential),
        user.is_superuser,
        user.created_at_ms,
    )


def _user(row: tuple[Any, ...]) -> User:
    user_id, id_type, settings, password_hash, salt, is_superuser, created_at_ms = row
    return User(
        user_id=user_id,
        id_type=id_type,
        credential=Credential(
            settings=settings_from_json(json.loads(settings)),
            password_hash=password_hash,
            salt=salt,
        ),
        is_superuser=bool(is_superuser),
        created_at_ms=created_at_ms,
    )


def _scram_user(row: tuple[Any, ...]) -> ScramUser:
    user_id, algorithm, salt, iterations, stored_key, server_key, is_superuser, created = row
    return ScramUser(
        user_id=user_id,
        algorithm=algorithm,
        salt=salt,
        iterations=iterations,
        stored_key=stored_key,
        server_key=server_key,
        is_superuser=bool(is_superuser),
        created_at_ms=created,
    )
