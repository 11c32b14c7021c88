"""Where functions begin and end, in Python and in Rust.

The Rust side is a scanner, not a parser: it knows comments, strings, characters and
lifetimes, which is what it takes to pair braces.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator

RUST_TOKEN = re.compile(
    r"""
      (?P<line_comment>//[^\n]*)
    | (?P<block_comment>/\*.*?\*/)
    | (?P<raw_string>b?c?r(?P<hashes>\#*)".*?"(?P=hashes))
    | (?P<string>[bc]?"(?:\\.|[^"\\])*")
    | (?P<char>b?'(?:\\(?:u\{[^}]*\}|x[0-9a-fA-F]{2}|.)|[^'\\\n])')
    | (?P<lifetime>'\w+)
    | (?P<fn>\bfn\s+(?P<name>\w+))
    | (?P<mark>[{};])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclasses.dataclass(frozen=True)
class Function:
    """A function with a body; lines count from 1 and ``last`` is part of it."""

    name: str
    first: int
    last: int

    @property
    def line_count(self) -> int:
        return self.last - self.first + 1


def python_functions(source: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(node.name, node.lineno, node.end_lineno or node.lineno)


def rust_functions(source: str) -> Iterator[Function]:
    depth = 0
    waiting: tuple[str, int] | None = None
    opened: list[tuple[int, str, int]] = []
    for token in RUST_TOKEN.finditer(source):
        if token["fn"]:
            waiting = (token["name"], token.start())
        elif token["mark"] == "{":
            if waiting is not None:
                opened.append((depth, *waiting))
                waiting = None
            depth += 1
        elif token["mark"] == "}":
            depth -= 1
            if opened and opened[-1][0] == depth:
                _, name, start = opened.pop()
                yield Function(name, _line(source, start), _line(source, token.start()))
        elif token["mark"] == ";" and "[" not in source[_start(waiting, token) : token.start()]:
            waiting = None  # a declaration in a trait


def _start(waiting: tuple[str, int] | None, token: re.Match[str]) -> int:
    return waiting[1] if waiting is not None else token.start()


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1
