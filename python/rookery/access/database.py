"""The file in the data directory that users, rules and bans are kept in.

SQLite in WAL mode: one thread writes, one thread reads, neither is the event loop's. A change is on
the disk when its call returns (``synchronous=FULL``).

What two connections share needs room in the folder. On a disk that has none the file is opened by one
connection alone, which does both: everything is read, and changes are refused until there is room.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from rookery.access.health import Health
from rookery.errors import StartError, UnavailableError
from rookery.storage.database_file import damaged, make_sure, refuse_damaged
from rookery.words import Words

_T = TypeVar("_T")


class Schema(NamedTuple):
    """The tables of a file, and the number of their format."""

    tables: str
    format: int


class Settling(NamedTuple):
    """Who is asked about changes.

    Attributes:
        ready: Awaited before a change begins; refuses it by raising.
        settle: Called at the end of a change, within it and on the thread that writes; refuses it
            by raising.
    """

    ready: Callable[[], Awaitable[None]]
    settle: Callable[[sqlite3.Connection], None]


FORMAT = 1
"""Rises with every change of the tables; a newer file is refused."""

_TABLES = """
CREATE TABLE users (
    id_type TEXT NOT NULL CHECK (id_type IN ('username', 'clientid')),
    user_id TEXT NOT NULL,
    settings TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    salt TEXT NOT NULL,
    is_superuser INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (id_type, user_id)
) WITHOUT ROWID;
CREATE TABLE scram_users (
    algorithm TEXT NOT NULL CHECK (algorithm IN ('sha256', 'sha512')),
    user_id TEXT NOT NULL,
    salt BLOB NOT NULL,
    iterations INTEGER NOT NULL,
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL,
    is_superuser INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (algorithm, user_id)
) WITHOUT ROWID;
CREATE TABLE acl_rules (
    kind TEXT NOT NULL CHECK (kind IN ('clientid', 'username', 'all')),
    who TEXT NOT NULL,
    rules TEXT NOT NULL,
    PRIMARY KEY (kind, who)
) WITHOUT ROWID;
CREATE TABLE bans (
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (kind, who)
) WITHOUT ROWID;
CREATE INDEX bans_until ON bans (until_ms) WHERE until_ms IS NOT NULL;
"""
ACCESS = Schema(_TABLES, FORMAT)


class Database:
    """The open file. Opened at once, used from coroutines, closed by :meth:`close`.

    Attributes:
        path: Where it is.
        health: Whether it takes changes; nothing is known before the first.
    """

    def __init__(self, path: Path, schema: Schema | None = None) -> None:
        """Open the file, or make it with its tables; those of access control without ``schema``.

        Raises:
            StartError: the file cannot be used.
        """
        self.path = path
        self.health = Health()
        tables, format_ = schema or ACCESS
        try:
            # Password hashes are nobody else's business.
            make_sure(
                path,
                lambda made: made.executescript(
                    f"BEGIN; {tables} PRAGMA user_version = {format_}; COMMIT;"
                ),
            )
            with contextlib.ExitStack() as opened:
                self._writing, self._reading = self._connect(opened)
                _refuse_other(self._writing, path, format_)
                opened.pop_all()
        except (OSError, sqlite3.OperationalError) as error:
            raise StartError(f"{path}: {error}") from error
        except sqlite3.Error as error:
            raise damaged(path, error) from error
        self._writer = ThreadPoolExecutor(1, f"rookery-{path.stem}-write")
        self._reader = self._writer
        if self._reading is not self._writing:
            self._reader = ThreadPoolExecutor(1, f"rookery-{path.stem}-read")
        self._settling: Settling | None = None
        self._is_open = True

    def _connect(
        self, opened: contextlib.ExitStack
    ) -> tuple[sqlite3.Connection, sqlite3.Connection]:
        """What writes and what reads: the same one where there is no room for two."""
        try:
            with contextlib.ExitStack() as both:
                writing = both.enter_context(contextlib.closing(_connect(self.path)))
                reading = both.enter_context(contextlib.closing(_connect(self.path)))
                opened.push(both.pop_all())
            return writing, reading
        except sqlite3.OperationalError as error:
            alone = opened.enter_context(contextlib.closing(_connect(self.path, is_alone=True)))
            self._took_no_change(error)
            return alone, alone

    def _took_no_change(self, error: BaseException) -> None:
        self.health.is_ill(Words(f"{self.path}: {error}", f"{self.path}：{error}"))

    async def read(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        """Ask something.

        Raises:
            UnavailableError: the file is closed or cannot be read.
        """
        return await self._on(self._reader, _guarded, self._reading, function)

    async def write(
        self, function: Callable[[sqlite3.Connection], _T], *, is_settled: bool = False
    ) -> _T:
        """Change something, all of it or nothing.

        Args:
            function: Makes the change.
            is_settled: Whether nobody is asked about it: see :meth:`settle`.

        Raises:
            UnavailableError: the file is closed or cannot be written.
            RookeryError: whoever is asked about changes refuses it.
        """
        settling = None if is_settled else self._settling
        if settling is None:
            return await self._change(function)

        def change(connection: sqlite3.Connection) -> _T:
            result = function(connection)
            settling.settle(connection)
            return result

        await settling.ready()
        return await self._change(change)

    async def try_to_change(self) -> None:
        """Write what is there already, to see whether the file takes changes.

        Raises:
            UnavailableError: it does not, or it is closed.
        """

        def same(connection: sqlite3.Connection) -> None:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {version}")

        await self._change(same)

    async def _change(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            result = await self._on(self._writer, _in_transaction, self._writing, function)
        except UnavailableError as error:
            if isinstance(error.__cause__, sqlite3.OperationalError):
                self._took_no_change(error.__cause__)
            raise
        self.health.is_well()
        return result

    async def settle(
        self, settling: Settling | None, prepare: Callable[[sqlite3.Connection], None]
    ) -> None:
        """Ask about every change from now on; ``prepare`` is called first, outside of any."""

        def begin(
            connection: sqlite3.Connection, prepare: Callable[[sqlite3.Connection], None]
        ) -> None:
            prepare(connection)
            self._settling = settling

        await self._on(self._writer, begin, self._writing, prepare)

    async def _on(
        self,
        executor: ThreadPoolExecutor,
        run: Callable[[sqlite3.Connection, Callable[[sqlite3.Connection], _T]], _T],
        connection: sqlite3.Connection,
        function: Callable[[sqlite3.Connection], _T],
    ) -> _T:
        if not self._is_open:
            raise UnavailableError(f"{self.path} is closed")
        try:
            return await asyncio.wrap_future(executor.submit(run, connection, function))
        except sqlite3.Error as error:
            raise UnavailableError(f"{self.path}: {error}") from error

    def close(self) -> None:
        """Finish what is under way and close the file. May be called twice."""
        self._is_open = False
        self._writer.shutdown()
        self._reader.shutdown()
        self._reading.close()
        self._writing.close()


def read_at_start(
    path: Path, query: Callable[[sqlite3.Connection], tuple[_T, ...]]
) -> tuple[_T, ...]:
    """Ask the file of access control before anybody has it open; nothing where there is none.

    Raises:
        StartError: it cannot be read.
    """
    if not path.exists():
        return ()
    refuse_damaged(path)
    try:
        try:
            return _read_once(path, query, "NORMAL")
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                raise damaged(path, error) from error
            # What several share needs room on a disk that may be full; one that is alone does without.
            return _read_once(path, query, "EXCLUSIVE")
    except sqlite3.OperationalError as error:
        raise StartError(f"{path}: {error}") from error
    except sqlite3.Error as error:
        raise damaged(path, error) from error


def _read_once(
    path: Path, query: Callable[[sqlite3.Connection], tuple[_T, ...]], locking: str
) -> tuple[_T, ...]:
    # Not read-only: a file that was not closed has its latest changes in its log.
    with contextlib.closing(sqlite3.connect(path, timeout=5.0)) as connection:
        connection.execute(f"PRAGMA locking_mode = {locking}")
        _refuse_other(connection, path, ACCESS.format)
        return query(connection)


def _connect(path: Path, *, is_alone: bool = False) -> sqlite3.Connection:
    # One that was moved away just now must not come back without its tables.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=5.0,
    )
    try:
        if is_alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA user_version").fetchone()  # now, what is shared is made
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_other(connection: sqlite3.Connection, path: Path, format_: int) -> None:
    """The tables came with the file: where there are none, it has lost them."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version > format_:
        raise StartError(f"{path}: written by a later version of Rookery (format {version})")
    if version == 0 or tables == 0:
        raise damaged(path, "the tables of the database are gone")


def _guarded(connection: sqlite3.Connection, function: Callable[[sqlite3.Connection], _T]) -> _T:
    return function(connection)


def _in_transaction(
    connection: sqlite3.Connection, function: Callable[[sqlite3.Connection], _T]
) -> _T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = function(connection)
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return result
