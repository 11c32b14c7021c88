"""Tells those who follow the logs of a project what comes in, in this process.

Whoever reads slowly is told of the newest only, and how many were left out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Sequence

from rookery.control.logs.models import LogFilter, LogRecord

FOLLOWERS_MAX = 500
WAITING_MAX = 500


class Follower:
    """Somebody who follows; what is ``wanted`` may change."""

    def __init__(self, wanted: LogFilter) -> None:
        self.wanted = wanted
        self._waiting: deque[LogRecord] = deque(maxlen=WAITING_MAX)
        self._left_out = 0
        self._news = asyncio.Event()
        self.is_closed = False

    def put(self, record: LogRecord) -> None:
        if not self.wanted.takes(record):
            return
        if len(self._waiting) == WAITING_MAX:
            self._left_out += 1
        self._waiting.append(record)
        self._news.set()

    def close(self) -> None:
        """Nothing more will come."""
        self.is_closed = True
        self._news.set()

    async def next(self) -> tuple[list[LogRecord], int]:
        """Wait for records; how many were left out before them."""
        await self._news.wait()
        if not self.is_closed:
            self._news.clear()
        found, left_out = list(self._waiting), self._left_out
        self._waiting.clear()
        self._left_out = 0
        return found, left_out


class Followers:
    """Who follows what, by the cluster."""

    def __init__(self) -> None:
        self._followers: set[Follower] = set()
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Whether nobody else may follow."""
        return len(self._followers) >= FOLLOWERS_MAX

    @property
    def clusters(self) -> frozenset[str]:
        """Those that anybody follows."""
        return frozenset().union(*(follower.wanted.clusters for follower in self._followers))

    @contextlib.contextmanager
    def follow(self, wanted: LogFilter) -> Iterator[Follower]:
        """Be told inside the block."""
        follower = Follower(wanted)
        if self._is_closed:
            follower.close()
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)

    def tell(self, records: Sequence[LogRecord]) -> None:
        """These came in."""
        for follower in self._followers:
            for record in records:
                follower.put(record)

    def close(self) -> None:
        """Let go of everybody: the process ends."""
        self._is_closed = True
        for follower in self._followers:
            follower.close()
