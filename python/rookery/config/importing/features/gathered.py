"""A line that waits for others of its feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rookery.config.importing import conversions as to
from rookery.config.importing.model import Setting


class Gathered(NamedTuple):
    """A setting and what the ``$names`` of its row stand for."""

    setting: Setting
    names: Mapping[str, str]


class Lines:
    """The lines of a feature by what follows a prefix; remembers which were used."""

    def __init__(self, gathered: Sequence[Gathered], prefix: str) -> None:
        self._by_name = {item.setting.key.removeprefix(prefix): item.setting for item in gathered}
        self.used: list[Setting] = []

    def get(self, *names: str) -> Setting | None:
        """The first line of these names that is there; it counts as used."""
        for name in names:
            setting = self._by_name.get(name)
            if setting is not None:
                if setting not in self.used:
                    self.used.append(setting)
                return setting
        return None

    def text(self, *names: str) -> str:
        setting = self.get(*names)
        return "" if setting is None else setting.value

    def is_on(self, *names: str) -> bool:
        setting = self.get(*names)
        return setting is not None and to.flag(setting)

    def below(self, prefix: str) -> dict[str, Setting]:
        """Lines whose name begins with ``prefix``, by the rest; they count as used."""
        found = {
            name.removeprefix(prefix): setting
            for name, setting in self._by_name.items()
            if name.startswith(prefix)
        }
        self.used.extend(setting for setting in found.values() if setting not in self.used)
        return found

    def rest(self) -> list[Setting]:
        """Lines nobody asked for."""
        return [setting for setting in self._by_name.values() if setting not in self.used]

    def __bool__(self) -> bool:
        return bool(self._by_name)
