"""Rows into PostgreSQL: one statement, run with the values of each result."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import asyncpg

from rookery.access.databases.postgresql_errors import CLIENT_ERRORS, Place
from rookery.access.errors import Words
from rookery.connectors.base import Action, ItemFailure, Recoverable, Unhealthy
from rookery.connectors.pgsql.errors import is_of_row, of_checking, of_sending, row_refused
from rookery.connectors.pgsql.settings import PgsqlActionSettings
from rookery.connectors.pgsql.statement import parse_statement
from rookery.connectors.pgsql.values import NoArrayError, argument
from rookery.native.action_fields import ActionItem

_NO_ARRAY = Words(
    "parameter ${number} is an array, and its value is none", "参数 ${number} 是数组，而值不是"
)

Rows = Sequence[tuple[int, tuple[Any, ...]]]
"""Numbers of items and what is bound for each."""


class Database(Protocol):
    """What an action needs of its connector."""

    places: asyncio.Semaphore
    """How many may send at a time."""
    place: Place
    """What errors name."""

    @property
    def is_prepared(self) -> bool:
        """Whether a statement may outlive the transaction it is used in."""

    def pool(self) -> asyncpg.Pool:
        """The connections; raises Unhealthy when there are none."""


class PgsqlAction(Action):
    """A batch is one transaction, in which each row counts for itself."""

    batch = True

    def __init__(self, settings: PgsqlActionSettings, database: Database) -> None:
        """Take the statement apart.

        Raises:
            SettingError: a placeholder is none, or stands where no value can.
        """
        statement = parse_statement(settings.parameters.sql)
        self._text = statement.text
        self.fields = statement.values
        self._database = database
        self._types: tuple[asyncpg.Type, ...] | None = None

    async def start(self) -> None:
        await self.check()

    async def check(self) -> None:
        pool = self._database.pool()
        try:
            async with pool.acquire() as connection, connection.transaction():
                types = await connection.learn(self._text, again=True)
            if self._types is None:
                self._types = types
            elif types != self._types:
                # The table is another one now: statements prepared before bind as they did then.
                self._types = types
                await pool.expire_connections()
        except CLIENT_ERRORS as error:
            raise of_checking(error, self._database.place) from error

    async def send(self, items: Sequence[ActionItem]) -> Sequence[ItemFailure]:
        try:
            pool = self._database.pool()
        except Unhealthy as error:
            raise Recoverable(error.words) from error
        try:
            async with self._database.places, pool.acquire() as connection:
                return await self._store(connection, items)
        except CLIENT_ERRORS as error:
            raise of_sending(error, self._database.place) from error

    async def _store(self, connection: Any, items: Sequence[ActionItem]) -> list[ItemFailure]:
        if not self._database.is_prepared:
            # A pooler may give what comes after a transaction to another connection.
            async with connection.transaction():
                await connection.learn(self._text)
        types = await connection.learn(self._text)
        rows, failures = _bound(items, [kind.kind == "array" for kind in types])
        if not rows:
            return failures
        try:
            if self._database.is_prepared:
                await self._run(connection, rows)  # one transaction, whatever their number
            else:
                async with connection.transaction():
                    await self._run(connection, rows)
        except asyncpg.PostgresError as error:
            if not is_of_row(error):
                raise
            failures += await self._store_apart(connection, rows, error)
        return failures

    async def _run(self, connection: Any, rows: Rows) -> None:
        await connection.executemany(self._text, [values for _, values in rows])

    async def _store_apart(
        self, connection: Any, rows: Rows, error: Exception
    ) -> list[ItemFailure]:
        """All rows but those which are refused, after ``error`` refused them together."""
        if len(rows) == 1:
            return [ItemFailure(rows[0][0], row_refused(error))]
        try:
            # Nothing is stored before the end: if the connection is lost all can be sent again.
            async with connection.transaction():
                return await self._halves(connection, rows)
        except asyncpg.PostgresError as at_end:
            if not is_of_row(at_end):
                raise
        # A deferred constraint refuses at the end, and does not say which row.
        failures: list[ItemFailure] = []
        for row in rows:
            failures += await self._attempt(connection, [row])
        return failures

    async def _halves(self, connection: Any, rows: Rows) -> list[ItemFailure]:
        middle = len(rows) // 2
        first = await self._attempt(connection, rows[:middle])
        return first + await self._attempt(connection, rows[middle:])

    async def _attempt(self, connection: Any, rows: Rows) -> list[ItemFailure]:
        try:
            async with connection.transaction():
                await self._run(connection, rows)
        except asyncpg.PostgresError as error:
            if not is_of_row(error):
                raise
            if len(rows) == 1:
                return [ItemFailure(rows[0][0], row_refused(error))]
        else:
            return []
        return await self._halves(connection, rows)


def _bound(
    items: Sequence[ActionItem], arrays: Sequence[bool]
) -> tuple[list[tuple[int, tuple[Any, ...]]], list[ItemFailure]]:
    """What is bound for each item, and the items for which nothing can be."""
    rows: list[tuple[int, tuple[Any, ...]]] = []
    failures: list[ItemFailure] = []
    for item in items:
        values: list[Any] = []
        for number, (value, is_array) in enumerate(zip(item.fields, arrays, strict=False), 1):
            try:
                values.append(argument(value, is_array=is_array))
            except NoArrayError:
                failures.append(ItemFailure(item.number, _NO_ARRAY.format(number=number)))
                break
        else:
            rows.append((item.number, tuple(values)))
    return rows, failures
