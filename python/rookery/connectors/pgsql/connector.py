"""Connections to a database, for all actions on it."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from rookery.access.databases.postgresql_errors import CLIENT_ERRORS, Place
from rookery.access.databases.postgresql_pool import PostgresqlPlace, address_of, open_pool
from rookery.access.errors import SettingError, Words
from rookery.access.reasons import shown_address
from rookery.connectors.base import Action, Connector, Context, Unhealthy
from rookery.connectors.pgsql.action import PgsqlAction
from rookery.connectors.pgsql.errors import of_checking
from rookery.connectors.pgsql.settings import PgsqlActionSettings, PgsqlConnectorSettings
from rookery.connectors.pgsql.typed import TypedConnection

CONNECT_S = 5.0
# A statement that takes longer is ended and sent again; not a setting in EMQX either.
STATEMENT_S = 15.0
_STATEMENTS_CACHED = 100
_STOPPED = Words("the connector is stopped", "连接器已停止")


async def _keep(_connection: object) -> None:
    """Actions leave nothing behind in a session: there is nothing to ask the server to undo."""


class PgsqlConnector(Connector[PgsqlActionSettings, Any]):
    """A pool."""

    def __init__(self, settings: PgsqlConnectorSettings, context: Context) -> None:
        """Check the address.

        Raises:
            SettingError: it is none, or the client library is missing.
        """
        self._is_prepared = not settings.disable_prepared_statements
        self._place = PostgresqlPlace(
            server=settings.server,
            database=settings.database,
            username=settings.username,
            password=settings.password,
            # One more for checks: they must not wait behind what is sent, or a database that is
            # only busy would count as gone.
            pool_size=settings.pool_size + 1,
            connect_timeout_s=CONNECT_S,
            request_timeout_s=STATEMENT_S,
            ssl=settings.ssl.client_tls(),
        )
        self._address = address_of(self._place, context.id)
        host, port = self._address
        self.place = Place(shown_address(host, port), settings.database, settings.username)
        self._pool: asyncpg.Pool | None = None
        self.places = asyncio.Semaphore(settings.pool_size)

    @property
    def is_prepared(self) -> bool:
        """Whether a statement may outlive the transaction it is used in."""
        return self._is_prepared

    def pool(self) -> asyncpg.Pool:
        """The connections.

        Raises:
            Unhealthy: there are none, the connector is stopped.
        """
        if self._pool is None:
            raise Unhealthy(_STOPPED)
        return self._pool

    async def start(self) -> None:
        await self.stop()
        try:
            self._pool = await open_pool(
                self._place,
                self._address,
                connection_class=TypedConnection,
                statement_cache_size=_STATEMENTS_CACHED if self._is_prepared else 0,
                reset=_keep,
            )
        except SettingError as error:  # a certificate file
            raise Unhealthy(error.words) from error
        try:
            await self.check()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    async def check(self) -> None:
        try:
            await self.pool().fetchval("SELECT 1")
        except CLIENT_ERRORS as error:
            raise of_checking(error, self.place) from error

    def open_action(self, settings: PgsqlActionSettings) -> Action:
        return PgsqlAction(settings, self)
