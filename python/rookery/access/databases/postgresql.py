"""A query to PostgreSQL. Placeholders become parameters of the statement."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rookery.access.databases.settings import DatabaseSettings, host_and_port, missing_package
from rookery.access.errors import BackendError
from rookery.access.guard import Guard
from rookery.access.http_service import UnaskableError
from rookery.access.seldom import SeldomLog
from rookery.access.templates import Template, Variables
from rookery.clock import Clock

if TYPE_CHECKING:
    import asyncpg

_logger = logging.getLogger(__name__)

DEFAULT_PORT = 5432
ROWS_MAX = 1000
IDLE_S = 300.0

# EMQX takes '${username}' for ${username}: a parameter must not stand in quotes.
_QUOTED = re.compile(r"'(\$\{[A-Za-z_][A-Za-z0-9_.]*\})'")
_CLASS_DATA = "22"  # SQLSTATE of values that a type does not have


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlSettings(DatabaseSettings):
    """``backend = postgresql``.

    Attributes:
        server: ``host:port``, or the folder of a Unix socket.
        database: Its name.
        query: With placeholders.
    """

    server: str
    database: str
    query: str


class PostgresqlService:
    """A pool of connections and one query. Belongs to one event loop from :meth:`start` on."""

    def __init__(
        self, settings: PostgresqlSettings, clock: Clock, *, known: Collection[str], where: str
    ) -> None:
        """Take the query apart.

        Raises:
            SettingError: a placeholder is not known, or the package for PostgreSQL is missing.
        """
        self._settings = settings
        self._where = where
        template = Template(_QUOTED.sub(r"\1", settings.query), known=known, where=f"{where}.query")
        self.statement, self._names = _numbered(template)
        self.guard = Guard(settings.guard(), clock)
        self._log = SeldomLog(_logger, clock)
        self._pool: asyncpg.Pool | None = None
        if settings.server.startswith("/"):
            self._host, self._port = settings.server, DEFAULT_PORT
        else:
            self._host, self._port = host_and_port(settings.server, DEFAULT_PORT, where)
        try:
            import asyncpg  # noqa: F401, PLC0415 - an extra
        except ImportError:
            raise missing_package(where, "asyncpg", "postgres") from None

    async def start(self) -> None:
        """Make the pool; a connection is made by the first question."""
        import asyncpg  # noqa: PLC0415

        settings = self._settings
        self._pool = await asyncpg.create_pool(
            host=self._host,
            port=self._port,
            user=settings.username,
            password=settings.password.reveal() if settings.password else None,
            database=settings.database,
            min_size=0,
            max_size=settings.pool_size,
            max_inactive_connection_lifetime=IDLE_S,
            timeout=settings.connect_timeout_s,
            command_timeout=settings.request_timeout_s,
            ssl=settings.ssl.context() if settings.ssl.enable else False,
        )

    async def stop(self) -> None:
        """Close every connection. May be called twice."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

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

        pool = self._pool
        if pool is None:
            raise BackendError("the provider is stopped")
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
            raise BackendError(
                f"PostgreSQL refuses: {error.sqlstate} {type(error).__name__}"
            ) from None
        except (asyncpg.InterfaceError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise BackendError(f"PostgreSQL cannot be asked: {type(error).__name__}") from None
        if len(rows) > ROWS_MAX:
            raise BackendError(f"the query selects more than {ROWS_MAX} rows")
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
