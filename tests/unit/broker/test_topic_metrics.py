"""Rates, resets and bounds of topic metrics; the core and the settings are stood in for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from rookery.broker.settings import NodeSettings
from rookery.broker.topic_metrics.service import (
    TOPICS_MAX,
    BadTopicError,
    TooManyTopicsError,
    TopicMetrics,
    TopicNotFoundError,
)
from rookery.clock import Clock
from rookery.config import Config
from rookery.native.lists import TopicCounts


class Hours:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.s = 1000.0

    def now_ms(self) -> int:
        return int(self.s * 1000)

    def monotonic_s(self) -> float:
        return self.s


class Core:
    """Counts what the test says."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def count_topics(self, topics: Sequence[str]) -> None:
        self.counts = {topic: self.counts.get(topic, 0) for topic in topics}

    def topic_counts(self) -> list[TopicCounts]:
        return [TopicCounts(topic, n, 0, 0, 0, 0, 0, 0) for topic, n in self.counts.items()]


class Settings:
    """Applies a change at once."""

    def __init__(self) -> None:
        self.config: Mapping[str, Any] = {"topic_metrics": []}
        self.metrics: TopicMetrics

    async def change(self, _operation: str, _target: str, changes: Mapping[Any, Any]) -> None:
        old, self.config = self.config, {"topic_metrics": changes["topic_metrics",]}
        await self.metrics.apply(cast("Config", old), cast("Config", self.config))


def made() -> tuple[TopicMetrics, Core, Hours]:
    core, clock, settings = Core(), Hours(), Settings()
    metrics = TopicMetrics(core, cast("NodeSettings", settings), cast("Clock", clock))
    settings.metrics = metrics
    return metrics, core, clock


def test_a_rate_is_what_came_since_the_last_look() -> None:
    async def run() -> None:
        metrics, core, clock = made()
        await metrics.create("t")
        while not metrics._samples:
            await asyncio.sleep(0)
        core.counts["t"] = 30
        clock.s += 15
        metric = await metrics.get("t")
        assert (metric.counts.received_qos0, metric.rates["received_qos0"]) == (30, 2.0)
        await metrics.close()

    asyncio.run(run())


def test_a_reset_begins_at_zero_and_says_when() -> None:
    async def run() -> None:
        metrics, core, clock = made()
        for topic in ("a", "b"):
            await metrics.create(topic)
            core.counts[topic] = 7
        await metrics.reset("a")
        core.counts["a"] = 9
        a, b = await metrics.all()
        assert (a.counts.received_qos0, a.reset_at_ms) == (2, clock.now_ms())
        assert (b.counts.received_qos0, b.reset_at_ms) == (7, None)
        with pytest.raises(TopicNotFoundError):
            await metrics.reset("c")
        await metrics.close()

    asyncio.run(run())


def test_topics_are_bounded_and_plain() -> None:
    async def run() -> None:
        metrics, _, _ = made()
        for wrong in ("", "a/+", "#"):
            with pytest.raises(BadTopicError):
                await metrics.create(wrong)
        for number in range(TOPICS_MAX):
            await metrics.create(f"t/{number}")
        with pytest.raises(TooManyTopicsError):
            await metrics.create("one more")
        await metrics.delete("t/0")
        await metrics.create("one more")
        with pytest.raises(TopicNotFoundError):
            await metrics.get("t/0")
        await metrics.close()

    asyncio.run(run())
