"""A database that is open: units of work, and bringing its tables up to date."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from rookery.errors import StartError, UnavailableError
from rookery.storage import migrating
from rookery.storage.database_file import make_sure
from rookery.storage.engine import POSTGRESQL, SQLITE, WRITES, make_engine

_log = logging.getLogger("rookery.storage")

# Any number, the same in every process: who brings the tables up to date does it alone.
_MIGRATION_LOCK = 7_250_831_406


class Database:
    """One database. Everything happens in units of work that hold whole or not at all."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine = make_engine(url)
        self._writer = self._engine.execution_options(**{WRITES: True})
        # SQLite has one writer; queued here nobody polls for the lock on the file.
        self._one_writer = asyncio.Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == SQLITE

    async def open(self) -> None:
        """Connect, and bring the tables up to date; one process at a time does.

        Raises:
            StartError: it cannot be reached, or was written by a newer version.
        """
        try:
            if self.is_sqlite and self.url.database not in (None, "", ":memory:"):
                await asyncio.to_thread(make_sure, Path(str(self.url.database)))
            async with self._writer.begin() as connection:
                if connection.dialect.name == POSTGRESQL:
                    await connection.execute(
                        text("SELECT pg_advisory_xact_lock(:id)"), {"id": _MIGRATION_LOCK}
                    )
                await connection.run_sync(migrating.upgrade)
        except StartError:
            await self.close()
            raise
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            await self.close()
            raise StartError(f"the database {self.shown}: {_reason(error)}") from error

    async def close(self) -> None:
        """May be called twice."""
        await self._engine.dispose()

    @property
    def shown(self) -> str:
        """Its address as it may be shown."""
        return self.url.render_as_string(hide_password=True)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A unit of work that changes nothing.

        Raises:
            UnavailableError: the database does not answer.
        """
        with _translated():
            async with AsyncSession(self._engine, expire_on_commit=False) as session:
                yield session

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A unit of work that is kept when the block ends well, and forgotten otherwise.

        Raises:
            UnavailableError: the database does not answer; nothing was changed.
        """
        turn = self._one_writer or contextlib.nullcontext()
        with _translated():
            async with (
                turn,
                AsyncSession(self._writer, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session

    async def alone(self, session: AsyncSession, name: str) -> None:
        """Until this unit of work ends, no other that asks for the same name goes on from here.

        For bounds on how many there are, and for what is made once: with SQLite every unit of work
        that writes is alone.
        """
        if not self.is_sqlite:
            await session.execute(
                text("SELECT pg_advisory_xact_lock(:id)"), {"id": zlib.crc32(name.encode())}
            )

    async def now_ms(self, session: AsyncSession, own_ms: int) -> int:
        """What time it is for all processes of this database; ``own_ms`` where there is one."""
        if self.is_sqlite:
            return own_ms
        found = await session.scalar(
            text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        )
        return int(found or own_ms)

    @contextlib.asynccontextmanager
    async def connection(self, *, one_state: bool = False) -> AsyncIterator[AsyncConnection]:
        """A plain connection in a transaction, for what moves whole tables.

        ``one_state`` is for reading alone: nothing that others write meanwhile is seen.
        """
        engine = self._writer
        if one_state:
            engine = self._engine
            if not self.is_sqlite:
                engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with _translated():
            async with engine.begin() as connection:
                yield connection


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """What the database failed at, in our words; the log has its own."""
    try:
        yield
    except PoolTimeoutError as error:
        raise UnavailableError("the database has too much to do, try again") from error
    except DBAPIError as error:
        if not (error.connection_invalidated or _is_passing(error)):
            raise
        _log.error("the database does not answer: %s", _reason(error))
        raise UnavailableError("the database does not answer, try again") from error
    except OSError as error:
        _log.error("the database does not answer: %s", _reason(error))
        raise UnavailableError("the database does not answer, try again") from error


def _is_passing(error: DBAPIError) -> bool:
    """Whether it may work later: the file is locked, the disk is full, the server went away."""
    kind = type(error.orig).__name__
    message = str(error.orig).lower()
    return kind.endswith("OperationalError") or "connection" in message or "disk" in message


def _reason(error: Exception) -> str:
    original = getattr(error, "orig", None) or error
    lines = str(original).strip().splitlines()
    return lines[-1] if lines else type(original).__name__
