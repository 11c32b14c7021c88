"""What a node publishes about itself below ``$SYS/brokers``.

Notices of single clients are made in the core, because they have to be in order with what the
clients do. All messages here have QoS 0.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rookery.clock import Clock
from rookery.ending import ended
from rookery.errors import UnavailableError
from rookery.native.node import Publication

PREFIX = "$SYS/brokers"
DESCRIPTION = "Rookery MQTT broker"

ReadFigures = Callable[[], Mapping[str, int]]


class SysTopics:
    """Makes the messages, and publishes them at two intervals until it is closed."""

    def __init__(
        self,
        publish: Callable[[Iterable[Publication]], None],
        clock: Clock,
        *,
        node_name: str,
        version: str,
        stats: ReadFigures,
        metrics: ReadFigures,
    ) -> None:
        self._publish = publish
        self._clock = clock
        self._node_name = node_name
        self._version = version
        self._stats = stats
        self._metrics = metrics
        self._started_at_s = clock.monotonic_s()
        self._tasks: list[asyncio.Task[None]] = []

    # -- messages --------------------------------------------------------------------------

    def heartbeat(self) -> list[Publication]:
        """How long the node has been up, in milliseconds, and what time it has."""
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).astimezone()
        return [
            self._own("uptime", str(self.uptime_ms)),
            self._own("datetime", now.isoformat(timespec="milliseconds")),
        ]

    def report(self) -> list[Publication]:
        """What the node is, how much of everything it has, and what it has counted."""
        figures = [("stats", self._stats()), ("metrics", self._metrics())]
        return [
            Publication(PREFIX, self._node_name.encode(), retain=True, sys=True),
            self._own("version", self._version, retain=True),
            self._own("sysdescr", DESCRIPTION, retain=True),
            *(
                self._own(f"{kind}/{name.replace('.', '/')}", str(value))
                for kind, values in figures
                for name, value in values.items()
            ),
        ]

    def tell(self, levels: str, payload: bytes) -> None:
        """Publish something else about this node, such as an alarm."""
        # What is told while a node stops, after its core, nobody gets any more.
        with contextlib.suppress(UnavailableError):
            self._publish([Publication(f"{PREFIX}/{self._node_name}/{levels}", payload, sys=True)])

    @property
    def uptime_ms(self) -> int:
        return round((self._clock.monotonic_s() - self._started_at_s) * 1000)

    def _own(self, levels: str, text: str, *, retain: bool = False) -> Publication:
        topic = f"{PREFIX}/{self._node_name}/{levels}"
        return Publication(topic, text.encode(), retain=retain, sys=True)

    # -- intervals -------------------------------------------------------------------------

    def open(self, *, msg_interval_s: int, heartbeat_interval_s: int) -> None:
        """Begin on the running loop; an interval of 0 is never."""
        if msg_interval_s:
            self._begin(self._repeat(self.report, msg_interval_s))
        if heartbeat_interval_s:
            self._begin(self._repeat(self.heartbeat, heartbeat_interval_s))

    async def close(self) -> None:
        """Publish nothing more."""
        await ended("$SYS topics", *self._tasks)
        self._tasks.clear()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def _repeat(self, make: Callable[[], list[Publication]], interval_s: int) -> None:
        while True:
            self._publish(make())
            await asyncio.sleep(interval_s)
