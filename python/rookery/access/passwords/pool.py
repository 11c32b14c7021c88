"""Slow hashes on threads of their own: never on the event loop, never more than so many waiting.

The libraries let go of the interpreter while they compute, so that as many hashes run at once as
there are threads. They are nicer than the rest of the process, by a little: who guesses passwords
takes a third of what somebody who is connected takes. Not by more, for a thread needs the interpreter
before and after a hash, and whoever holds that and gets no processor holds up the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from rookery.access.guard import BusyError

_P = ParamSpec("_P")
_T = TypeVar("_T")

WAITING_MAX = 128
WAIT_S = 2.0
"""Nobody waits whose turn would come later than this, on a machine as busy as it is: a client that
gave up in the meantime costs a hash that serves nobody."""

NICENESS = 5
"""On top of the nice value of the process."""

HASH_S = 0.02
"""What a hash is taken to last before there was one."""
_SHARE_OF_LAST = 0.2


class HashPool:
    """Bounded work on threads. Who finds it full is told so at once.

    Args:
        threads: 0 means one for every processor that this process may use.
        waiting_max: How many may wait beside those that run, however fast that is.
    """

    def __init__(self, threads: int = 0, waiting_max: int = WAITING_MAX) -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        self._waiting_max = waiting_max
        self._hash_s = HASH_S
        self.refused = 0
        self._executor = ThreadPoolExecutor(
            self.threads, "rookery-hash", initializer=_give_way_to_others
        )
        self._lock = threading.Lock()
        self._under_way = 0

    @property
    def places(self) -> int:
        """How many may run and wait, as fast as they are at present."""
        in_time = int(self.threads * WAIT_S / self._hash_s)
        return self.threads + min(self._waiting_max, in_time)

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
            future = self._executor.submit(self._timed, function, *args, **kwargs)
        except BaseException:
            self._leave()
            raise
        # Given up by the caller it still holds its place until the thread is done with it.
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _timed(self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        began_s = time.monotonic()
        try:
            return function(*args, **kwargs)
        finally:
            last_s = time.monotonic() - began_s
            with self._lock:
                self._hash_s += (last_s - self._hash_s) * _SHARE_OF_LAST
                self._hash_s = max(self._hash_s, 1e-6)

    def _leave(self, _future: Future[_T] | None = None) -> None:
        with self._lock:
            self._under_way -= 1

    def close(self) -> None:
        """End the threads; what waits is given up. May be called twice."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _give_way_to_others() -> None:
    """Of this thread alone: on Linux a nice value belongs to a thread (sched(7))."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):
            nice = os.getpriority(os.PRIO_PROCESS, thread) + NICENESS
            os.setpriority(os.PRIO_PROCESS, thread, nice)
