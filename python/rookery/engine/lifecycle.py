"""Objects with hooks that have something to open: started before the first hook, stopped after the
last.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable

from rookery.engine.hooks import NAMES

_log = logging.getLogger("rookery.hooks")


class HookLives:
    """``start`` and ``stop`` of the objects that a broker was given, where they have them."""

    def __init__(self, hooks: Iterable[object]) -> None:
        self._hooks: list[object] = []
        for hook in hooks:
            is_function = getattr(hook, "__name__", None) in NAMES
            if not is_function and not any(known is hook for known in self._hooks):
                self._hooks.append(hook)
        self._started: list[object] = []

    async def start(self) -> None:
        """Start them, in their order. What one raises is raised; those before it are stopped."""
        try:
            for hook in self._hooks:
                await _call(hook, "start")
                self._started.append(hook)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop those that were started, the last one first; what one raises is logged."""
        while self._started:
            hook = self._started.pop()
            try:
                await _call(hook, "stop")
            except Exception:  # noqa: BLE001  -- somebody else's code; it is logged
                _log.exception("%r failed to stop", hook)


async def _call(hook: object, name: str) -> None:
    method = getattr(hook, name, None)
    if callable(method):
        result = method()
        if inspect.isawaitable(result):
            await result
