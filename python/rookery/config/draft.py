"""A configuration on its way to be one: what could be read, with what is wrong so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from rookery.config.check import Checked
from rookery.config.problems import Problem
from rookery.config.tree import DEFAULT, Origin, split_path


class Draft:
    """What could be read, for those who know more about a part of it than the schema does.

    Attributes:
        data_dir: Where the node would keep its data.
        problems: What is wrong so far. What it is about is missing from the values, and what a list
            has behind such an item stands one place further up.
    """

    def __init__(self, checked: Checked, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.problems: Sequence[Problem] = tuple(checked.problems)
        self._checked = checked

    def __getitem__(self, path: str) -> Any:
        """The parsed value at ``path``; an empty object where nothing could be read."""
        value: Any = self._checked.values
        for key in split_path(path):
            value = value.get(key, {}) if isinstance(value, Mapping) else {}
        return value

    def origin(self, path: str) -> Origin:
        """Which source set the value at ``path``."""
        return self._checked.origins.get(tuple(split_path(path)), DEFAULT)

    def near(self, path: str) -> Origin:
        """The same for an entry of a list, which is written as its members are."""
        at = tuple(split_path(path))
        origins = self._checked.origins
        below = (it for there, it in origins.items() if there[: len(at)] == at)
        return next((it for it in below if it.kind != "default"), DEFAULT)

    def is_sound(self, root: str) -> bool:
        """Whether nothing is wrong so far at ``root`` and below."""
        return not any(split_path(found.path)[:1] == [root] for found in self.problems)


Look: TypeAlias = Callable[[Draft], Iterable[Problem]]
"""Finds more that is wrong."""
