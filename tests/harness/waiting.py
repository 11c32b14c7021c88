"""Waiting for what another process does; how it does it is its own affair."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from harness.client import DEADLINE_S

T = TypeVar("T")
LOOK_EVERY_S = 0.02


def until(
    happens: Callable[[], T | None],
    what: str,
    *,
    shows: Callable[[], object] | None = None,
    within_s: float = DEADLINE_S,
    every_s: float = LOOK_EVERY_S,
) -> T:
    """The first true result of ``happens``; asked again and again.

    Raises:
        AssertionError: there was none in time; with what ``shows`` says at the end, or else with the
            last result.
    """
    ends = time.monotonic() + within_s
    while True:
        result = happens()
        if result:
            return result
        if time.monotonic() >= ends:
            seen = repr(result) if shows is None else shows()
            raise AssertionError(f"not within {within_s:g} s: {what}\nlast seen: {seen}")
        time.sleep(every_s)
