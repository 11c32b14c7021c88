"""One text in both languages, for whatever people read that a node writes.

Who reads it says which language; without a word from them it is English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Words(NamedTuple):
    """The same text in both languages."""

    en: str
    zh: str

    def format(self, **values: object) -> Words:
        """Put values in; one that is in both languages itself goes into each as it is there."""
        zh = {
            name: value.zh if isinstance(value, Words) else value for name, value in values.items()
        }
        en = {
            name: value.en if isinstance(value, Words) else value for name, value in values.items()
        }
        return Words(self.en.format(**en), self.zh.format(**zh))

    def text(self, language: str = "en") -> str:
        return self.zh if language == "zh" else self.en


class Phrases:
    """Texts that somebody says in English alone, in Chinese: found by their form."""

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        """Of the forms the first that fits a whole text counts. Its Chinese may have its groups, and
        ``{inner}`` for what the group of that name says, which is such a text itself.
        """
        self._rows = tuple((re.compile(english, re.DOTALL), chinese) for english, chinese in rows)

    def chinese(self, text: str) -> str | None:
        """The same in Chinese; none where there are no words for it."""
        for pattern, chinese in self._rows:
            if (found := pattern.fullmatch(text)) is not None:
                said, inner = found.expand(chinese), found.groupdict().get("inner")
                return said if not inner else said.replace("{inner}", self.chinese(inner) or inner)
        return None
