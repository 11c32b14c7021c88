"""Makes engines: SQLite for one process, PostgreSQL for several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from rookery.errors import StartError
from rookery.storage.sqlite_turns import BEGIN, TurnDriver

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
BUSY_TIMEOUT_MS = 10_000
POOL_SIZE = 8
POOL_WAIT_S = 10.0
COMMAND_TIMEOUT_S = 30.0
WRITES = "rookery_writes"
"""Execution option of a connection whose transactions change something."""


def url_of(text: str, sqlite_file: Path) -> URL:
    """The address that the drivers understand; without ``text`` it is that file.

    Raises:
        StartError: it is no address of a database that can be used.
    """
    if not text:
        return URL.create("sqlite+aiosqlite", database=str(sqlite_file))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        # The address itself may hold a password and is not shown.
        raise StartError("that is no address of a database") from error
    kind = url.drivername.partition("+")[0]
    if kind in (POSTGRESQL, "postgres"):
        return url.set(drivername="postgresql+asyncpg")
    if kind == SQLITE and url.database:
        return url.set(drivername="sqlite+aiosqlite")
    raise StartError(
        f"{url.drivername} is no database that can be used: "
        "postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///FILE"
    )


def make_engine(url: URL) -> AsyncEngine:
    """An engine with bounds: so many connections, so long for one, so long for a statement."""
    bounds: dict[str, Any] = {
        "pool_size": POOL_SIZE,
        "max_overflow": 0,
        "pool_timeout": POOL_WAIT_S,
    }
    if url.get_backend_name() == SQLITE:
        engine = create_async_engine(url, **bounds, module=TurnDriver())
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    return create_async_engine(
        url, **bounds, pool_pre_ping=True, connect_args={"command_timeout": COMMAND_TIMEOUT_S}
    )


def _set_up_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    # The driver would begin transactions by itself, and only before some statements.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "foreign_keys = ON",
        # What was answered survives a loss of power.
        "synchronous = FULL",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # Whoever reads first and writes then is refused at once when somebody else wrote between.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else BEGIN)
