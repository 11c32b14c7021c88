"""Ends tasks for sure, and says what is waited for while something closes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Any

AGAIN_S = 3.0
WITHIN_S = 10.0
LATE_S = 3.0

_log = logging.getLogger("rookery.ending")


async def ended(
    what: str,
    *tasks: asyncio.Task[Any] | None,
    again_s: float = AGAIN_S,
    within_s: float = WITHIN_S,
) -> None:
    """Cancel tasks and wait until they have ended. That whoever calls this is cancelled is not lost.

    A task can miss that it was cancelled: what it waited for came at that very moment (as in
    ``asyncio.wait_for`` of Python 3.11), or a library took it for its own. Who waited for such a
    task without an end would wait for ever; here it is cancelled again. One that goes on all the same is
    left, and the log says where it is.

    Args:
        what: The tasks, for people.
        tasks: None: there is nothing to do.
        again_s: They may take that long to clean up before they are cancelled again.
        within_s: They are left after that.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + within_s
    left = {task for task in tasks if task is not None and not task.done()}
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=again_s)
        for task in done:
            _note(what, task)
        if not left:
            return
        places = "; ".join(_place(task) for task in left)
        if loop.time() >= ends:
            _log.error("%s did not end within %g s and is left: %s", what, within_s, places)
            return
        _log.warning("%s did not end within %g s, it is told again: %s", what, again_s, places)


@contextlib.contextmanager
def told_when_late(what: str, after_s: float = LATE_S) -> Iterator[None]:
    """The log says so when the block takes long."""
    loop = asyncio.get_running_loop()
    line = "still waiting for %s to end, after %g s"
    late = loop.call_later(after_s, _log.warning, line, what, after_s)
    try:
        yield
    finally:
        late.cancel()


def _note(what: str, task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.info("%s ended with an error: %r", what, error)


def _place(task: asyncio.Task[Any]) -> str:
    """Where a task is, the innermost of its own."""
    stack = task.get_stack()
    if not stack:
        return task.get_name()
    return f"{stack[-1].f_code.co_qualname} in line {stack[-1].f_lineno}"
