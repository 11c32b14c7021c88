"""Users, rules and bans as parts of an export.

They are read over a connection of their own: whoever logs in meanwhile does not wait for it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from rookery.access import DATABASE_FILE
from rookery.access.authz import RuleOwner
from rookery.access.bans import BanEntry, checked_kind
from rookery.access.users.models import USER_ID_BYTES_MAX, ScramUser, User
from rookery.broker.access import AccessService
from rookery.broker.backup.admins import credential_in
from rookery.broker.backup.parts import Each, OpenRows, Row, number_in, text_in
from rookery.errors import BadRequestError

_BLOBS = ("salt", "stored_key", "server_key")


class UsersPart:
    """Users of the built-in database, with the hashes of their passwords."""

    name = "users"

    def __init__(self, access: AccessService, data_dir: Path) -> None:
        self._access = access
        self._file = data_dir / DATABASE_FILE

    def read(self) -> Iterable[Row]:
        for row in _select(self._file, "SELECT * FROM users"):
            yield {**row, "settings": json.loads(row["settings"])}

    async def restore(self, rows: OpenRows) -> None:
        store = self._access.access.stores.user_store
        await store.put_many(Each(rows, _user), replace=True)


class ScramUsersPart:
    """Users of SCRAM, with what RFC 5802 stores about them."""

    name = "scram_users"

    def __init__(self, access: AccessService, data_dir: Path) -> None:
        self._access = access
        self._file = data_dir / DATABASE_FILE

    def read(self) -> Iterable[Row]:
        for row in _select(self._file, "SELECT * FROM scram_users"):
            yield {
                name: base64.b64encode(value).decode() if name in _BLOBS else value
                for name, value in row.items()
            }

    async def restore(self, rows: OpenRows) -> None:
        await self._access.access.stores.user_store.put_many_scram(Each(rows, _scram_user))


class RulesPart:
    """Rules of the built-in database."""

    name = "rules"

    def __init__(self, access: AccessService, data_dir: Path) -> None:
        self._access = access
        self._file = data_dir / DATABASE_FILE

    def read(self) -> Iterable[Row]:
        for row in _select(self._file, "SELECT * FROM acl_rules"):
            yield {**row, "rules": json.loads(row["rules"])}

    async def restore(self, rows: OpenRows) -> None:
        found = await asyncio.to_thread(lambda: list(Each(rows, _rules)))
        if found:
            await self._access.change_rules(
                "import", "authorization/rules", lambda store: store.put_many(found)
            )


class BansPart:
    """Who is kept out."""

    name = "bans"

    def __init__(self, access: AccessService, data_dir: Path) -> None:
        self._access = access
        self._file = data_dir / DATABASE_FILE

    def read(self) -> Iterable[Row]:
        return _select(self._file, "SELECT * FROM bans")

    async def restore(self, rows: OpenRows) -> None:
        found = await asyncio.to_thread(lambda: list(Each(rows, _ban)))
        if found:
            await self._access.access.stores.bans.put_many(found)


def _select(file: Path, query: str) -> Iterator[Row]:
    if not file.exists():
        return
    with contextlib.closing(sqlite3.connect(file, timeout=5.0)) as connection:
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))


def _user(row: Row) -> User:
    user_id = text_in(row, "user_id")
    if not 0 < len(user_id.encode("utf-8", "replace")) <= USER_ID_BYTES_MAX or "\0" in user_id:
        raise BadRequestError("user_id has 1 to 65535 bytes and no U+0000")
    return User(
        user_id=user_id,
        id_type="clientid" if row.get("id_type") == "clientid" else "username",
        credential=credential_in(row),
        is_superuser=bool(row.get("is_superuser")),
        created_at_ms=number_in(row, "created_at_ms"),
    )


def _scram_user(row: Row) -> ScramUser:
    blobs = {name: base64.b64decode(text_in(row, name), validate=True) for name in _BLOBS}
    return ScramUser(
        user_id=text_in(row, "user_id"),
        algorithm="sha512" if row.get("algorithm") == "sha512" else "sha256",
        salt=blobs["salt"],
        iterations=number_in(row, "iterations"),
        stored_key=blobs["stored_key"],
        server_key=blobs["server_key"],
        is_superuser=bool(row.get("is_superuser")),
        created_at_ms=number_in(row, "created_at_ms"),
    )


def _rules(row: Row) -> tuple[RuleOwner, list[object]]:
    rules = row.get("rules")
    if not isinstance(rules, list):
        raise BadRequestError("rules is no list")
    for kind in ("clientid", "username", "all"):
        if row.get("kind") == kind:
            return RuleOwner(kind, text_in(row, "who")), rules
    raise BadRequestError("kind is clientid, username or all")


def _ban(row: Row) -> BanEntry:
    until_ms = row.get("until_ms")
    return BanEntry(
        kind=checked_kind(text_in(row, "kind")),
        who=text_in(row, "who"),
        by=text_in(row, "by"),
        reason=text_in(row, "reason"),
        at_ms=number_in(row, "at_ms"),
        until_ms=None if until_ms is None else number_in(row, "until_ms"),
    )
