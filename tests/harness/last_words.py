"""What the processes of a test said last, for the report of one that failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary

LINES_MAX = 40


class Speaker(Protocol):
    """A process that this one started."""

    @property
    def log(self) -> list[str]: ...

    @property
    def data_dir(self) -> Path: ...


_known: WeakKeyDictionary[Speaker, int] = WeakKeyDictionary()
"""How many lines each had said when the test began."""


def listen(speaker: Speaker) -> None:
    """It was started."""
    _known[speaker] = -1


def begin() -> None:
    """A test begins: who says nothing from now on has nothing to do with it."""
    for speaker in list(_known):
        _known[speaker] = len(speaker.log)


def last_words() -> Iterator[tuple[str, str]]:
    """A head and the last lines of each process that was started or spoke in this test."""
    for speaker, before in list(_known.items()):
        if len(speaker.log) > before:
            yield f"last words of {speaker.data_dir}", "\n".join(speaker.log[-LINES_MAX:])
