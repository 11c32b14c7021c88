"""Events are taken in batches, and nothing that handles them can end the reader."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator

import pytest

from rookery.native.reader import BATCH_MAX, EventReader
from rookery.native.rows import EventRow


class FakeSource:
    """A queue whose descriptor is readable while it holds something."""

    def __init__(self) -> None:
        self._fd, self._write_fd = os.pipe()
        os.set_blocking(self._fd, False)
        self.rows: list[EventRow] = []
        self.batches: list[int] = []

    def push(self, count: int) -> None:
        if not self.rows:
            os.write(self._write_fd, b"x")
        self.rows += [("log", "info", str(number)) for number in range(count)]

    def fileno(self) -> int:
        return self._fd

    def drain(self, batch_max: int) -> list[EventRow]:
        batch, self.rows = self.rows[:batch_max], self.rows[batch_max:]
        self.batches.append(len(batch))
        if batch and not self.rows:
            os.read(self._fd, 16)
        return batch

    def close(self) -> None:
        os.close(self._fd)
        os.close(self._write_fd)


@pytest.fixture
def source() -> Iterator[FakeSource]:
    source = FakeSource()
    yield source
    source.close()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def test_a_long_queue_is_taken_in_bounded_batches(source: FakeSource) -> None:
    taken: list[EventRow] = []
    reader = EventReader(source, taken.extend)
    reader.open()

    source.push(BATCH_MAX * 2 + 1)
    await until(lambda: len(taken) == BATCH_MAX * 2 + 1)

    reader.close()
    assert max(source.batches) == BATCH_MAX
    assert [int(row[2]) for row in taken] == list(range(BATCH_MAX * 2 + 1))


async def test_a_handler_that_fails_does_not_end_the_reader(
    source: FakeSource, caplog: pytest.LogCaptureFixture
) -> None:
    handled: list[int] = []

    def handle(batch: list[EventRow]) -> None:
        handled.append(len(batch))
        if len(handled) == 1:
            raise ValueError("a bad day")

    reader = EventReader(source, handle)
    reader.open()
    source.push(1)
    await until(lambda: len(handled) == 1)
    source.push(1)
    await until(lambda: len(handled) == 2)

    reader.close()
    assert "1 events were not handled" in caplog.text


async def test_after_close_the_rest_can_be_taken_at_once(source: FakeSource) -> None:
    taken: list[EventRow] = []
    reader = EventReader(source, taken.extend)
    reader.open()
    reader.close()
    reader.close()
    source.push(3)

    reader.drain_rest()

    assert len(taken) == 3
