"""Templates of rules taken apart, for those who must treat text and values differently.

The core fills templates in. A connector that has to quote, encode or bind what a client sent asks
for the placeholders as fields of their own and puts them together itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from rookery.errors import RookeryError
from rookery.words import Words

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


def place_of(text: str, written: Any, at: tuple[str, ...] = ()) -> tuple[str, ...] | None:
    """Where in settings ``text`` stands."""
    if isinstance(written, str):
        return at if text in written else None
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(written, Mapping):
        items = written.items()
    elif isinstance(written, list):
        items = enumerate(written)
    found = (place_of(text, item, (*at, str(key))) for key, item in items)
    return next((place for place in found if place is not None), None)


def fault(template: str, render: Callable[[str, str], str]) -> Words | None:
    """Why a text is no template, as the core (``render``) says; it names the place in it."""
    try:
        render(template, "{}")
    except RookeryError as error:
        # The core repeats the whole template in front.
        _, is_there, place = error.message.rpartition('": placeholder ')
        return Words(f"placeholder {place}" if is_there else error.message, error.text("zh"))
    return None
