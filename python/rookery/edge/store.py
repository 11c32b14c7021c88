"""Keeps the configuration in one SQLite file; a change is on disk before it is answered.

Every change is one transaction, so whatever ends the process leaves the state before it or after it.
One thread writes, and nothing waits for it but who changes something.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from rookery.edge.model import Group, Node, NodeKind, Snapshot, Subscription, Tag
from rookery.edge.wire import tag_of_row, tag_row
from rookery.errors import StartError, UnavailableError
from rookery.storage.database_file import make_sure

FILE = "edge.db"
VERSION = 1
BUSY_TIMEOUT_S = 10.0

T = TypeVar("T")
Change: TypeAlias = Callable[[sqlite3.Connection], T]

_TABLES = """
CREATE TABLE nodes (
    name TEXT PRIMARY KEY, plugin TEXT NOT NULL, kind INTEGER NOT NULL, setting TEXT,
    is_wanted INTEGER NOT NULL, log_level TEXT NOT NULL, position INTEGER NOT NULL
);
CREATE TABLE groups (
    node TEXT NOT NULL REFERENCES nodes (name) ON UPDATE CASCADE ON DELETE CASCADE,
    name TEXT NOT NULL, interval_ms INTEGER NOT NULL, PRIMARY KEY (node, name)
);
CREATE TABLE tags (
    node TEXT NOT NULL, "group" TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (node, "group", name),
    FOREIGN KEY (node, "group") REFERENCES groups (node, name)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE subscriptions (
    app TEXT NOT NULL REFERENCES nodes (name) ON UPDATE CASCADE ON DELETE CASCADE,
    driver TEXT NOT NULL, "group" TEXT NOT NULL, params TEXT NOT NULL,
    PRIMARY KEY (app, driver, "group"),
    FOREIGN KEY (driver, "group") REFERENCES groups (node, name)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX subscriptions_by_group ON subscriptions (driver, "group");
CREATE TABLE documents (name TEXT PRIMARY KEY, body TEXT NOT NULL);
"""


class Store:
    """The file. Opened once by one process."""

    def __init__(self, data_dir: Path) -> None:
        self.file = data_dir / FILE
        self._thread = ThreadPoolExecutor(1, "edge-store")
        self._connection: sqlite3.Connection | None = None
        self._documents: dict[str, Any] = {}

    async def open(self) -> Snapshot:
        """What is kept.

        Raises:
            StartError: the file cannot be used.
        """
        try:
            return await self._in_thread(self._open)
        except (sqlite3.Error, OSError, ValueError) as error:
            raise StartError(f"{self.file}: {error}") from error

    async def close(self) -> None:
        """May be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._in_thread(connection.close)
        self._thread.shutdown()

    async def change(
        self, *changes: Change[Any], documents: Mapping[str, Any] | None = None
    ) -> None:
        """All of them in one transaction, on disk when this returns.

        Args:
            changes: What is changed in the tables.
            documents: JSON values that are kept with it, by name; none takes one away.

        Raises:
            UnavailableError: the disk does not take it; nothing was changed.
        """
        bodies = {name: _body(value) for name, value in (documents or {}).items()}
        puts = (_put_document(name, body) for name, body in bodies.items())
        await self._in_thread(lambda: self._change((*changes, *puts)))
        for name, body in bodies.items():
            if body is None:
                self._documents.pop(name, None)
            else:
                self._documents[name] = body

    def document(self, name: str) -> Any:
        """A JSON value that somebody keeps here; none when there is none of that name."""
        found = self._documents.get(name)
        return None if found is None else json.loads(found)

    async def put_document(self, name: str, value: Any) -> None:
        """Keep a JSON value under that name.

        Raises:
            UnavailableError: the disk does not take it.
        """
        await self.change(documents={name: value})

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> Snapshot:
        # It holds passwords of devices and brokers.
        make_sure(self.file)
        db = sqlite3.connect(
            self.file, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                db.execute(f"PRAGMA {pragma}")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise StartError(
                    f"{self.file} was written by a newer version of Rookery: use that version, or "
                    "another data directory"
                )
            if version == 0:
                db.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
            self._documents = dict(db.execute("SELECT name, body FROM documents"))
            found = _read(db)
        except BaseException:
            db.close()
            raise
        self._connection = db
        return found

    def _change(self, changes: Iterable[Change[Any]]) -> None:
        db = self._connection
        if db is None:
            raise UnavailableError("the edge service is being closed")
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                for change in changes:
                    change(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise UnavailableError(f"{self.file}: {error}: nothing was changed") from error


def _read(db: sqlite3.Connection) -> Snapshot:
    tags: dict[tuple[str, str], dict[str, Tag]] = {}
    for node, group, body in db.execute('SELECT node, "group", body FROM tags ORDER BY rowid'):
        tag = tag_of_row(json.loads(body))
        tags.setdefault((node, group), {})[tag.name] = tag
    groups: dict[str, list[Group]] = {}
    rows = db.execute("SELECT node, name, interval_ms FROM groups ORDER BY rowid")
    for node, name, interval_ms in rows:
        made = Group(name=name, interval_ms=interval_ms, tags=tags.get((node, name), {}))
        groups.setdefault(node, []).append(made)
    nodes = [
        Node(
            name=name,
            plugin=plugin,
            kind=NodeKind(kind),
            setting=None if setting is None else json.loads(setting),
            is_wanted=bool(is_wanted),
            log_level=log_level,
            order=position,
        )
        for name, plugin, kind, setting, is_wanted, log_level, position in db.execute(
            "SELECT * FROM nodes ORDER BY position"
        )
    ]
    subscriptions = [
        Subscription(app=app, driver=driver, group=group, params=json.loads(params))
        for app, driver, group, params in db.execute("SELECT * FROM subscriptions ORDER BY rowid")
    ]
    return Snapshot(
        nodes=tuple(nodes),
        groups={name: tuple(made) for name, made in groups.items()},
        subscriptions=tuple(subscriptions),
    )


def _body(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _put_document(name: str, body: str | None) -> Change[Any]:
    if body is None:
        return lambda db: db.execute("DELETE FROM documents WHERE name = ?", (name,))
    sql = "INSERT OR REPLACE INTO documents VALUES (?, ?)"
    return lambda db: db.execute(sql, (name, body))


def put_node(node: Node) -> Change[Any]:
    """A node that is new, or changed in anything but its name."""
    setting = None if node.setting is None else json.dumps(node.setting)
    row = (
        *(node.name, node.plugin, int(node.kind), setting, int(node.is_wanted)),
        *(node.log_level, node.order),
    )
    sql = (
        "INSERT INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
        "setting = excluded.setting, is_wanted = excluded.is_wanted, "
        "log_level = excluded.log_level, position = excluded.position"
    )
    return lambda db: db.execute(sql, row)


def rename_node(name: str, new_name: str) -> Change[Any]:
    """Groups, tags and subscriptions go with it."""
    return lambda db: db.execute("UPDATE nodes SET name = ? WHERE name = ?", (new_name, name))


def delete_node(name: str) -> Change[Any]:
    """With everything that belongs to it."""
    return lambda db: db.execute("DELETE FROM nodes WHERE name = ?", (name,))


def put_group(node: str, group: Group) -> Change[Any]:
    """A group that is new, or its interval; its tags are another matter."""
    sql = (
        "INSERT INTO groups VALUES (?, ?, ?) "
        "ON CONFLICT (node, name) DO UPDATE SET interval_ms = excluded.interval_ms"
    )
    return lambda db: db.execute(sql, (node, group.name, group.interval_ms))


def rename_group(node: str, name: str, new_name: str) -> Change[Any]:
    """Tags and subscriptions go with it."""
    sql = "UPDATE groups SET name = ? WHERE node = ? AND name = ?"
    return lambda db: db.execute(sql, (new_name, node, name))


def delete_group(node: str, name: str) -> Change[Any]:
    """With its tags and subscriptions."""
    return lambda db: db.execute("DELETE FROM groups WHERE node = ? AND name = ?", (node, name))


def put_tags(node: str, group: str, tags: Iterable[Tag]) -> Change[Any]:
    """New ones go to the end, others stay where they are."""
    rows = [(node, group, tag.name, json.dumps(tag_row(tag))) for tag in tags]
    sql = (
        "INSERT INTO tags VALUES (?, ?, ?, ?) "
        'ON CONFLICT (node, "group", name) DO UPDATE SET body = excluded.body'
    )
    return lambda db: db.executemany(sql, rows)


def delete_tags(node: str, group: str, names: Iterable[str]) -> Change[Any]:
    """Those that are there."""
    rows = [(node, group, name) for name in names]
    sql = 'DELETE FROM tags WHERE node = ? AND "group" = ? AND name = ?'
    return lambda db: db.executemany(sql, rows)


def put_subscription(made: Subscription) -> Change[Any]:
    """New, or with other parameters."""
    row = (made.app, made.driver, made.group, json.dumps(dict(made.params)))
    sql = (
        "INSERT INTO subscriptions VALUES (?, ?, ?, ?) "
        'ON CONFLICT (app, driver, "group") DO UPDATE SET params = excluded.params'
    )
    return lambda db: db.execute(sql, row)


def delete_subscription(app: str, driver: str, group: str) -> Change[Any]:
    """If it is there."""
    sql = 'DELETE FROM subscriptions WHERE app = ? AND driver = ? AND "group" = ?'
    return lambda db: db.execute(sql, (app, driver, group))


def put_all(nodes: Iterable[Node], groups: Mapping[str, Iterable[Group]]) -> list[Change[Any]]:
    """Nodes with their groups and tags."""
    changes = [put_node(node) for node in nodes]
    for node, made in groups.items():
        for group in made:
            changes += [put_group(node, group), put_tags(node, group.name, group.tags.values())]
    return changes
