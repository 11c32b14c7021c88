"""Sends that go side by side, and some that go alone.

Who uses a connection shares its end: what was under way then is sent alone next, so that only what
ends it is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence

from rookery.native.action_fields import ActionItem

ALONE_MAX = 2
"""So often in a row an item, sent alone, may end the connection; once more it was under way before."""


class Turns:
    """Who wants to be alone waits for those that are under way; who comes later waits for him."""

    def __init__(self) -> None:
        self._door = asyncio.Lock()
        self._together = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self.is_alone = False
        """Whether what is sent now is sent alone."""

    @contextlib.asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        async with self._door:
            self._together += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._together -= 1
            if not self._together:
                self._empty.set()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self._door:
            await self._empty.wait()
            self.is_alone = True
            try:
                yield
            finally:
                self.is_alone = False


class Suspects:
    """Items that were under way when the service ended a connection, until they are settled."""

    def __init__(self) -> None:
        self._ends: Counter[int] = Counter()
        self._alone: Counter[int] = Counter()

    def ends(self, items: Sequence[ActionItem]) -> int:
        """How often it ended under one of them."""
        return max(self._ends[item.number] for item in items) if self._ends else 0

    def ended(self, number: int, is_alone: bool) -> bool:
        """It ended under this one; whether that was once too often."""
        self._ends[number] += 1
        self._alone[number] += is_alone
        return self._alone[number] >= ALONE_MAX

    def forget(self, numbers: Iterable[int]) -> None:
        for number in numbers if self._ends else ():
            self._ends.pop(number, None)
            self._alone.pop(number, None)
