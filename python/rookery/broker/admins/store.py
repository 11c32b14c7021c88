"""Keeps users and API keys in the data directory. They are few: whoever opens it reads all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rookery.access import ADMINS_FILE
from rookery.access.database import Database, Schema
from rookery.access.database_replica import DatabaseReplica, Table
from rookery.access.passwords.algorithms import Credential, settings_from_json, settings_to_json
from rookery.broker.admins.models import Admin, ApiKey
from rookery.storage.replica import Changed, ChangedElsewhereError

SCHEMA = Schema(
    """
CREATE TABLE admins (
    username TEXT NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    description TEXT NOT NULL,
    settings TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    salt TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE api_keys (
    name TEXT NOT NULL PRIMARY KEY,
    api_key TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    salt TEXT NOT NULL,
    role TEXT NOT NULL,
    description TEXT NOT NULL,
    enable INTEGER NOT NULL,
    expired_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
""",
    1,
)

_REPLICATED = (Table("admins", ("username",)), Table("api_keys", ("name",)))
_ADMINS = (
    "SELECT username, role, description, settings, password_hash, salt, created_at_ms FROM admins"
)
_KEYS = (
    "SELECT name, api_key, settings, secret_hash, salt, role, description, enable, expired_at_ms, "
    "created_at_ms FROM api_keys"
)
_PUT_ADMIN = "INSERT OR REPLACE INTO admins VALUES (?, ?, ?, ?, ?, ?, ?)"
_PUT_KEY = "INSERT OR REPLACE INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class AdminStore:
    """The file. Every change is on the disk when its call returns."""

    def __init__(self, data_dir: Path) -> None:
        """Open it.

        Raises:
            StartError: the file cannot be used.
        """
        self._database = Database(data_dir / ADMINS_FILE, SCHEMA)

    def close(self) -> None:
        """May be called twice."""
        self._database.close()

    async def admins(self) -> list[Admin]:
        def query(connection: sqlite3.Connection) -> list[Admin]:
            rows = connection.execute(f"{_ADMINS} ORDER BY username")
            return [_admin(row) for row in rows]

        return await self._database.read(query)

    async def put_admin(self, admin: Admin, before: Admin | None) -> None:
        """Add or replace a user.

        Raises:
            ChangedElsewhereError: there is something else than ``before``.
        """

        def change(connection: sqlite3.Connection) -> None:
            _refuse_other(_one_admin(connection, admin.username), before)
            connection.execute(_PUT_ADMIN, _admin_row(admin))

        await self._database.write(change)

    async def delete_admin(self, before: Admin) -> None:
        """Remove a user.

        Raises:
            ChangedElsewhereError: there is something else than ``before``.
        """

        def change(connection: sqlite3.Connection) -> None:
            _refuse_other(_one_admin(connection, before.username), before)
            connection.execute("DELETE FROM admins WHERE username = ?", (before.username,))

        await self._database.write(change)

    async def api_keys(self) -> list[ApiKey]:
        def query(connection: sqlite3.Connection) -> list[ApiKey]:
            rows = connection.execute(f"{_KEYS} ORDER BY name")
            return [_key(row) for row in rows]

        return await self._database.read(query)

    async def put_api_key(self, key: ApiKey, before: ApiKey | None) -> None:
        """Add or replace a key.

        Raises:
            ChangedElsewhereError: there is something else than ``before``.
        """

        def change(connection: sqlite3.Connection) -> None:
            _refuse_other(_one_key(connection, key.name), before)
            connection.execute(_PUT_KEY, _key_row(key))

        await self._database.write(change)

    async def put_many(self, admins: Sequence[Admin], keys: Sequence[ApiKey]) -> None:
        """Add or replace users and keys, all in one change."""

        def change(connection: sqlite3.Connection) -> None:
            connection.executemany(_PUT_ADMIN, map(_admin_row, admins))
            connection.executemany(_PUT_KEY, map(_key_row, keys))

        await self._database.write(change)

    async def delete_api_key(self, before: ApiKey) -> None:
        """Remove a key.

        Raises:
            ChangedElsewhereError: there is something else than ``before``.
        """

        def change(connection: sqlite3.Connection) -> None:
            _refuse_other(_one_key(connection, before.name), before)
            connection.execute("DELETE FROM api_keys WHERE name = ?", (before.name,))

        await self._database.write(change)

    def replica(self, changed: Changed) -> DatabaseReplica:
        """The file, as all nodes of a cluster have it."""
        return DatabaseReplica("admins", self._database, _REPLICATED, changed)


def _refuse_other(found: object, before: object) -> None:
    """Another node may have changed it since this one looked."""
    if found != before:
        raise ChangedElsewhereError


def _one_admin(connection: sqlite3.Connection, username: str) -> Admin | None:
    row = connection.execute(f"{_ADMINS} WHERE username = ?", (username,)).fetchone()
    return None if row is None else _admin(row)


def _one_key(connection: sqlite3.Connection, name: str) -> ApiKey | None:
    row = connection.execute(f"{_KEYS} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _key(row)


def _admin(row: tuple[Any, ...]) -> Admin:
    return Admin(
        username=row[0],
        role=row[1],
        description=row[2],
        credential=_credential(row[3], row[4], row[5]),
        created_at_ms=row[6],
    )


def _key(row: tuple[Any, ...]) -> ApiKey:
    return ApiKey(
        name=row[0],
        key=row[1],
        credential=_credential(row[2], row[3], row[4]),
        role=row[5],
        description=row[6],
        enable=bool(row[7]),
        expired_at_ms=row[8],
        created_at_ms=row[9],
    )


def _admin_row(admin: Admin) -> tuple[Any, ...]:
    return (
        admin.username,
        admin.role,
        admin.description,
        *_columns(admin.credential),
        admin.created_at_ms,
    )


def _key_row(key: ApiKey) -> tuple[Any, ...]:
    return (
        key.name,
        key.key,
        *_columns(key.credential),
        key.role,
        key.description,
        key.enable,
        key.expired_at_ms,
        key.created_at_ms,
    )


def _columns(credential: Credential) -> tuple[str, str, str]:
    settings = json.dumps(settings_to_json(credential.settings), separators=(",", ":"))
    return settings, credential.password_hash, credential.salt


def _credential(settings: str, password_hash: str, salt: str) -> Credential:
    return Credential(
        settings=settings_from_json(json.loads(settings)),
        password_hash=password_hash,
        salt=salt,
    )
