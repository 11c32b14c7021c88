"""Samples: how they get fewer, and how they outlive the node."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rookery.broker.monitor import Monitor, Sample, SampleFile
from rookery.broker.monitor.models import SAMPLES_MAX, thinned
from rookery.broker.monitor.store import LINES_MAX
from rookery.clock import ManualClock

DAY_MS = 86_400_000
NOW_MS = 1_700_000_000_000 // 600_000 * 600_000


def sample(time_ms: int, received: int = 1, connections: int = 0) -> Sample:
    return Sample(time_ms, connections, 0, 0, 0, 0, received, 0, 0, 0)


def week() -> list[Sample]:
    return [sample(NOW_MS - age_ms) for age_ms in range(0, 8 * DAY_MS, 10_000)]


def test_older_samples_are_further_apart_and_nothing_counted_is_lost() -> None:
    kept = thinned(week(), NOW_MS)

    times = [item.time_ms for item in kept]
    apart = {later - one for one, later in pairwise(times)}
    assert {10_000, 60_000, 300_000, 600_000} <= apart
    assert len(kept) < SAMPLES_MAX
    assert sum(item.received for item in kept) == 7 * DAY_MS // 10_000 + 1
    assert times[0] >= NOW_MS - 7 * DAY_MS


def test_what_is_thinned_step_by_step_is_as_thinned_at_once() -> None:
    samples = [sample(NOW_MS - age_ms) for age_ms in range(0, 2 * DAY_MS, 10_000)]
    kept: list[Sample] = []
    for item in reversed(samples):
        kept.append(item)
        if item.time_ms % 3_600_000 == 0:
            kept = thinned(kept, item.time_ms)
    kept, at_once = thinned(kept, NOW_MS), thinned(samples, NOW_MS)
    assert sum(item.received for item in kept) == sum(item.received for item in at_once)
    assert len(kept) == len(at_once)


def test_the_last_gauge_of_joined_samples_stays() -> None:
    long_ago = NOW_MS - 2 * DAY_MS
    found = thinned([sample(long_ago, 2, 5), sample(long_ago + 10_000, 3, 7)], NOW_MS)
    assert found == [sample(long_ago + 10_000, 5, 7)]


def test_a_clock_that_jumps_fills_no_memory() -> None:
    ahead = [sample(NOW_MS + step * 10_000) for step in range(2 * SAMPLES_MAX)]
    assert len(thinned(ahead, NOW_MS)) == SAMPLES_MAX


class World:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(NOW_MS)
        self.metrics = {"messages.received": 100}
        self.stats = {"sessions.count": 3, "live_connections.count": 1}
        self.folder = folder
        self.monitor = self.make()

    def make(self) -> Monitor:
        return Monitor(
            self.clock,
            stats=lambda: self.stats,
            metrics=lambda: self.metrics,
            file=SampleFile(self.folder),
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_sample_says_what_was_counted_since_the_one_before(world: World) -> None:
    await world.monitor.open()
    found = []
    for received in (130, 130, 200):
        world.clock.advance(10)
        world.metrics["messages.received"] = received
        found.append(await world.monitor.sample())
    await world.monitor.close()

    assert [item.received for item in found] == [30, 0, 70]
    assert [item.received for item in world.monitor.samples(latest_s=15)] == [0, 70]
    row = found[0].to_row()
    assert row["time_stamp"] == NOW_MS + 10_000
    assert (row["connections"], row["disconnected_durable_sessions"]) == (3, 2)


async def test_rates_are_per_second(world: World) -> None:
    await world.monitor.open()
    world.clock.advance(4)
    world.metrics["messages.received"] = 500
    current = world.monitor.current()
    await world.monitor.close()

    assert current["received_msg_rate"] == 100


async def test_samples_outlive_the_node(world: World) -> None:
    await world.monitor.open()
    world.clock.advance(10)
    await world.monitor.sample()
    await world.monitor.close()
    world.clock.advance(10)

    later = world.make()
    await later.open()
    world.metrics["messages.received"] = 101
    await later.sample()
    await later.close()

    assert [item.received for item in later.samples()] == [0, 1]


async def test_a_half_written_line_costs_itself_alone(world: World) -> None:
    await world.monitor.open()
    for _ in range(2):
        world.clock.advance(10)
        await world.monitor.sample()
    await world.monitor.close()
    file = world.folder / "monitor.jsonl"
    file.write_bytes(file.read_bytes()[:-5])

    later = world.make()
    await later.open()
    world.clock.advance(10)
    await later.sample()
    await later.close()

    again = world.make()
    await again.open()
    await again.close()
    assert len(again.samples()) == 2


def test_the_file_stays_small(tmp_path: Path) -> None:
    file = SampleFile(tmp_path)
    file.load()
    for number in range(LINES_MAX + 10):
        item = sample(NOW_MS + number * 10_000)
        if file.is_full:
            file.replace([item])
        else:
            file.append(item)
    assert len(file.path.read_text().splitlines()) < 20


@pytest.mark.parametrize("text", [b"", b"\0\xff", b'{"format": "other"}\n[1]\n'])
def test_a_file_that_is_none_of_ours_is_replaced(tmp_path: Path, text: bytes) -> None:
    file = SampleFile(tmp_path)
    file.path.write_bytes(text)
    assert file.load() == []
    assert file.is_full


def test_columns_of_other_versions_are_matched_by_name(tmp_path: Path) -> None:
    file = SampleFile(tmp_path)
    header: Any = (
        '{"format": "rookery-monitor", "version": 2, "columns": ["new", "time_ms", "sent"]}'
    )
    file.path.write_text(f"{header}\n[9, {NOW_MS}, 4]\n")
    (found,) = file.load()
    assert (found.time_ms, found.sent, found.received) == (NOW_MS, 4, 0)
