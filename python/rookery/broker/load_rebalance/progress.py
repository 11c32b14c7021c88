"""How far a node is with sending clients elsewhere, for whoever waits for the next step."""

from __future__ import annotations

import asyncio
import contextlib


class Progress:
    """Counts steps. Of one event loop."""

    def __init__(self) -> None:
        self.steps = 0
        self._next = asyncio.Event()

    def step(self) -> None:
        """Something is not as it was: tell all who wait."""
        self.steps += 1
        waiting, self._next = self._next, asyncio.Event()
        waiting.set()

    async def beyond(self, seen: int, within_s: float) -> int:
        """The number of steps, once it is another one than ``seen``, or after that time."""
        if self.steps == seen:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._next.wait()
        return self.steps
