"""Tells those who look at a project, in every control process, which of its clusters changed.

Whoever is slow finds each cluster once, however often it changed meanwhile: what waits is a set.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

WATCHERS_MAX = 2000


class Watcher:
    """Somebody who looks at one project."""

    def __init__(self) -> None:
        self._changed: set[str] = set()
        self._news = asyncio.Event()
        self.is_closed = False

    def put(self, cluster_id: str) -> None:
        self._changed.add(cluster_id)
        self._news.set()

    def close(self) -> None:
        """Nothing more will come."""
        self.is_closed = True
        self._news.set()

    async def next(self) -> frozenset[str]:
        """Wait for changes; those of which nobody was told yet. Empty after :meth:`close`."""
        await self._news.wait()
        if not self.is_closed:
            self._news.clear()
        changed, self._changed = frozenset(self._changed), set()
        return changed


class Changes:
    """Who looks at what, in this process."""

    def __init__(self, elsewhere: Callable[[str], None] | None = None) -> None:
        """``elsewhere`` tells the other processes; they call :meth:`heard` with the same text."""
        self._elsewhere = elsewhere
        self._watchers: dict[str, set[Watcher]] = {}
        self._is_closed = False

    @contextlib.contextmanager
    def watch(self, project_id: str) -> Iterator[Watcher]:
        """Be told of changes inside the block."""
        watcher = Watcher()
        if self._is_closed:
            watcher.close()
        watchers = self._watchers.setdefault(project_id, set())
        watchers.add(watcher)
        try:
            yield watcher
        finally:
            watchers.discard(watcher)
            if not watchers:
                self._watchers.pop(project_id, None)

    @property
    def is_full(self) -> bool:
        """Whether nobody else may look."""
        return sum(len(items) for items in self._watchers.values()) >= WATCHERS_MAX

    def tell(self, project_id: str, cluster_id: str) -> None:
        """A cluster of the project changed, came or went."""
        self._put(project_id, cluster_id)
        if self._elsewhere is not None:
            self._elsewhere(f"{project_id} {cluster_id}")

    def heard(self, item: str) -> None:
        """Another process told so."""
        project_id, _, cluster_id = item.partition(" ")
        self._put(project_id, cluster_id)

    def _put(self, project_id: str, cluster_id: str) -> None:
        for watcher in self._watchers.get(project_id, ()):
            watcher.put(cluster_id)

    def close(self) -> None:
        """Let go of everybody: the process ends."""
        self._is_closed = True
        self.let_go()

    def let_go(self) -> None:
        """Let go of everybody, for them to come back and look at the whole."""
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.close()
