"""Counts what is under way, so that what is replaced can end in peace."""

from __future__ import annotations

import asyncio
from types import TracebackType


class UnderWay:
    """``with`` it something is under way; :meth:`drained` waits for the end of all."""

    def __init__(self) -> None:
        self.count = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def __enter__(self) -> None:
        self.count += 1
        self._is_idle.clear()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.count -= 1
        if self.count == 0:
            self._is_idle.set()

    async def drained(self, longest_s: float) -> bool:
        """Wait until nothing is under way, so long at most; whether that came."""
        try:
            async with asyncio.timeout(longest_s):
                await self._is_idle.wait()
        except TimeoutError:
            return False
        return True
