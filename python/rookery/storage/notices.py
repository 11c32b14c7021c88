"""A connection on which PostgreSQL passes notices between the processes of one database.

Notices reach who listens at that moment and nobody later: whoever was away has to look at the tables.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from rookery.errors import UnavailableError
from rookery.storage.engine import COMMAND_TIMEOUT_S

NOTICE_BYTES_MAX = 7_900
"""PostgreSQL's own bound is 8,000 (NOTIFY)."""


class NoticeLink:
    """A connection that hears, until it is lost."""

    def __init__(self, driver: Any, channel: str) -> None:
        self._driver = driver
        self._channel = channel
        self.lost = asyncio.Event()

    async def say(self, notice: str) -> None:
        """Tell everybody who listens, this connection too.

        Raises:
            UnavailableError: the connection is lost.
        """
        with _translated():
            await self._driver.execute("SELECT pg_notify($1, $2)", self._channel, notice)

    async def probe(self) -> None:
        """Find out whether the connection stands.

        Raises:
            UnavailableError: it does not.
        """
        with _translated():
            await self._driver.execute("SELECT 1")


@contextlib.asynccontextmanager
async def listening(
    url: URL, channel: str, heard: Callable[[str], None]
) -> AsyncIterator[NoticeLink]:
    """Hear notices inside the block, on a connection of its own.

    Raises:
        UnavailableError: the database does not answer.
    """
    engine = create_async_engine(
        url, poolclass=NullPool, connect_args={"command_timeout": COMMAND_TIMEOUT_S}
    )
    try:
        with _translated():
            connection = await engine.connect()
        try:
            with _translated():
                # What the dialect asked at first was in a transaction, in which nothing is heard.
                await connection.rollback()
                driver: Any = (await connection.get_raw_connection()).driver_connection
                link = NoticeLink(driver, channel)
                driver.add_termination_listener(lambda _driver: link.lost.set())
                await driver.add_listener(channel, lambda *notice: heard(str(notice[3])))
            yield link
        finally:
            # A connection that is lost cannot be closed well.
            with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
                await connection.invalidate()
                await connection.close()
    finally:
        await engine.dispose()


@contextlib.contextmanager
def _translated() -> Any:
    import asyncpg  # noqa: PLC0415 - an extra, which who has such an address has

    try:
        yield
    except (
        SQLAlchemyError,
        OSError,
        TimeoutError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
    ) as error:
        raise UnavailableError(f"the database passes no notices: {error}") from error
