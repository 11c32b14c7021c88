"""The command of an action: fixed by who made the action, with values as its arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rookery.access.errors import SettingError, Words
from rookery.native.action_fields import FieldSpec, Text

_WHERE = "parameters.command_template"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
# They change what the connection is for those who have it next, wait, or answer without end.
_NOT_HERE = frozenset(
    {
        *("AUTH", "CLIENT", "HELLO", "MONITOR", "QUIT", "READONLY", "READWRITE", "RESET", "SELECT"),
        *("DISCARD", "EXEC", "MULTI", "UNWATCH", "WATCH", "ASKING", "DEBUG", "SHUTDOWN"),
        *("PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "UNSUBSCRIBE"),
        *("BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN"),
        *("PSYNC", "REPLCONF", "SYNC", "WAIT", "WAITAOF"),
    }
)
_NO_NAME = Words(
    "{where}: the first element must be the name of a command, without placeholders: {text}",
    "{where}：第一个元素应为不含占位符的命令名：{text}",
)
# With BLOCK among their options they wait, too.
_MAY_WAIT = frozenset({"XREAD", "XREADGROUP"})
_WAITS = Words(
    "{where}: {name} cannot be used with BLOCK, nor with a placeholder before STREAMS: other commands share the "
    "connection, and would wait",
    "{where}：{name} 不能带 BLOCK，STREAMS 之前也不能有占位符：连接由其他命令共用，它们会一直等待",
)
_REFUSED = Words(
    "{where}: {name} cannot be used here: other commands share the connection",
    "{where}：此处不能使用 {name}：连接由其他命令共用",
)


def parse_command(template: Sequence[str]) -> tuple[str, tuple[FieldSpec, ...]]:
    """The command's name and what its arguments are made of.

    Raises:
        SettingError: the name is none, or of a command that cannot be used.
    """
    name = template[0].strip()
    if not _NAME.fullmatch(name):
        raise SettingError(_NO_NAME.format(where=_WHERE, text=name[:64]))
    if name.upper() in _NOT_HERE:
        raise SettingError(_REFUSED.format(where=_WHERE, name=name))
    if name.upper() in _MAY_WAIT and _may_wait(template[1:]):
        raise SettingError(_WAITS.format(where=_WHERE, name=name))
    return name, tuple(Text(argument) for argument in template[1:])


def _may_wait(arguments: Sequence[str]) -> bool:
    left = iter(arguments)
    for argument in left:
        match argument.upper():
            case "STREAMS":
                return False
            case "GROUP":  # the names of a group and of a consumer may be made of anything
                next(left, None)
                next(left, None)
            case "BLOCK":
                return True
            case _ if "${" in argument:
                return True
    return False
