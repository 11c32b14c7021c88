"""What somebody looks for, as terms: words, and what is between quotation marks."""

from __future__ import annotations

import re

TERMS_MAX = 8
_TERM = re.compile(r'"([^"]*)"|(\S+)')
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+")


def terms_of(text: str) -> tuple[str, ...]:
    """All of which have to be in a record."""
    found = (quoted or word for quoted, word in _TERM.findall(text))
    return tuple(dict.fromkeys(term for term in found if term.strip()))[:TERMS_MAX]


def pairs_of(text: str) -> str:
    """Two characters each of what is written without spaces, with spaces between them.

    Words of Chinese have two characters as a rule, where an index of three finds nothing.
    """
    found: dict[str, None] = {}
    for run in _CJK.findall(text):
        for at in range(len(run)):
            found[run[at : at + 2]] = None
    return " ".join(found)


def is_pair(term: str) -> bool:
    """Whether that index can look for it."""
    return len(term) <= 2 and _CJK.fullmatch(term) is not None
