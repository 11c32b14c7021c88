"""One text in both languages, for whatever people read that a node writes.

Who reads it says which language; without a word from them it is English.
"""

from __future__ import annotations

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
