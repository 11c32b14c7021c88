"""How the time for stopping is shared by what has to be done in it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rookery.engine.broker import Broker

GRACE_S = 0.5


class Slow:
    """Something that is stopped, and takes all the time that it gets."""

    def __init__(self) -> None:
        self.node = self
        self.given: list[float] = []
        self.draining = asyncio.Event()

    async def drain_actions(self, grace_s: float) -> None:
        self.given.append(grace_s)
        self.draining.set()
        await asyncio.sleep(grace_s)

    async def close(self, grace_s: float) -> None:
        self.given.append(grace_s)


async def test_all_parts_of_a_stop_have_one_time_together() -> None:
    slow: Any = Slow()
    await Broker()._close(slow, GRACE_S)
    drained_s, closed_s = slow.given
    assert drained_s + closed_s <= GRACE_S
    # Clients get the bytes that tell them goodbye, too.
    assert drained_s == pytest.approx(0.8 * GRACE_S)


async def test_a_stop_that_is_given_up_still_closes_within_its_time() -> None:
    slow: Any = Slow()
    stopping = asyncio.create_task(Broker()._close(slow, 60.0))
    await slow.draining.wait()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert slow.given[1] <= 1.0
