"""Why PostgreSQL cannot be asked, or refuses a statement, in words for people."""

from __future__ import annotations

from typing import NamedTuple

import asyncpg

from rookery.access.reasons import behind, why_unreachable
from rookery.words import Words

# By the first two characters of SQLSTATE: the statement does not fit the database, a table is
# missing, or a right.
OF_STATEMENT = frozenset({"0A", "3F", "42"})

_STATEMENT = Words("PostgreSQL refuses the statement: {said}", "PostgreSQL 拒绝该语句：{said}")
_SAYS = Words("PostgreSQL says: {said}", "PostgreSQL 返回：{said}")
_LOST = Words(
    "connection to PostgreSQL at {address}: {said}", "与 PostgreSQL {address} 的连接：{said}"
)
_LATE = Words(
    "PostgreSQL at {address} does not answer in time: see what it is busy with, or whether the "
    "network is slow",
    "PostgreSQL {address} 未在时限内应答：请检查其负载和网络",
)
_NO_TLS = Words(
    "PostgreSQL at {address} does not speak TLS: switch ssl.enable off, or TLS on there",
    "PostgreSQL {address} 未启用 TLS：请关闭 ssl.enable，或在服务端启用 TLS",
)
# By SQLSTATE: what whoever set the connector up can do about it.
_ADVICE = {
    "28P01": Words(
        "PostgreSQL at {address} refuses user {username} with this password: check username and "
        "password",
        "PostgreSQL {address} 拒绝用户 {username} 的密码：请检查用户名和密码",
    ),
    "28000": Words(
        "PostgreSQL at {address} does not let user {username} in: check username, ssl.enable and "
        "pg_hba.conf there ({said})",
        "PostgreSQL {address} 不允许用户 {username} 登录：请检查用户名、ssl.enable 和服务端的 "
        "pg_hba.conf（{said}）",
    ),
    "3D000": Words(
        "there is no database {database} at {address}: check its name, or create it",
        "{address} 上不存在数据库 {database}：请检查名称或创建该数据库",
    ),
    "42501": Words(
        "user {username} has no right to this in database {database}: {said}",
        "用户 {username} 在数据库 {database} 中没有所需权限：{said}",
    ),
    "53300": Words(
        "PostgreSQL at {address} has no connection left: use a smaller pool_size, or raise "
        "max_connections there",
        "PostgreSQL {address} 连接数已满：请减小 pool_size，或增大服务端的 max_connections",
    ),
    "57P03": Words(
        "PostgreSQL at {address} is starting or stopping: it is tried again",
        "PostgreSQL {address} 正在启动或停止：将自动重试",
    ),
}

CLIENT_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""All that a call of the client library may raise."""


class Place(NamedTuple):
    """Where connections go, as far as it is no secret."""

    address: str
    database: str
    username: str


def words_of(error: Exception, place: Place) -> Words:
    """Why there is no connection, or a statement does not work."""
    if not isinstance(error, asyncpg.PostgresError):
        return connection_words(error, place)
    return advice(error, place) or refusal(error)


def refusal(error: asyncpg.PostgresError) -> Words:
    """What PostgreSQL says to a statement."""
    words = _STATEMENT if state_class(error) in OF_STATEMENT else _SAYS
    return words.format(said=said(error))


def advice(error: asyncpg.PostgresError, place: Place) -> Words | None:
    """What can be done about an error that everybody meets once."""
    words = _ADVICE.get(str(error.sqlstate or ""))
    return None if words is None else words.format(said=said(error), **place._asdict())


def connection_words(error: Exception, place: Place) -> Words:
    """Why there is no connection."""
    if isinstance(error, TimeoutError) and not error.errno:
        return _LATE.format(address=place.address)
    if isinstance(error, ConnectionError) and "rejected SSL" in str(error):
        return _NO_TLS.format(address=place.address)
    if (cause := behind(error)) is not None:
        return why_unreachable(place.address, cause)
    return _LOST.format(address=place.address, said=said(error))


def state_class(error: asyncpg.PostgresError) -> str:
    """The first two characters of SQLSTATE."""
    return str(error.sqlstate or "")[:2]


def said(error: BaseException) -> str:
    """Its first line, with SQLSTATE where the server said it."""
    text = str(error).partition("\n")[0] or type(error).__name__
    state = getattr(error, "sqlstate", None)
    is_from_server = getattr(error, "severity", None) is not None
    return f"{text} (SQLSTATE {state})" if state and is_from_server else text
