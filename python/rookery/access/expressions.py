"""EMQX's small expressions over a client: ``nth(1, tokens(clientid, '-'))``.

Functions, variables, text in single or double quotes, numbers and lists. They are compiled once;
an unknown function or variable is an error then and not when a client comes. A variable without a
value makes the expression fail, except in :func:`coalesce` and ``is_empty``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from rookery.access.errors import SettingError, Words
from rookery.access.templates import Variables
from rookery.errors import RookeryError
from rookery.native.patterns import why_no_regex
from rookery.native.regex_texts_zh import in_chinese
from rookery.native.rules import test_rule

LENGTH_MAX = 4096
DEPTH_MAX = 16
VALUE_LENGTH_MAX = 4096
"""Longer values are cut: a regular expression may take long over long text."""

_BAD = Words("{where}: {reason} at character {column}", "{where}：第 {column} 个字符：{reason}")
_UNEXPECTED = Words("unexpected {found}", "此处不应出现 {found}")
_UNKNOWN_FUNCTION = Words("unknown function {found}", "未知函数 {found}")
_UNKNOWN_VARIABLE = Words("unknown variable {found}", "未知变量 {found}")
_ARGUMENTS = Words("wrong number of arguments for {found}", "{found} 的参数个数不正确")
_DEEP = Words("too deep", "嵌套过深")
_LONG = Words("too long", "过长")
_REGEX = Words("not a regular expression: {found}", "不是正则表达式：{found}")

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|(?P<number>-?\d{1,15}(?:\.\d{1,15})?)"
    r"|'(?P<single>(?:[^'\\]|\\.)*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"|(?P<mark>[(),\[\]]))"
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

Value: TypeAlias = Any
"""Text, a number, a truth value or a list of those."""


class NoValueError(Exception):
    """The expression has no value for this client."""


Node: TypeAlias = Callable[[Variables], Value]


class Expression:
    """A compiled expression."""

    __slots__ = ("_node", "source")

    def __init__(self, source: str, *, known: Collection[str], where: str) -> None:
        """Compile.

        Raises:
            SettingError: says what is wrong and at which character.
        """
        self.source = source
        self._node = _Compiler(source, known, where).compile()

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    def value(self, variables: Variables) -> str:
        """The value as text.

        Raises:
            NoValueError: there is none.
        """
        return _text(self._node(variables))

    def is_true(self, variables: Variables) -> bool:
        """Whether the value is ``true``; without a value it is not."""
        try:
            return self.value(variables) == "true"
        except NoValueError:
            return False


# ---- compiling --------------------------------------------------------------------------


class _Compiler:
    def __init__(self, source: str, known: Collection[str], where: str) -> None:
        self._source = source
        self._known = known
        self._where = where
        self._position = 0
        self._start = 0

    def compile(self) -> Node:
        if len(self._source) > LENGTH_MAX:
            raise self._bad(_LONG)
        node = self._expression(0)
        if self._source[self._position :].strip():
            self._start = self._position
            raise self._unexpected()
        return node

    def _bad(self, reason: Words) -> SettingError:
        return SettingError(
            Words(
                _BAD.en.format(where=self._where, reason=reason.en, column=self._start + 1),
                _BAD.zh.format(where=self._where, reason=reason.zh, column=self._start + 1),
            )
        )

    def _unexpected(self) -> SettingError:
        rest = self._source[self._start :].lstrip()
        return self._bad(_UNEXPECTED.format(found=repr(rest[:1]) if rest else "end"))

    def _next(self) -> re.Match[str]:
        self._start = self._position
        match = _TOKEN.match(self._source, self._position)
        if match is None:
            raise self._unexpected()
        self._position = match.end()
        return match

    def _take(self, mark: str) -> bool:
        match = _TOKEN.match(self._source, self._position)
        if match is None or match["mark"] != mark:
            return False
        self._position = match.end()
        return True

    def _expression(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise self._bad(_DEEP)
        match = self._next()
        if match["mark"] == "[":
            items = self._arguments("]", depth)
            return lambda variables: [_or_empty(item, variables) for item in items]
        if match["name"] is not None:
            start = self._start
            if self._take("("):
                return self._call(match["name"], start, depth)
            return self._variable(match["name"])
        if match["mark"] is not None:
            raise self._unexpected()
        literal = _literal(match)
        return lambda _variables: literal

    def _variable(self, name: str) -> Node:
        if name in {"true", "false"}:
            return lambda _variables: name == "true"
        if name not in self._known and not name.startswith("client_attrs."):
            raise self._bad(_UNKNOWN_VARIABLE.format(found=name))

        def look_up(variables: Variables) -> Value:
            value = variables(name)
            if value is None:
                raise NoValueError(name)
            text = value if isinstance(value, str) else value.decode("utf-8", "replace")
            return text[:VALUE_LENGTH_MAX]

        return look_up

    def _arguments(self, closing: str, depth: int) -> list[Node]:
        nodes: list[Node] = []
        if self._take(closing):
            return nodes
        while True:
            nodes.append(self._expression(depth + 1))
            if self._take(closing):
                return nodes
            if not self._take(","):
                self._start = self._position
                raise self._unexpected()

    def _call(self, name: str, start: int, depth: int) -> Node:
        short = name.rpartition(".")[2]
        lazy = _LAZY.get(short)
        function = _FUNCTIONS.get(short)
        if lazy is None and function is None:
            self._start = start
            raise self._bad(_UNKNOWN_FUNCTION.format(found=name))
        nodes = self._arguments(")", depth)
        self._start = start
        if lazy is not None:
            if len(nodes) not in lazy.counts:
                raise self._bad(_ARGUMENTS.format(found=name))
            return lazy.make(nodes)
        assert function is not None
        if len(nodes) not in function.counts:
            raise self._bad(_ARGUMENTS.format(found=name))
        self._check_regex(short, nodes)
        call = function.call

        def run(variables: Variables) -> Value:
            values = [node(variables) for node in nodes]
            try:
                return call(*values)
            except (TypeError, ValueError, IndexError) as error:
                raise NoValueError(name) from error

        return run

    def _check_regex(self, name: str, nodes: list[Node]) -> None:
        """A pattern that stands there in full is looked at before any client comes."""
        if not name.startswith("regex"):
            return
        try:
            pattern = nodes[1](lambda _name: None)
        except NoValueError:
            return
        said = why_no_regex(_text(pattern))
        if said is not None:
            raise self._bad(_REGEX.format(found=Words(said, in_chinese(said))))


def _or_empty(node: Node, variables: Variables) -> Value:
    """A list with a gap is a list still: :func:`coalesce` looks for what is there."""
    try:
        return node(variables)
    except NoValueError:
        return ""


def _literal(match: re.Match[str]) -> Value:
    number = match["number"]
    if number is not None:
        return float(number) if "." in number else int(number)
    text = match["single"] if match["single"] is not None else match["double"]
    return _ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), text)


# ---- functions --------------------------------------------------------------------------


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "".join(_text(item) for item in value)
    return str(value)


def _nth(number: Value, items: Value) -> Value:
    index = int(number)
    if not isinstance(items, list) or not 1 <= index <= len(items):
        raise ValueError("no such item")
    return items[index - 1]


def _tokens(text: Value, separators: Value) -> list[str]:
    """Empty ones are left out, as in Erlang."""
    pattern = "[" + re.escape(_text(separators)) + "]+"
    return [token for token in re.split(pattern, _text(text)) if token]


def _substr(text: Value, start: Value, length: Value = None) -> str:
    first = int(start)
    whole = _text(text)
    return whole[first:] if length is None else whole[first : first + int(length)]


def _regular(function: str, text: Value, *more: Value) -> Value:
    """What that function of rules makes of it: in a time that the length of the text says, whatever
    the expression. Python's own would let one name of a client stop everybody for minutes.
    """
    names = "abc"[: 1 + len(more)]
    given = dict(zip(names, map(_text, (text, *more)), strict=True))
    asked = ", ".join(f"payload.{name}" for name in names)
    sql = f'SELECT {function}({asked}) AS v FROM "x"'  # noqa: S608 - a rule, and nobody's text in it
    context = json.dumps({"topic": "x", "payload": json.dumps(given)})
    try:
        rows = test_rule(sql, context, has_variables=False)
    except RookeryError as error:
        raise ValueError(error.message) from None
    return json.loads(rows[0])["v"]


def _regex_extract(text: Value, pattern: Value) -> list[str]:
    found: list[str] = _regular("regex_extract", text, pattern)
    if not found:
        # One without groups is a group itself.
        found = _regular("regex_extract", text, f"({_text(pattern)})")
    if not found:
        raise ValueError("no match")
    return found


def _hash(algorithm: Value, text: Value) -> str:
    name = {"sha": "sha1"}.get(_text(algorithm), _text(algorithm))
    if name not in {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"}:
        raise ValueError("unknown hash")
    return hashlib.new(name, _text(text).encode(), usedforsecurity=False).hexdigest()


def _number(value: Value) -> float:
    return float(_text(value))


@dataclass(frozen=True)
class _Function:
    call: Callable[..., Value]
    counts: Collection[int]


_MANY = range(1, 64)
_FUNCTIONS = {
    "nth": _Function(_nth, {2}),
    "tokens": _Function(_tokens, {2}),
    "concat": _Function(lambda *parts: "".join(_text(part) for part in parts), _MANY),
    "join_to_string": _Function(
        lambda *a: _text(a[0] if len(a) == 2 else ", ").join(_text(item) for item in a[-1]), {1, 2}
    ),
    "lower": _Function(lambda text: _text(text).lower(), {1}),
    "upper": _Function(lambda text: _text(text).upper(), {1}),
    "trim": _Function(lambda text: _text(text).strip(), {1}),
    "ltrim": _Function(lambda text: _text(text).lstrip(), {1}),
    "rtrim": _Function(lambda text: _text(text).rstrip(), {1}),
    "reverse": _Function(lambda text: _text(text)[::-1], {1}),
    "strlen": _Function(lambda text: len(_text(text)), {1}),
    "substr": _Function(_substr, {2, 3}),
    "replace": _Function(lambda text, old, new: _text(text).replace(_text(old), _text(new)), {3}),
    "regex_match": _Function(partial(_regular, "regex_match"), {2}),
    "regex_extract": _Function(_regex_extract, {2}),
    "regex_replace": _Function(partial(_regular, "regex_replace"), {3}),
    "hash": _Function(_hash, {2}),
    "any_to_string": _Function(_text, {1}),
    "str": _Function(_text, {1}),
    "str_comp": _Function(
        lambda a, b: "lt" if _text(a) < _text(b) else "gt" if _text(a) > _text(b) else "eq", {2}
    ),
    "str_eq": _Function(lambda a, b: _text(a) == _text(b), {2}),
    "str_neq": _Function(lambda a, b: _text(a) != _text(b), {2}),
    "str_lt": _Function(lambda a, b: _text(a) < _text(b), {2}),
    "str_lte": _Function(lambda a, b: _text(a) <= _text(b), {2}),
    "str_gt": _Function(lambda a, b: _text(a) > _text(b), {2}),
    "str_gte": _Function(lambda a, b: _text(a) >= _text(b), {2}),
    "num_eq": _Function(lambda a, b: _number(a) == _number(b), {2}),
    "num_neq": _Function(lambda a, b: _number(a) != _number(b), {2}),
    "num_lt": _Function(lambda a, b: _number(a) < _number(b), {2}),
    "num_lte": _Function(lambda a, b: _number(a) <= _number(b), {2}),
    "num_gt": _Function(lambda a, b: _number(a) > _number(b), {2}),
    "num_gte": _Function(lambda a, b: _number(a) >= _number(b), {2}),
    "not": _Function(lambda value: _text(value) != "true", {1}),
    "and": _Function(lambda *values: all(_text(value) == "true" for value in values), _MANY),
    "or": _Function(lambda *values: any(_text(value) == "true" for value in values), _MANY),
}


@dataclass(frozen=True)
class _Lazy:
    """A function that looks at its arguments itself: one without a value need not matter."""

    make: Callable[[list[Node]], Node]
    counts: Collection[int]


def _coalesce(nodes: list[Node]) -> Node:
    """The first that has a value which is not empty; a list is looked into."""

    def values(variables: Variables) -> Iterable[Value]:
        for node in nodes:
            try:
                value = node(variables)
            except NoValueError:
                continue
            yield from value if isinstance(value, list) else [value]

    def run(variables: Variables) -> Value:
        for value in values(variables):
            if _text(value):
                return value
        raise NoValueError("coalesce")

    return run


def _is_empty(nodes: list[Node]) -> Node:
    def run(variables: Variables) -> Value:
        try:
            return not _text(nodes[0](variables))
        except NoValueError:
            return True

    return run


def _iif(nodes: list[Node]) -> Node:
    condition, yes, no = nodes

    def run(variables: Variables) -> Value:
        try:
            holds = _text(condition(variables)) not in {"", "false"}
        except NoValueError:
            holds = False
        return (yes if holds else no)(variables)

    return run


_LAZY = {
    "coalesce": _Lazy(_coalesce, _MANY),
    "is_empty": _Lazy(_is_empty, {1}),
    "is_empty_val": _Lazy(_is_empty, {1}),
    "iif": _Lazy(_iif, {3}),
}
