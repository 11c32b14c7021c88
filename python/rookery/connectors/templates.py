"""Templates of rules taken apart, for those who must treat text and values differently.

The core fills templates in. A connector that has to quote, encode or bind what a client sent asks
for the placeholders as fields of their own and puts them together itself.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PIECE = re.compile(r"\$\$\{|\$\{([^}]*)\}")


class Piece(NamedTuple):
    """Plain text, or one placeholder as it is written: ``${payload.x}``."""

    text: str
    is_placeholder: bool


def pieces(template: str) -> list[Piece]:
    """A template as the core reads it: ``$${`` is the text ``${``."""
    found: list[Piece] = []
    plain: list[str] = []
    end = 0
    for match in _PIECE.finditer(template):
        plain.append(template[end : match.start()])
        end = match.end()
        if match[1] is None:
            plain.append("${")
            continue
        if text := "".join(plain):
            found.append(Piece(text, is_placeholder=False))
        plain.clear()
        found.append(Piece(match[0], is_placeholder=True))
    plain.append(template[end:])
    if text := "".join(plain):
        found.append(Piece(text, is_placeholder=False))
    return found


def has_placeholder(template: str) -> bool:
    return any(piece.is_placeholder for piece in pieces(template))


def plain_text(template: str) -> str:
    """The text of a template without placeholders."""
    return "".join(piece.text for piece in pieces(template))
