"""From tokens to terms: atoms, text, integers, tuples and lists, each with its place.

Erlang tells strings from binaries; for rules they mean the same, so both are :class:`Text`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from rookery.access.acl_file.errors import Misplaced
from rookery.access.acl_file.tokens import A_TERM, Token, tokens_of
from rookery.access.errors import Words

DEPTH_MAX = 32
"""Nesting beyond this is no rule that a person wrote, and would be recursion without a bound."""

_A_DOT = Words("a . that ends the term", "结束该项的句点 .")
_LESS_NESTING = Words("at most 32 levels of nesting", "不超过 32 层嵌套")
_COMMA_OR = {
    "}": Words("a comma or }", "逗号或 }"),
    "]": Words("a comma or ]", "逗号或 ]"),
    ">>": Words("a comma or >>", "逗号或 >>"),
}
_A_SEGMENT = Words("text in double quotes or a byte", "双引号括起的文本或一个字节")
_UTF8 = Words("utf8", "utf8")
_UTF8_BYTES = Words("bytes that are UTF-8", "UTF-8 编码的字节")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a term begins."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Atom:
    """A bare or quoted word."""

    name: str
    place: Place

    def shown(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Text:
    """A string or a binary."""

    value: str
    place: Place

    def shown(self) -> str:
        return f'"{self.value}"'


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number."""

    value: int
    place: Place

    def shown(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Tuple:
    """``{…}``."""

    items: tuple[Term, ...]
    place: Place

    def shown(self) -> str:
        return "{" + ", ".join(item.shown() for item in self.items[:4]) + "}"


@dataclass(frozen=True, slots=True)
class List:
    """``[…]``."""

    items: tuple[Term, ...]
    place: Place

    def shown(self) -> str:
        return "[" + ", ".join(item.shown() for item in self.items[:4]) + "]"


Term: TypeAlias = Atom | Text | Integer | Tuple | List


class _Parser:
    def __init__(self, tokens: Iterator[Token]) -> None:
        self._tokens = tokens
        self.token = next(tokens)

    def advance(self) -> None:
        self.token = next(self._tokens)

    def misplaced(self, expected: Words) -> Misplaced:
        token = self.token
        return Misplaced(token.line, token.column, expected, token.shown())

    def is_at(self, punctuation: str) -> bool:
        return self.token.kind == "punctuation" and self.token.text == punctuation

    def take(self, punctuation: str) -> bool:
        if self.is_at(punctuation):
            self.advance()
            return True
        return False


def terms_of(text: str) -> Iterator[Term]:
    """Yield the terms of a file, each of which ends with a dot.

    Raises:
        Misplaced: the text is no sequence of terms.
    """
    parser = _Parser(tokens_of(text))
    while parser.token.kind != "end":
        yield _term(parser, 0)
        if parser.token.kind != "dot":
            raise parser.misplaced(_A_DOT)
        parser.advance()


def _term(parser: _Parser, depth: int) -> Term:
    token = parser.token
    place = Place(token.line, token.column)
    if depth > DEPTH_MAX:
        raise parser.misplaced(_LESS_NESTING)
    match token.kind:
        case "atom":
            parser.advance()
            return Atom(token.text, place)
        case "integer":
            parser.advance()
            return Integer(int(token.text), place)
        case "string":
            return Text(_strings(parser), place)
    if parser.take("{"):
        return Tuple(_items(parser, "}", depth), place)
    if parser.take("["):
        return List(_items(parser, "]", depth), place)
    if parser.take("<<"):
        return Text(_binary(parser, place), place)
    raise parser.misplaced(A_TERM)


def _strings(parser: _Parser) -> str:
    """Erlang joins strings that stand side by side."""
    parts = []
    while parser.token.kind == "string":
        parts.append(parser.token.text)
        parser.advance()
    return "".join(parts)


def _items(parser: _Parser, closing: str, depth: int) -> tuple[Term, ...]:
    items: list[Term] = []
    if parser.take(closing):
        return ()
    while True:
        items.append(_term(parser, depth + 1))
        if parser.take(closing):
            return tuple(items)
        if not parser.take(","):
            raise parser.misplaced(_COMMA_OR[closing])


def _binary(parser: _Parser, place: Place) -> str:
    content = bytearray()
    if parser.take(">>"):
        return ""
    while True:
        if parser.token.kind == "string":
            content += _strings(parser).encode("utf-8", "surrogatepass")
            _skip_utf8(parser)
        elif parser.token.kind == "integer" and 0 <= int(parser.token.text) <= 0xFF:
            content.append(int(parser.token.text))
            parser.advance()
        else:
            raise parser.misplaced(_A_SEGMENT)
        if parser.take(">>"):
            break
        if not parser.take(","):
            raise parser.misplaced(_COMMA_OR[">>"])
    try:
        return content.decode()
    except UnicodeDecodeError:
        shown = Words("<<…>>", "<<…>>")
        raise Misplaced(place.line, place.column, _UTF8_BYTES, shown) from None


def _skip_utf8(parser: _Parser) -> None:
    if not parser.take("/"):
        return
    if parser.token.kind != "atom" or parser.token.text != "utf8":
        raise parser.misplaced(_UTF8)
    parser.advance()
