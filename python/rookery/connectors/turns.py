"""Sends that go side by side, and some that go alone.

One item may end the connection that others share, or have the batch refused that others are in: what
failed in company is sent alone next, so that only what fails alone is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence

from rookery.native.action_fields import ActionItem

ALONE_MAX = 2
"""An item that failed so often when it was sent alone is given up; before, it failed in company."""


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
    """Items that failed in company, until they are settled."""

    def __init__(self) -> None:
        self._times: Counter[int] = Counter()
        self._alone: Counter[int] = Counter()

    def times(self, items: Sequence[ActionItem]) -> int:
        """How often one of them failed so."""
        return max(self._times[item.number] for item in items) if self._times else 0

    def failed(self, number: int, is_alone: bool) -> bool:
        """This one failed; whether that was once too often."""
        self._times[number] += 1
        self._alone[number] += is_alone
        return self._alone[number] >= ALONE_MAX

    def forget(self, numbers: Iterable[int]) -> None:
        for number in numbers if self._times else ():
            self._times.pop(number, None)
            self._alone.pop(number, None)
