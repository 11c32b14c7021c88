"""Keeps users and API keys in the data directory. They are few: whoever opens it reads all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rookery.access.database import Database, Schema
from rookery.access.passwords.algorithms import Credential, settings_from_json, settings_to_json
from rookery.broker.admins.models import Admin, ApiKey

DATABASE_FILE = "admins.db"
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

_PUT_ADMIN = "INSERT OR REPLACE INTO admins VALUES (?, ?, ?, ?, ?, ?, ?)"
_PUT_KEY = "INSERT OR REPLACE INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class AdminStore:
    """The file. Every change is on the disk when its call returns."""

    def __init__(self, data_dir: Path) -> None:
        """Open it.

        Raises:
            StartError: the file cannot be used.
        """
        self._database = Database(data_dir / DATABASE_FILE, SCHEMA)

    def close(self) -> None:
        """May be called twice."""
        self._database.close()

    async def admins(self) -> list[Admin]:
        def query(connection: sqlite3.Connection) -> list[Admin]:
            rows = connection.execute(
                "SELECT username, role, description, settings, password_hash, salt, "
                "created_at_ms FROM admins ORDER BY username"
            )
            return [
                Admin(
                    username=row[0],
                    role=row[1],
                    description=row[2],
                    credential=_credential(row[3], row[4], row[5]),
                    created_at_ms=row[6],
                )
                for row in rows
            ]

        return await self._database.read(query)

    async def put_admin(self, admin: Admin) -> None:
        """Add or replace a user."""
        await self._run(_PUT_ADMIN, _admin_row(admin))

    async def delete_admin(self, username: str) -> None:
        await self._run("DELETE FROM admins WHERE username = ?", (username,))

    async def api_keys(self) -> list[ApiKey]:
        def query(connection: sqlite3.Connection) -> list[ApiKey]:
            rows = connection.execute(
                "SELECT name, api_key, settings, secret_hash, salt, role, description, enable, "
                "expired_at_ms, created_at_ms FROM api_keys ORDER BY name"
            )
            return [
                ApiKey(
                    name=row[0],
                    key=row[1],
                    credential=_credential(row[2], row[3], row[4]),
                    role=row[5],
                    description=row[6],
                    enable=bool(row[7]),
                    expired_at_ms=row[8],
                    created_at_ms=row[9],
                )
                for row in rows
            ]

        return await self._database.read(query)

    async def put_api_key(self, key: ApiKey) -> None:
        """Add or replace a key."""
        await self._run(_PUT_KEY, _key_row(key))

    async def put_many(self, admins: Sequence[Admin], keys: Sequence[ApiKey]) -> None:
        """Add or replace users and keys, all in one change."""

        def change(connection: sqlite3.Connection) -> None:
            connection.executemany(_PUT_ADMIN, map(_admin_row, admins))
            connection.executemany(_PUT_KEY, map(_key_row, keys))

        await self._database.write(change)

    async def delete_api_key(self, name: str) -> None:
        await self._run("DELETE FROM api_keys WHERE name = ?", (name,))

    async def _run(self, statement: str, row: tuple[Any, ...]) -> None:
        def change(connection: sqlite3.Connection) -> None:
            connection.execute(statement, row)

        await self._database.write(change)


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
