"""Slow subscriptions: measured and kept by the core, switched and shown here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from rookery.broker.observing import Observing
from rookery.broker.settings import NodeSettings
from rookery.config import Config
from rookery.config.runtime import KeyPath
from rookery.native.models import SlowSubscription
from rookery.native.node import Node

ROOT = "slow_subs"


class SlowSubsService:
    """A part of the node that takes changes of ``slow_subs``."""

    def __init__(self, native: Node, observing: Observing, settings: NodeSettings) -> None:
        self._native = native
        self._observing = observing
        self._settings = settings

    async def open(self, config: Config) -> None:
        await self._observing.time(config.management.slow_subs)

    async def apply(self, old: Config, new: Config) -> None:
        if old.management.slow_subs != new.management.slow_subs:
            await self._observing.time(new.management.slow_subs)

    async def rows(self) -> list[SlowSubscription]:
        """The slowest, the slowest first."""
        return await asyncio.to_thread(self._native.slow_subs)

    async def clear(self) -> None:
        """Forget what was measured so far."""
        await asyncio.to_thread(lambda: self._native.slow_subs(forget=True))

    @property
    def settings(self) -> Mapping[str, Any]:
        """``slow_subs`` as it holds, durations in milliseconds."""
        values: Mapping[str, Any] = self._settings.config[ROOT]
        return values

    async def change(self, values: Mapping[str, Any]) -> None:
        """Change settings, and keep them for the next start.

        Raises:
            InvalidConfigError: a value is none.
            ConflictError: a stronger source sets it.
        """
        changes: dict[KeyPath, Any] = {(ROOT, name): value for name, value in values.items()}
        await self._settings.change("update", ROOT, changes, written_at=(ROOT,))
