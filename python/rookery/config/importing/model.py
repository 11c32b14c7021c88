"""The words of an import: lines of old files, rows of the mapping tables, what became of a line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from rookery.config.secrets import HIDDEN, looks_secret, url_without_secrets

# What stands behind a key that ends so is never shown, beside what looks secret anywhere.
_SECRET = re.compile(r"(^|_)(pass|passcode)$")


class Words(NamedTuple):
    """One sentence in both languages."""

    en: str
    zh: str

    def text(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class Outcome(Enum):
    """What became of a line."""

    TAKEN = "taken"
    CHANGED = "changed"
    NOT_NEEDED = "not_needed"
    """Tunes something that Rookery does not have; nothing is lost without it."""
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Setting:
    """One ``key = value`` of an old file."""

    file: Path
    line: int
    key: str
    value: str

    @property
    def is_secret(self) -> bool:
        """Whether the value must not be shown."""
        name = self.key.rpartition(".")[2].lower()
        is_secret = looks_secret(name) or _SECRET.search(name) is not None
        return is_secret and not name.endswith("_hash")

    @property
    def shown(self) -> str:
        """The value, as far as it may be shown."""
        return HIDDEN if self.is_secret else url_without_secrets(self.value)


@dataclass(slots=True)
class Entry:
    """What became of one setting."""

    setting: Setting
    outcome: Outcome
    paths: list[tuple[str, ...]] = field(default_factory=list)
    """Where in the result it stands."""
    value: Any = None
    """As it stands there."""
    notes: list[Words] = field(default_factory=list)


class Changed(NamedTuple):
    """A converted value that means something else than before, or is not the same."""

    value: Any
    note: Words


class UnsupportedError(Exception):
    """A value that has no counterpart; ``words`` says why."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


Convert: TypeAlias = Callable[[Setting], Any]
"""The value for the new file, or :class:`Changed`; ``ValueError`` when it makes no sense,
:class:`UnsupportedError` when there is no counterpart."""


class Row(NamedTuple):
    """What becomes of one old key.

    A ``$name`` stands for one part of a key and may be used again in ``new``; a last part ``*``
    stands for everything that follows.
    """

    old: str
    new: str = ""
    """Path in the new file; empty: not written."""
    convert: Convert | None = None
    """None takes the text as it stands."""
    note: Words | None = None
    """With ``new`` the line counts as changed, without it says why it is left out."""
    outcome: Outcome = Outcome.UNSUPPORTED
    """Of a row without ``new``."""
    feature: str = ""
    """Several keys become something together: who puts them together."""


DENIES = Words(
    "a source of authorization is not available: what the others do not decide is denied",
    "有授权数据源不可用：其余数据源未决定的请求一律拒绝",
)


NOBODY_LEFT = Words(
    "no provider of authentication could be taken over: only clients on this machine get in",
    "没有可迁移的认证器：仅本机客户端可接入",
)


class Remark(NamedTuple):
    """Something to know that belongs to no line."""

    words: Words
