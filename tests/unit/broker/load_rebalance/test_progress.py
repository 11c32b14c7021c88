"""Whoever waits for the next step of an evacuation is told of it."""

from __future__ import annotations

import asyncio

from rookery.broker.load_rebalance.progress import Progress


async def test_who_has_not_seen_the_last_step_does_not_wait() -> None:
    progress = Progress()
    progress.step()
    assert await progress.beyond(0, 60.0) == 1
    assert await progress.beyond(-1, 60.0) == 1


async def test_all_who_wait_are_told_of_a_step() -> None:
    progress = Progress()
    waiting = [asyncio.create_task(progress.beyond(0, 60.0)) for _ in range(3)]
    await asyncio.sleep(0)  # they wait
    assert not any(task.done() for task in waiting)
    progress.step()
    assert await asyncio.gather(*waiting) == [1, 1, 1]


async def test_without_a_step_the_answer_comes_after_a_while() -> None:
    assert await Progress().beyond(0, 0.01) == 0
