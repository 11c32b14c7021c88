"""Slow hashes on threads of their own: never on the event loop, never more than so many waiting.

The libraries let go of the interpreter while they compute, so that as many hashes run at once as
there are threads. The threads have the lowest priority that there is: who guesses passwords gets what
those who are connected leave over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from rookery.access.guard import BusyError

_P = ParamSpec("_P")
_T = TypeVar("_T")

WAITING_MAX = 128
"""With 15 ms for a hash and two threads the last of them waits for one second."""

NICENESS = 19
"""A fiftieth of the processor time of a thread that wants as much; all of it where nobody does."""


class HashPool:
    """Bounded work on threads. Who finds it full is told so at once.

    Args:
        threads: 0 means one for every processor that this process may use.
        waiting_max: How many may wait beside those that run.
    """

    def __init__(self, threads: int = 0, waiting_max: int = WAITING_MAX) -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        self.places = self.threads + waiting_max
        self.refused = 0
        self._executor = ThreadPoolExecutor(
            self.threads, "rookery-hash", initializer=_give_way_to_others
        )
        self._lock = threading.Lock()
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """How many run or wait."""
        return self._under_way

    async def run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call ``function`` on a thread.

        Raises:
            BusyError: the pool is full.
        """
        with self._lock:
            if self._under_way >= self.places:
                self.refused += 1
                raise BusyError
            self._under_way += 1
        try:
            future = self._executor.submit(function, *args, **kwargs)
        except BaseException:
            self._leave()
            raise
        # Given up by the caller it still holds its place until the thread is done with it.
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _future: Future[_T] | None = None) -> None:
        with self._lock:
            self._under_way -= 1

    def close(self) -> None:
        """End the threads; what waits is given up. May be called twice."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _give_way_to_others() -> None:
    """Of this thread alone: on Linux a nice value belongs to a thread (sched(7))."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
