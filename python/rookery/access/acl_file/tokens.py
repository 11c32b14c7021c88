"""From the text of an ``acl.conf`` to tokens: the part of Erlang's term syntax that such files use.

Comments, atoms (bare and quoted), strings and binaries with Erlang's escapes, integers, characters
(``$a``) and punctuation. Variables, maps, floats and references are no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from rookery.access.acl_file.errors import Misplaced, quoted
from rookery.access.errors import Words

TokenKind: TypeAlias = Literal["atom", "string", "integer", "punctuation", "dot", "end"]

TEXT_BYTES_MAX = 4 << 20
"""A file beyond this is not a file of rules."""

ATOM_LENGTH_MAX = 255  # Erlang's own bound
INTEGER_DIGITS_MAX = 40

_SPACE = re.compile(r"(?:[\s\x00]+|%[^\n]*)+")
_ATOM = re.compile(r"[a-zß-öø-ÿ][A-Za-z0-9_@À-ÖØ-öø-ÿ]*")
_INTEGER = re.compile(r"-?[0-9](?:_?[0-9])*")
_PUNCTUATION = re.compile(r"<<|>>|[{}\[\],/:]")
_PLAIN = {
    '"': re.compile(r'[^"\\]+'),
    "'": re.compile(r"[^'\\]+"),
}
_OCTAL = re.compile(r"[0-7]{1,3}")
_HEX = re.compile(r"x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})")
_ESCAPES = {
    "b": "\b",
    "d": "\x7f",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "s": " ",
    "t": "\t",
    "v": "\v",
}

A_TERM = Words("a term such as {allow, all}", "一个项，例如 {allow, all}")
END_OF_FILE = Words("the end of the file", "文件末尾")
_CLOSING = {
    '"': Words('the closing " of this string', '此字符串的结束引号 "'),
    "'": Words("the closing ' of this atom", "此原子的结束引号 '"),
}
_AN_ESCAPE = Words(
    'an escape: \\n \\t \\" \\\\ \\x{263a} or the like', '转义序列，例如 \\n \\t \\" \\\\ \\x{263a}'
)
_SHORTER_ATOM = Words("an atom of at most 255 characters", "不超过 255 个字符的原子")
_SMALLER_NUMBER = Words("a smaller number", "更小的数字")
_A_WHOLE_NUMBER = Words("a whole number", "整数")
_QUOTED_TEXT = Words(
    "text in double quotes (a word with a capital letter is a variable in Erlang)",
    "双引号括起的文本（大写字母开头的词在 Erlang 中是变量）",
)
_SMALLER_FILE = Words("a file of at most 4 MiB", "不超过 4 MiB 的文件")
_MORE = Words("more text", "更多内容")


class Token(NamedTuple):
    """One word of the file; ``text`` is its value, ``line`` and ``column`` count from 1."""

    kind: TokenKind
    text: str
    line: int
    column: int

    def shown(self) -> Words:
        """How the token is named in an error."""
        if self.kind == "end":
            return END_OF_FILE
        if self.kind == "string":
            return quoted(f'"{self.text}"')
        return quoted("." if self.kind == "dot" else self.text)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.line = 1
        self._line_start = 0

    @property
    def column(self) -> int:
        return self.position - self._line_start + 1

    def advance_to(self, position: int) -> None:
        newlines = self.text.count("\n", self.position, position)
        if newlines:
            self.line += newlines
            self._line_start = self.text.rindex("\n", self.position, position) + 1
        self.position = position

    def misplaced(self, expected: Words, found: str) -> Misplaced:
        return Misplaced(self.line, self.column, expected, quoted(found) if found else END_OF_FILE)


def tokens_of(text: str) -> Iterator[Token]:
    """Yield the tokens of a file, the last is ``end``.

    Raises:
        Misplaced: something is no token.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > TEXT_BYTES_MAX:
        raise Misplaced(1, 1, _SMALLER_FILE, _MORE)
    scanner = _Scanner(text)
    while True:
        space = _SPACE.match(text, scanner.position)
        if space:
            scanner.advance_to(space.end())
        if scanner.position == len(text):
            yield Token("end", "", scanner.line, scanner.column)
            return
        yield _next(scanner)


def _next(scanner: _Scanner) -> Token:
    text, start = scanner.text, scanner.position
    line, column = scanner.line, scanner.column
    first = text[start]
    if first in "\"'":
        value = _quoted(scanner, first)
        return Token("string" if first == '"' else "atom", value, line, column)
    if first == "$":
        return Token("integer", str(ord(_character(scanner))), line, column)
    if match := _PUNCTUATION.match(text, start):
        scanner.advance_to(match.end())
        return Token("punctuation", match[0], line, column)
    if match := _ATOM.match(text, start):
        if len(match[0]) > ATOM_LENGTH_MAX:
            raise scanner.misplaced(_SHORTER_ATOM, match[0])
        scanner.advance_to(match.end())
        return Token("atom", match[0], line, column)
    if match := _INTEGER.match(text, start):
        return _integer(scanner, match)
    if first == ".":
        scanner.advance_to(start + 1)
        return Token("dot", ".", line, column)
    if first.isalpha() or first == "_":
        word = re.match(r"\w+", text[start : start + ATOM_LENGTH_MAX])
        raise scanner.misplaced(_QUOTED_TEXT, word[0] if word else first)
    raise scanner.misplaced(A_TERM, first)


def _integer(scanner: _Scanner, match: re.Match[str]) -> Token:
    line, column = scanner.line, scanner.column
    following = scanner.text[match.end() : match.end() + 2]
    if following[:1] == "#" or (following[:1] == "." and following[1:].isdigit()):
        raise scanner.misplaced(_A_WHOLE_NUMBER, match[0] + following)
    digits = match[0].replace("_", "")
    if len(digits) > INTEGER_DIGITS_MAX:
        raise scanner.misplaced(_SMALLER_NUMBER, match[0])
    scanner.advance_to(match.end())
    return Token("integer", digits, line, column)


def _character(scanner: _Scanner) -> str:
    scanner.advance_to(scanner.position + 1)
    if scanner.position == len(scanner.text):
        raise scanner.misplaced(A_TERM, "")
    character = scanner.text[scanner.position]
    if character == "\\":
        return _escape(scanner)
    scanner.advance_to(scanner.position + 1)
    return character


def _quoted(scanner: _Scanner, quote: str) -> str:
    text = scanner.text
    opening = (scanner.line, scanner.column)
    scanner.advance_to(scanner.position + 1)
    parts: list[str] = []
    while True:
        if match := _PLAIN[quote].match(text, scanner.position):
            parts.append(match[0])
            scanner.advance_to(match.end())
        if scanner.position == len(text):
            # Where it was opened helps, the end of the file does not.
            raise Misplaced(*opening, _CLOSING[quote], END_OF_FILE)
        if text[scanner.position] == quote:
            scanner.advance_to(scanner.position + 1)
            return "".join(parts)
        parts.append(_escape(scanner))


def _escape(scanner: _Scanner) -> str:
    """Read one escape sequence; the scanner stands on its backslash."""
    text, start = scanner.text, scanner.position + 1
    if start == len(text):
        raise scanner.misplaced(_AN_ESCAPE, "\\")
    letter = text[start]
    if match := _OCTAL.match(text, start):
        scanner.advance_to(match.end())
        return chr(int(match[0], 8))
    if letter == "x":
        return _hexadecimal(scanner, start)
    if letter == "^":
        control = text[start + 1 : start + 2].upper()
        if not "@" <= control <= "_":
            raise scanner.misplaced(_AN_ESCAPE, text[start - 1 : start + 2])
        scanner.advance_to(start + 2)
        return chr(ord(control) - 64)
    scanner.advance_to(start + 1)
    return _ESCAPES.get(letter, letter)


def _hexadecimal(scanner: _Scanner, start: int) -> str:
    match = _HEX.match(scanner.text, start)
    number = int(match[1] or match[2], 16) if match else -1
    if match is None or number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise scanner.misplaced(_AN_ESCAPE, scanner.text[start - 1 : start + 9])
    scanner.advance_to(match.end())
    return chr(number)
