"""What an error of PostgreSQL means for the rows that were sent."""

from __future__ import annotations

import asyncpg

from rookery.access.errors import Words
from rookery.connectors.base import Recoverable, Unhealthy, Unrecoverable

# By the first two characters of SQLSTATE.
_OF_ROW = frozenset(
    {
        "22",  # a value that its type does not have
        "23",  # a constraint
        "44",  # the condition of a view
        "54",  # too large
        "P0",  # a trigger refuses
    }
)
_OF_CONNECTION = frozenset({"08", "28", "3D", "57"})
_PASSING = frozenset(
    {
        "25",  # read only, as a standby is
        "40",  # a deadlock, or another transaction was first
        "53",  # no memory, disk or connection left
        "55",  # locked
        "58",  # the system under it
    }
)
# The statement does not fit the database: a table is missing, or a right. Who looks after it mends
# one or the other, and what waits is kept until then.
_OF_STATEMENT = frozenset({"0A", "3F", "42"})

_REFUSED = Words("PostgreSQL refuses the row: {said}", "PostgreSQL 拒绝该行：{said}")
_STATEMENT = Words("PostgreSQL refuses the statement: {said}", "PostgreSQL 拒绝该语句：{said}")
_SAYS = Words("PostgreSQL says: {said}", "PostgreSQL 返回：{said}")
_UNREACHABLE = Words("PostgreSQL cannot be reached: {said}", "无法连接 PostgreSQL：{said}")
_LATE = Words("PostgreSQL does not answer in time", "PostgreSQL 未在时限内应答")

CLIENT_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""All that a call of the client library may raise."""


def is_of_row(error: BaseException) -> bool:
    """Whether other rows of the same statement may well be taken."""
    return isinstance(error, asyncpg.PostgresError) and _class(error) in _OF_ROW


def row_refused(error: BaseException) -> Words:
    return _REFUSED.format(said=_said(error))


def of_sending(error: Exception) -> Recoverable | Unrecoverable:
    """What became of a batch that ended with this error."""
    if not isinstance(error, asyncpg.PostgresError):
        return Recoverable(_connection_words(error))
    kind = _class(error)
    if kind in _OF_CONNECTION:
        return Recoverable(_SAYS.format(said=_said(error)))
    if kind in _OF_STATEMENT:
        return Recoverable(_STATEMENT.format(said=_said(error)))
    if kind in _PASSING:
        return Recoverable(_SAYS.format(said=_said(error)), is_connection=False)
    return Unrecoverable(_SAYS.format(said=_said(error)))


def of_checking(error: Exception) -> Unhealthy:
    """Why there is no connection, or a statement does not work."""
    if not isinstance(error, asyncpg.PostgresError):
        return Unhealthy(_connection_words(error))
    words = _STATEMENT if _class(error) in _OF_STATEMENT else _SAYS
    return Unhealthy(words.format(said=_said(error)))


def _connection_words(error: Exception) -> Words:
    if isinstance(error, TimeoutError):
        return _LATE
    return _UNREACHABLE.format(said=_said(error))


def _class(error: asyncpg.PostgresError) -> str:
    return str(error.sqlstate or "")[:2]


def _said(error: BaseException) -> str:
    text = str(error).partition("\n")[0] or type(error).__name__
    state = getattr(error, "sqlstate", None)
    is_from_server = getattr(error, "severity", None) is not None
    return f"{text} (SQLSTATE {state})" if state and is_from_server else text
