"""The statement of an action: placeholders become parameters, never part of the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rookery.access.errors import SettingError, Words
from rookery.native.action_fields import FieldSpec, Row, Value

PARAMETERS_MAX = 1000
_WHERE = "parameters.sql"

# What a statement is made of, as far as placeholders are concerned. The first that fits counts.
_TOKEN = re.compile(
    r"""
      '\$\{(?P<quoted>[^}'"]*)\}'                # EMQX takes '${x}' for ${x}
    | \$\{(?P<bare>[^}]*)\}
    | (?P<closed>
          [eE]'(?:[^'\\]|''|\\.)*'               # text with escapes
        | '(?:[^']|'')*'                         # text
        | "(?:[^"]|"")*"                         # a name
        | \$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?(tag)(?P=tag))\$
        | --[^\n]*
        | /\*.*?\*/
      )
    | (?P<number>\$\d+)
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = r"[^\s.\[\]{}'\"]+(?:\[-?\d+\])*"
_PATH = re.compile(rf"\.?{_NAME}(?:\.{_NAME})*")

_BAD_PATH = Words(
    "{where}: ${{{path}}} is not of the form ${{a.b[1]}}",
    "{where}：${{{path}}} 不符合 ${{a.b[1]}} 的形式",
)
_CLOSED = Words(
    "{where}: a placeholder stands inside {text}, where it would not be a value; "
    "put texts together with ||, as in 'a/' || ${{clientid}}",
    "{where}：占位符位于 {text} 之内，不会被当作值；请用 || 拼接文本，例如 'a/' || ${{clientid}}",
)
_NUMBER = Words(
    "{where}: {number} has no value; write a placeholder such as ${{clientid}}",
    "{where}：{number} 没有值，请写占位符，例如 ${{clientid}}",
)
_EMPTY = Words("{where}: is empty", "{where}：为空")
_MANY = Words("{where}: has more than {most} placeholders", "{where}：占位符超过 {most} 个")


@dataclass(frozen=True, slots=True)
class Statement:
    """``text`` has ``$1``, ``$2`` … for ``values``, in that order."""

    text: str
    values: tuple[FieldSpec, ...]


def parse_statement(sql: str) -> Statement:
    """Take a statement apart. Each placeholder is a parameter of its own, with a type of its own.

    Raises:
        SettingError: a placeholder is none, or stands where no value can.
    """
    values: list[FieldSpec] = []

    def numbered(token: re.Match[str]) -> str:
        if (closed := token["closed"]) is not None:
            if "${" in closed and not closed.startswith(("--", "/*")):
                raise SettingError(_CLOSED.format(where=_WHERE, text=closed[:64]))
            return closed
        if token["number"] is not None:
            raise SettingError(_NUMBER.format(where=_WHERE, number=token["number"]))
        path = token["quoted"] if token["quoted"] is not None else token["bare"]
        values.append(_field(path))
        return f"${len(values)}"

    text = _TOKEN.sub(numbered, sql).strip().rstrip(";").rstrip()
    if not text:
        raise SettingError(_EMPTY.format(where=_WHERE))
    if len(values) > PARAMETERS_MAX:
        raise SettingError(_MANY.format(where=_WHERE, most=PARAMETERS_MAX))
    return Statement(text, tuple(values))


def _field(path: str) -> FieldSpec:
    path = path.strip()
    if path == ".":
        return Row()
    if not _PATH.fullmatch(path):
        raise SettingError(_BAD_PATH.format(where=_WHERE, path=path[:64]))
    return Value(f"${{{path}}}")
