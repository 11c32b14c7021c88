"""What an error of PostgreSQL means for the rows that were sent."""

from __future__ import annotations

import asyncpg

from rookery.access.databases.postgresql_errors import (
    OF_STATEMENT,
    Place,
    advice,
    connection_words,
    refusal,
    said,
    state_class,
    words_of,
)
from rookery.access.errors import Words
from rookery.connectors.base import Recoverable, Unhealthy, Unrecoverable

# By the first two characters of SQLSTATE. All others are the row's: what a trigger or a function may raise
# has no end, and none of it is a reason to give other rows up.
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
_OF_OTHERS = _OF_CONNECTION | OF_STATEMENT | _PASSING

_REFUSED = Words("PostgreSQL refuses the row: {said}", "PostgreSQL 拒绝该行：{said}")


def is_of_row(error: BaseException) -> bool:
    """Whether other rows of the same statement may well be taken."""
    return isinstance(error, asyncpg.PostgresError) and state_class(error) not in _OF_OTHERS


def row_refused(error: BaseException) -> Words:
    return _REFUSED.format(said=said(error))


def of_sending(error: Exception, place: Place) -> Recoverable | Unrecoverable:
    """What became of a batch that ended with this error."""
    if not isinstance(error, asyncpg.PostgresError):
        return Recoverable(connection_words(error, place))
    kind = state_class(error)
    if kind in _OF_CONNECTION:
        return Recoverable(advice(error, place) or refusal(error))
    if kind in OF_STATEMENT:
        # Who looks after it mends one or the other, and what waits is kept until then.
        return Recoverable(refusal(error))
    if kind in _PASSING:
        return Recoverable(refusal(error), is_connection=False)
    return Unrecoverable(refusal(error))


def of_checking(error: Exception, place: Place) -> Unhealthy:
    """Why there is no connection, or a statement does not work."""
    return Unhealthy(words_of(error, place))
