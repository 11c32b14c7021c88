"""Batches fit into messages, whatever the lines are, and come in order."""

from __future__ import annotations

import asyncio
import logging

import pytest

from rookery.contracts.agent_logs import LogEntry, unpack
from rookery.contracts.agent_v1 import LogAck, LogBatch
from rookery.edge.agent import logs
from rookery.edge.agent.logs import LogShipping
from rookery.edge.system.log_lines import LINES_MAX, LogLines


def written(lines: LogLines, text: str) -> None:
    lines.emit(logging.LogRecord("rookery.edge", logging.WARNING, "", 0, text, None, None))


class Control:
    """Keeps batches; says no to the first ``refusals``."""

    def __init__(self, shipping: LogShipping, refusals: int = 0) -> None:
        self.batches: list[LogBatch] = []
        self.entries: list[LogEntry] = []
        self._shipping = shipping
        self._refusals = refusals

    async def say(self, batch: LogBatch) -> None:
        # As it travels: what is too long is no message.
        batch = LogBatch.from_bytes(batch.to_bytes())
        self.batches.append(batch)
        is_kept = len(self.batches) > self._refusals
        if is_kept:
            self.entries += unpack(batch.body)
        self._shipping.handle(LogAck("somebody-else", True))
        self._shipping.handle(LogAck(batch.id, is_kept, retry_ms=0))


async def shipped(lines: LogLines, count: int, *, refusals: int = 0) -> Control:
    shipping = LogShipping(lines, "boot")
    control = Control(shipping, refusals)
    running = asyncio.create_task(shipping.run(control.say))
    async with asyncio.timeout(60):
        while len(control.entries) < count:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return control


async def test_long_lines_go_in_several_batches_each_once_and_in_order() -> None:
    lines = LogLines()
    for number in range(300):
        written(lines, f"{number} " + "压" * 2000)
    control = await shipped(lines, 300)
    assert [one.position for one in control.entries] == list(range(1, 301))
    assert len(control.batches) > 10
    assert {one.stream for one in control.batches} == {"boot"}


async def test_while_nobody_wants_them_one_line_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "GATHER_S", 0.0)
    lines = LogLines()
    for number in range(100):
        written(lines, f"line {number}")
    control = await shipped(lines, 100, refusals=2)
    assert [len(unpack(one.body)) for one in control.batches] == [100, 1, 1, 99]
    assert [one.position for one in control.entries] == list(range(1, 101))


async def test_the_oldest_give_way_to_what_comes_while_nobody_listens() -> None:
    lines = LogLines()
    for number in range(LINES_MAX + 50):
        written(lines, f"line {number}")
    control = await shipped(lines, LINES_MAX)
    assert control.entries[0].position == 51
