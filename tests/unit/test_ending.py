"""Tasks that do not end when they are told once."""

from __future__ import annotations

import asyncio
import logging

import pytest

from rookery.ending import ended, told_when_late


class Deaf:
    """A task that misses so many cancellations."""

    def __init__(self, misses: int) -> None:
        self.left = misses

    async def run(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self.left == 0:
                    raise
                self.left -= 1


async def _begun(deaf: Deaf) -> asyncio.Task[None]:
    task = asyncio.get_running_loop().create_task(deaf.run())
    await asyncio.sleep(0)
    return task


def test_a_task_that_missed_it_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        first, second = await _begun(Deaf(0)), await _begun(Deaf(2))
        await ended("the work", None, first, second, again_s=0.01)
        assert first.cancelled()
        assert second.cancelled()

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    assert "the work did not end within 0.01 s, it is told again: Deaf.run in line" in caplog.text


@pytest.mark.parametrize("steps", range(5))
def test_what_comes_at_the_moment_of_the_end_keeps_nobody(steps: int) -> None:
    async def follow(queue: asyncio.Queue[int]) -> None:
        while True:
            await asyncio.wait_for(queue.get(), 60)

    async def main() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue()
        task = asyncio.get_running_loop().create_task(follow(queue))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        queue.put_nowait(1)
        for _ in range(steps):
            await asyncio.sleep(0)
        await ended("the work", task, again_s=0.01)
        assert task.cancelled()

    asyncio.run(main())


def test_one_that_never_ends_is_left_and_named(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        deaf = Deaf(1000)
        task = await _begun(deaf)
        await ended("the work", task, again_s=0.01, within_s=0.02)
        assert not task.done()
        deaf.left = 0
        await ended("the work", task, again_s=0.01)

    asyncio.run(main())
    assert "the work did not end within 0.02 s and is left: Deaf.run in line" in caplog.text


def test_that_whoever_waits_is_cancelled_is_not_lost() -> None:
    async def main() -> None:
        task = await _begun(Deaf(1))
        waiting = asyncio.get_running_loop().create_task(ended("the work", task, again_s=60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await ended("the work", task)

    asyncio.run(main())


def test_what_takes_long_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        said = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, said.set)
        with told_when_late("the work", 0.01):
            await said.wait()

    asyncio.run(main())
    assert "still waiting for the work to end, after 0.01 s" in caplog.text
