"""A query to PostgreSQL. Placeholders become parameters of the statement."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rookery.access.databases.postgresql_pool import PostgresqlPlace, address_of, open_pool
from rookery.access.errors import STOPPED, BackendError
from rookery.access.guard import Guard
from rookery.access.http_service import UnaskableError
from rookery.access.reasons import no_answer, shown_address
from rookery.access.seldom import SeldomLog
from rookery.access.templates import Template, Variables
from rookery.clock import Clock
from rookery.words import Words

if TYPE_CHECKING:
    import asyncpg

_logger = logging.getLogger(__name__)

ROWS_MAX = 1000

# EMQX takes '${username}' for ${username}: a parameter must not stand in quotes.
_QUOTED = re.compile(r"'(\$\{[A-Za-z_][A-Za-z0-9_.]*\})'")
_CLASS_DATA = "22"  # SQLSTATE of values that a type does not have
# Others, such as CALL, are not planned; what is wrong with them the first client shows.
_EXPLAINED = ("select", "with", "insert", "update", "delete", "merge", "values", "table")
_NO_COLUMN = Words(
    "the query selects no column {name}; it selects: {has}", "查询未返回 {name} 列，返回的列：{has}"
)
_TOO_MANY = Words("the query selects more than {most} rows", "查询返回的行数超过 {most}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlSettings(PostgresqlPlace):
    """``backend = postgresql``.

    Attributes:
        query: With placeholders.
    """

    query: str


class PostgresqlService:
    """A pool of connections and one query. Belongs to one event loop from :meth:`start` on."""

    def __init__(
        self,
        settings: PostgresqlSettings,
        clock: Clock,
        *,
        known: Collection[str],
        where: str,
        columns: Sequence[Collection[str]] = (),
    ) -> None:
        """Take the query apart. ``columns`` are those that its rows must have, one of each set.

        Raises:
            SettingError: a placeholder is not known, or the package for PostgreSQL is missing.
        """
        self._settings = settings
        self._where = where
        self._columns = columns
        template = Template(_QUOTED.sub(r"\1", settings.query), known=known, where=f"{where}.query")
        self.statement, self._names = _numbered(template)
        self._address = address_of(settings, where)
        self._shown = shown_address(*self._address)
        late = no_answer(self._shown, settings.request_timeout_s)
        self.guard = Guard(settings.guard(), clock, late=late)
        self._log = SeldomLog(_logger, clock)
        self._pool: asyncpg.Pool | None = None

    async def start(self) -> None:
        """Make the pool; a connection is made by the first question."""
        self._pool = await open_pool(self._settings, self._address)

    async def stop(self) -> None:
        """Close every connection. May be called twice."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    async def look(self) -> None:
        """Sign in, and have the database plan the query, for which it needs every right that the query
        does: it is not run.

        Raises:
            TimeoutError: there is no connection in time.
            BackendError: the database cannot be asked, or refuses the query.
        """
        from rookery.access.databases.postgresql_errors import CLIENT_ERRORS  # noqa: PLC0415

        pool = self._opened()
        try:
            async with pool.acquire() as connection:
                prepared = await connection.prepare(self.statement)
                found = [attribute.name for attribute in prepared.get_attributes()]
                if self.statement.lower().startswith(_EXPLAINED):
                    unknown = [None] * len(self._names)
                    await connection.fetch(f"EXPLAIN {self.statement}", *unknown)
        except CLIENT_ERRORS as error:
            raise BackendError(self._why(error)) from None
        for wanted in self._columns:
            if not set(wanted) & set(found):
                name, has = next(iter(wanted)), ", ".join(found) or "-"
                raise BackendError(_NO_COLUMN.format(name=name, has=has))

    def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            raise BackendError(STOPPED)
        return self._pool

    def _why(self, error: Exception) -> Words:
        from rookery.access.databases.postgresql_errors import Place, words_of  # noqa: PLC0415

        settings = self._settings
        return words_of(error, Place(self._shown, settings.database, settings.username or ""))

    async def rows(self, variables: Variables) -> list[Mapping[str, Any]]:
        """Put the query with these values.

        Raises:
            UnaskableError: a value is none that the query can take.
            BusyError: too many questions are under way.
            OpenError: the database is left alone at the moment.
            TimeoutError: no answer in time.
            BackendError: the database cannot be asked, or refuses the query.
        """
        values = [self._value(name, variables) for name in self._names]
        answer = await self.guard.run(lambda: self._ask(values))
        if isinstance(answer, UnaskableError):
            raise answer
        return answer

    @staticmethod
    def _value(name: str, variables: Variables) -> str | None:
        value = variables(name)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    async def _ask(self, values: list[str | None]) -> list[Mapping[str, Any]] | UnaskableError:
        import asyncpg  # noqa: PLC0415

        pool = self._opened()
        try:
            rows = await pool.fetch(self.statement, *values)
        except asyncpg.DataError as error:
            # The client's doing: it must not make the database count as failed.
            if getattr(error, "severity", None) is None:
                # Nothing was asked: often the query compares a text with a column of another type.
                self._log.warning("%s: a value has not the type that the query wants", self._where)
            return UnaskableError("a value is none that the query can take")
        except asyncpg.PostgresError as error:
            if str(error.sqlstate or "").startswith(_CLASS_DATA):
                return UnaskableError("a value is none that the query can take")
            raise BackendError(self._why(error)) from None
        except (asyncpg.InterfaceError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise BackendError(self._why(error)) from None
        if len(rows) > ROWS_MAX:
            raise BackendError(_TOO_MANY.format(most=ROWS_MAX))
        return [dict(row) for row in rows]


def _numbered(template: Template) -> tuple[str, tuple[str, ...]]:
    """The statement with ``$1``, ``$2`` … and the names in that order, each name once."""
    texts, names = template.split()
    order = tuple(dict.fromkeys(names))
    numbers = {name: f"${number}" for number, name in enumerate(order, start=1)}
    statement = texts[0]
    for name, text in zip(names, texts[1:], strict=True):
        statement += numbers[name] + text
    return statement.strip().rstrip(";"), order
