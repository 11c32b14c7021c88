"""What an error of Redis means for the commands that were sent."""

from __future__ import annotations

import redis.exceptions as say
from redis.exceptions import RedisClusterException, ResponseError

from rookery.access.errors import Words
from rookery.connectors.base import Unhealthy

CLIENT_ERRORS = (say.RedisError, RedisClusterException, OSError)
"""All that a call of the client library may raise."""

# What passes, or what who looks after Redis will mend. The first word of an answer is its code.
_PASSING = (say.OutOfMemoryError, say.ReadOnlyError, say.TryAgainError, say.ClusterDownError)
_PASSING_CODES = ("LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "BUSY", "UNKILLABLE")

# What the client of clusters says when no node has all keys of a command. It has one type of error
# for this and for a cluster that is away.
_NO_NODE = ("No way to dispatch", "all keys must map")

_REFUSED = Words("Redis refuses the command: {said}", "Redis 拒绝该命令：{said}")
_SAYS = Words("Redis says: {said}", "Redis 返回：{said}")
_AUTH = Words("Redis refuses username or password: {said}", "Redis 拒绝用户名或密码：{said}")
_NO_PASSWORD = Words("Redis wants a password", "Redis 要求密码")
_UNREACHABLE = Words("Redis cannot be reached: {said}", "无法连接 Redis：{said}")
_LATE = Words("Redis does not answer in time", "Redis 未在时限内应答")


def is_answer(error: BaseException) -> bool:
    """Whether Redis took the command up and answered with this error."""
    return isinstance(error, ResponseError)


def is_passing(error: BaseException) -> bool:
    """Whether the same command may well be taken later."""
    if isinstance(error, ResponseError):
        return isinstance(error, _PASSING) or str(error).startswith(_PASSING_CODES)
    return not (isinstance(error, say.DataError) or any(text in str(error) for text in _NO_NODE))


def words_of(error: BaseException) -> Words:
    """What is wrong, for people."""
    said = str(error).partition("\n")[0] or type(error).__name__
    if said.startswith("HELLO must be called"):
        return _NO_PASSWORD  # its own words are about the protocol
    if isinstance(error, say.AuthenticationError) or said.startswith(("NOAUTH", "WRONGPASS")):
        return _AUTH.format(said=said)
    if isinstance(error, (say.TimeoutError, TimeoutError)):
        return _LATE
    if not is_passing(error):
        return _REFUSED.format(said=said)
    is_away = isinstance(error, (say.ConnectionError, RedisClusterException, OSError))
    return (_UNREACHABLE if is_away else _SAYS).format(said=said)


def of_checking(error: BaseException) -> Unhealthy:
    return Unhealthy(words_of(error))
