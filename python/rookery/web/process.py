"""What a process that serves owes the system: it takes the files that it may, and ends when it is told to.

It is told by a signal, or by whoever started it going away.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def open_as_many_files_as_allowed() -> None:
    """Raise the soft bound of open files to the hard one: each connection is one, and 1024 are usual."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextlib.contextmanager
def told_to_stop(stop: Callable[[], None], *, attached: bool) -> Iterator[None]:
    """Call ``stop`` on a signal, and when ``attached`` at the end of standard input, during the block."""
    with _signals_call(stop), _end_of_input_calls(stop, wanted=attached):
        yield


@contextlib.contextmanager
def _signals_call(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _end_of_input_calls(stop: Callable[[], None], *, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def look() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            stop()

    loop.add_reader(descriptor, look)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
