"""What an error of Redis means for the commands that were sent."""

from __future__ import annotations

import redis.exceptions as say
from redis.exceptions import RedisClusterException, ResponseError

from rookery.access.reasons import behind, why_unreachable
from rookery.words import Words

CLIENT_ERRORS = (say.RedisError, RedisClusterException, OSError)
"""All that a call of the client library may raise."""

# What passes, or what who looks after Redis will mend. The first word of an answer is its code.
_PASSING = (say.OutOfMemoryError, say.ReadOnlyError, say.TryAgainError, say.ClusterDownError)
_PASSING_CODES = ("LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "BUSY", "UNKILLABLE")

# What the client of clusters says when no node has all keys of a command. It has one type of error
# for this and for a cluster that is away.
_NO_NODE = ("No way to dispatch", "all keys must map")

_AWAY = (say.ConnectionError, say.TimeoutError, RedisClusterException, OSError)

_REFUSED = Words("Redis refuses the command: {said}", "Redis 拒绝该命令：{said}")
_SAYS = Words("Redis says: {said}", "Redis 返回：{said}")
_AUTH = Words(
    "Redis at {address} refuses username or password: check both ({said})",
    "Redis {address} 拒绝用户名或密码：请检查两者（{said}）",
)
_NO_PASSWORD = Words(
    "Redis at {address} wants a password: set password, and username where Redis has users",
    "Redis {address} 要求密码：请设置 password，如有用户还需设置 username",
)
_NO_DATABASE = Words(
    "Redis at {address} has no database of that number: check database",
    "Redis {address} 没有该编号的数据库：请检查 database",
)
_NO_MASTER = Words(
    "the sentinels at {address} know no master of that name: check sentinel ({said})",
    "哨兵 {address} 不知道该名称的主节点：请检查 sentinel（{said}）",
)
_NO_RIGHT = Words(
    "Redis at {address} does not let this user do it: {said}",
    "Redis {address} 不允许该用户执行此操作：{said}",
)
_UNREACHABLE = Words(
    "Redis at {address} cannot be reached: {said}", "无法连接 Redis {address}：{said}"
)
_LATE = Words(
    "Redis at {address} does not answer in time: see what it is busy with, or whether the network "
    "is slow",
    "Redis {address} 未在时限内应答：请检查其负载和网络",
)


def is_answer(error: BaseException) -> bool:
    """Whether Redis took the command up and answered with this error."""
    return isinstance(error, ResponseError)


def is_passing(error: BaseException) -> bool:
    """Whether the same command may well be taken later."""
    if isinstance(error, ResponseError):
        return isinstance(error, _PASSING) or str(error).startswith(_PASSING_CODES)
    return not (isinstance(error, say.DataError) or any(text in str(error) for text in _NO_NODE))


def words_of(error: BaseException, address: str) -> Words:
    """What is wrong, for people."""
    said = str(error).partition("\n")[0] or type(error).__name__
    if (advice := _advice(error, said)) is not None:
        return advice.format(address=address, said=said)
    if not is_passing(error):
        return _REFUSED.format(said=said)
    if not isinstance(error, _AWAY):
        return _SAYS.format(said=said)
    # Its client tells of several servers in one text; what the first said is behind it.
    if (cause := behind(error)) is not None:
        return why_unreachable(address, cause)
    return _UNREACHABLE.format(address=address, said=said)


def _advice(error: BaseException, said: str) -> Words | None:
    # The client's own words for this are about the protocol.
    if said.startswith(("HELLO must be called", "NOAUTH", "Authentication required")):
        return _NO_PASSWORD
    if isinstance(error, say.AuthenticationError) or said.startswith("WRONGPASS"):
        return _AUTH
    if isinstance(error, say.NoPermissionError):
        return _NO_RIGHT
    if "DB index is out of range" in said:
        return _NO_DATABASE
    if isinstance(error, say.ConnectionError) and said.startswith("No master found"):
        return _NO_MASTER
    is_late = isinstance(error, (say.TimeoutError, TimeoutError)) and "connect" not in said.lower()
    return _LATE if is_late else None
