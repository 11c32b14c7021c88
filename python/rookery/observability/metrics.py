"""Where every counter and gauge of a process can be read, by name.

Each part keeps its own figures and registers how to read them; nothing is pushed here, so a part
that nobody asks costs nothing. Names are EMQX's, dotted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from rookery.errors import ConflictError

Read: TypeAlias = Callable[[], Mapping[str, int]]

_COUNT = ".count"
_MAX = ".max"


class MetricRegistry:
    """Counters: they rise from the start of the process and never fall."""

    def __init__(self) -> None:
        self._sources: dict[str, Read] = {}

    def register(self, source: str, read: Read) -> None:
        """Add a source of counters.

        Raises:
            ConflictError: a source of that name is registered.
        """
        if source in self._sources:
            raise ConflictError(f"metrics of {source!r} are registered already")
        self._sources[source] = read

    def read(self) -> dict[str, int]:
        """Every counter at this moment; a name that several sources use is summed."""
        total: dict[str, int] = {}
        for read in self._sources.values():
            for name, value in read().items():
                total[name] = total.get(name, 0) + value
        return total


class StatsRegistry(MetricRegistry):
    """Gauges. For each ``X.count`` there is ``X.max``: the highest value that was ever read."""

    def __init__(self) -> None:
        super().__init__()
        self._highest: dict[str, int] = {}

    def read(self) -> dict[str, int]:
        """Every gauge at this moment, and the highest so far."""
        stats = super().read()
        for name, value in list(stats.items()):
            if name.endswith(_COUNT):
                top = name.removesuffix(_COUNT) + _MAX
                self._highest[top] = max(value, self._highest.get(top, 0))
        return stats | self._highest
