"""What the core looks at closer, put together: traces, slow subscriptions and spans share one order."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from rookery.native.config import ObserveConfig, SlowSubsConfig, SpanConfig, TraceConfig
from rookery.native.node import Node


class Observing:
    """Hands the order down whenever one of the three changes its part."""

    def __init__(self, native: Node) -> None:
        self._native = native
        self._order = ObserveConfig()
        # Of two orders on their way the older one could arrive last.
        self._changing = asyncio.Lock()

    async def trace(self, traces: tuple[TraceConfig, ...]) -> None:
        """Let these traces run and no others.

        Raises:
            ConfigError: a topic filter or an address is none; what was holds.
        """
        async with self._changing:
            await self._give(replace(self._order, traces=traces))

    async def time(self, slow_subs: SlowSubsConfig | None) -> None:
        """Measure slow subscriptions, or do not."""
        async with self._changing:
            await self._give(replace(self._order, slow_subs=slow_subs))

    async def span(self, spans: SpanConfig | None) -> None:
        """Make spans of messages, or do not."""
        async with self._changing:
            await self._give(replace(self._order, spans=spans))

    async def _give(self, order: ObserveConfig) -> None:
        if order != self._order:
            await asyncio.to_thread(self._native.set_observe, order)
            self._order = order
