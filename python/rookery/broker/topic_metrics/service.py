"""Counts messages of single topics. The core counts; here are rates, resets and the settings.

Which topics are counted is the setting ``topic_metrics``. While there are none the core holds no
table and nothing runs here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rookery.broker.settings import NodeSettings
from rookery.clock import Clock
from rookery.config import Config
from rookery.ending import ended
from rookery.errors import BadRequestError, ConflictError, NotFoundError
from rookery.native.lists import TopicCounts

TOPICS_MAX = 512
SAMPLE_INTERVAL_S = 10.0
"""Rates are those of the last 10 to 20 seconds."""
_SECTION = ("topic_metrics",)


class BadTopicError(BadRequestError):
    """That is no topic name, or it is counted already."""

    code = "BAD_TOPIC"


class TooManyTopicsError(ConflictError):
    """More than the limit."""

    code = "EXCEED_LIMIT"


class TopicNotFoundError(NotFoundError):
    """That topic is not counted."""

    code = "TOPIC_NOT_FOUND"

    def __init__(self, topic: str) -> None:
        super().__init__(f"messages of {topic!r} are not counted")


class TopicCounting(Protocol):
    """The core's side; calls wait for its workers."""

    def count_topics(self, topics: Sequence[str]) -> None: ...
    def topic_counts(self) -> list[TopicCounts]: ...


class TopicMetric(NamedTuple):
    """What is known of a topic: since when, counters since the reset, and messages per second."""

    topic: str
    created_at_ms: int
    reset_at_ms: int | None
    counts: TopicCounts
    rates: Mapping[str, float]


@dataclass(slots=True)
class _Since:
    created_at_ms: int
    reset_at_ms: int | None = None
    base: TopicCounts | None = None


class _Sample(NamedTuple):
    at_s: float
    counts: dict[str, TopicCounts]


class TopicMetrics:
    """Owns which topics are counted. Is the part of the node that applies the setting."""

    def __init__(self, native: TopicCounting, settings: NodeSettings, clock: Clock) -> None:
        self._native = native
        self._settings = settings
        self._clock = clock
        self._since: dict[str, _Since] = {}
        self._samples: list[_Sample] = []
        self._task: asyncio.Task[None] | None = None
        # Of two changes at once one would be lost.
        self._changing = asyncio.Lock()

    async def open(self) -> None:
        """Count what the configuration names."""
        await self._use(_topics(self._settings.config))

    async def close(self) -> None:
        """Look at no counter any more."""
        if self._task is not None:
            await ended("metrics of topics", self._task)
            self._task = None

    # -- as a part of the node --------------------------------------------------------------

    async def apply(self, old: Config, new: Config) -> None:
        """Count the topics of ``new``; those that stay keep their counters."""
        if _topics(old) != _topics(new):
            await self._use(_topics(new))

    async def _use(self, topics: list[str]) -> None:
        if topics or self._since:
            await asyncio.to_thread(self._native.count_topics, topics)
        now_ms = self._clock.now_ms()
        self._since = {topic: self._since.get(topic) or _Since(now_ms) for topic in topics}
        kept = self._since
        # Counters of a topic that comes back begin at zero.
        self._samples = [
            sample._replace(counts={t: c for t, c in sample.counts.items() if t in kept})
            for sample in self._samples
        ]
        if topics and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._sample_always())
        elif not topics:
            await self.close()
            self._samples.clear()

    async def _sample_always(self) -> None:
        while True:
            counts = {item.topic: item for item in await asyncio.to_thread(self._counts)}
            self._samples = [*self._samples[-1:], _Sample(self._clock.monotonic_s(), counts)]
            await asyncio.sleep(SAMPLE_INTERVAL_S)

    def _counts(self) -> list[TopicCounts]:
        return self._native.topic_counts()

    # -- what is asked for ------------------------------------------------------------------

    async def all(self) -> list[TopicMetric]:
        """Every topic that is counted, in the order of their names."""
        now_s = self._clock.monotonic_s()
        counts = await asyncio.to_thread(self._counts)
        return [self._metric(item, now_s) for item in counts if item.topic in self._since]

    async def get(self, topic: str) -> TopicMetric:
        """One topic.

        Raises:
            TopicNotFoundError: it is not counted.
        """
        for metric in await self.all():
            if metric.topic == topic:
                return metric
        raise TopicNotFoundError(topic)

    async def create(self, topic: str) -> None:
        """Count messages of a topic from now on.

        Raises:
            BadTopicError: it is no topic name, or counted already.
            TooManyTopicsError: as many as may be are counted.
        """
        if not topic or any(char in topic for char in "+#\0"):
            raise BadTopicError(f"{topic!r} is no topic name; wildcards are not counted")
        async with self._changing:
            topics = _topics(self._settings.config)
            if topic in topics:
                raise BadTopicError(f"messages of {topic!r} are counted already")
            if len(topics) >= TOPICS_MAX:
                raise TooManyTopicsError(f"at most {TOPICS_MAX} topics are counted")
            await self._change("create", topic, [*topics, topic])

    async def delete(self, topic: str) -> None:
        """Count messages of a topic no more.

        Raises:
            TopicNotFoundError: it is not counted.
        """
        async with self._changing:
            topics = _topics(self._settings.config)
            if topic not in topics:
                raise TopicNotFoundError(topic)
            await self._change("delete", topic, [item for item in topics if item != topic])

    async def _change(self, operation: str, topic: str, topics: list[str]) -> None:
        value = [{"topic": item} for item in topics]
        await self._settings.change(operation, f"mqtt/topic_metrics/{topic}", {_SECTION: value})

    async def reset(self, topic: str | None) -> None:
        """Begin at zero again, for one topic or all.

        Raises:
            TopicNotFoundError: it is not counted.
        """
        if topic is not None and topic not in self._since:
            raise TopicNotFoundError(topic)
        now_ms = self._clock.now_ms()
        for item in await asyncio.to_thread(self._counts):
            since = self._since.get(item.topic)
            if since is not None and topic in (None, item.topic):
                since.base, since.reset_at_ms = item, now_ms

    def _metric(self, counts: TopicCounts, now_s: float) -> TopicMetric:
        since = self._since[counts.topic]
        base = since.base or TopicCounts(counts.topic, 0, 0, 0, 0, 0, 0, 0)
        return TopicMetric(
            counts.topic,
            since.created_at_ms,
            since.reset_at_ms,
            _less(counts, base),
            self._rates(counts, now_s),
        )

    def _rates(self, counts: TopicCounts, now_s: float) -> Mapping[str, float]:
        names = TopicCounts._fields[1:]
        sample = next((item for item in self._samples if counts.topic in item.counts), None)
        if sample is None or now_s <= sample.at_s:
            return dict.fromkeys(names, 0.0)
        passed = _less(counts, sample.counts[counts.topic])
        elapsed_s = now_s - sample.at_s
        return {name: round(getattr(passed, name) / elapsed_s, 2) for name in names}


def _topics(config: Config) -> list[str]:
    return [item["topic"] for item in config["topic_metrics"]]


def _less(counts: TopicCounts, base: TopicCounts) -> TopicCounts:
    rest = (now - then for now, then in zip(counts[1:], base[1:], strict=True))
    return TopicCounts(counts.topic, *rest)
