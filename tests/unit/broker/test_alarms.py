"""Alarms are told once when they begin and once when they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from rookery.broker.alarms import (
    STORE_FULL,
    Alarm,
    AlarmFile,
    AlarmKeeper,
    AlarmRegistry,
    CounterWatch,
    Message,
    StoreWatch,
)
from rookery.broker.alarms import service as service_module
from rookery.broker.alarms.store import ALARMS_FILE
from rookery.broker.alarms.watch import QUIET_CHECKS
from rookery.clock import ManualClock

NEWER = (
    b'{"format": "rookery-alarms", "version": 2, "more": 1}\n\xff\n[]\n{"name": 1}\n'
    b'{"name": "a", "message": "", "details": {}, "activated_at": 1, "new": 2}\n'
)


class Published:
    def __init__(self) -> None:
        self.notices: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, levels: str, payload: bytes) -> None:
        self.notices.append((levels, json.loads(payload)))


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000)


def registry(
    clock: ManualClock,
    published: Published,
    *,
    actions: Collection[str] = ("log", "publish"),
    size_limit: int = 10,
    validity_period_s: int = 60,
) -> AlarmRegistry:
    return AlarmRegistry(
        clock,
        actions=actions,
        size_limit=size_limit,
        validity_period_s=validity_period_s,
        publish=published,
    )


def test_a_condition_is_told_when_it_begins_and_when_it_ends(
    clock: ManualClock, published: Published
) -> None:
    alarms = registry(clock, published)

    assert alarms.activate("disk_full", Message("the disk is full"), {"free": 0})
    assert not alarms.activate("disk_full", Message("still"))
    clock.advance(2)
    assert alarms.deactivate("disk_full")
    assert not alarms.deactivate("disk_full")

    begun = {
        "name": "disk_full",
        "message": "the disk is full",
        "details": {"free": 0},
        "activate_at": 1_000_000,
        "deactivate_at": "infinity",
        "activated": True,
    }
    ended = begun | {"deactivate_at": 3_000_000, "activated": False}
    assert published.notices == [("alarms/activate", begun), ("alarms/deactivate", ended)]


def test_what_holds_and_what_is_over_are_told_apart(
    clock: ManualClock, published: Published
) -> None:
    alarms = registry(clock, published)
    for name in ("a", "b", "c"):
        alarms.activate(name, Message(""))
    alarms.deactivate("b")

    assert [alarm.name for alarm in alarms.active()] == ["c", "a"]
    assert [alarm.name for alarm in alarms.history()] == ["b"]
    alarms.clear_history()
    assert alarms.history() == []


def test_the_history_is_bounded_in_number_and_age(clock: ManualClock, published: Published) -> None:
    alarms = registry(clock, published, size_limit=2, validity_period_s=60)
    for name in ("a", "b", "c"):
        alarms.activate(name, Message(""))
        alarms.deactivate(name)
        clock.advance(40)

    assert [alarm.name for alarm in alarms.history()] == ["c"]


@pytest.mark.parametrize("actions", [(), ("log",)])
def test_only_configured_actions_are_taken(
    clock: ManualClock,
    published: Published,
    actions: Collection[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry(clock, published, actions=actions).activate("a", Message("why"))

    assert published.notices == []
    assert ("why" in caplog.text) == ("log" in actions)


def test_too_many_conditions_are_counted(
    clock: ManualClock, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "ACTIVE_MAX", 1)
    alarms = registry(clock, published)
    alarms.activate("a", Message(""))

    assert not alarms.activate("b", Message(""))

    assert alarms.metrics() == {"alarms.left_out": 1}
    assert alarms.stats() == {"alarms.active.count": 1}


# -- across restarts ----------------------------------------------------------------------


def test_a_condition_that_holds_again_goes_on_since_it_began(
    clock: ManualClock, published: Published
) -> None:
    alarms = registry(clock, published)
    alarms.restore([Alarm("a", "why", 5), Alarm("b", "why", 6)], [Alarm("c", "", 1, {}, 900)])

    alarms.activate("a", Message("why"))
    alarms.settle()

    assert alarms.active() == [Alarm("a", "why", 5)]
    assert alarms.history() == [Alarm("b", "why", 6, {}, 1_000), Alarm("c", "", 1, {}, 900)]
    assert [(levels, notice["name"]) for levels, notice in published.notices] == [
        ("alarms/deactivate", "b")
    ]


async def keep(alarms: AlarmRegistry, data_dir: Path) -> AlarmKeeper:
    keeper = AlarmKeeper(alarms, AlarmFile(data_dir))
    keeper.restore()
    keeper.open()
    return keeper


async def test_alarms_outlive_the_node(
    clock: ManualClock, published: Published, tmp_path: Path
) -> None:
    first = registry(clock, published)
    keeper = await keep(first, tmp_path)
    first.activate("a", Message("现在"), {"free": 0})
    first.activate("b", Message(""))
    clock.advance(1)
    first.deactivate("b")
    await keeper.close()

    second = registry(clock, published)
    await (await keep(second, tmp_path)).close()

    assert second.active() == first.active()
    assert second.history() == first.history()
    assert [file.name for file in tmp_path.iterdir()] == [ALARMS_FILE]


async def test_a_change_is_written_without_waiting_for_the_end(
    clock: ManualClock, published: Published, tmp_path: Path
) -> None:
    alarms = registry(clock, published)
    keeper = await keep(alarms, tmp_path)
    try:
        alarms.activate("a", Message(""))
        while not AlarmFile(tmp_path).load():
            await asyncio.sleep(0.001)
    finally:
        await keeper.close()


async def test_a_storm_of_alarms_is_kept_whole(
    clock: ManualClock, published: Published, tmp_path: Path
) -> None:
    alarms = registry(clock, published, actions=())
    keeper = await keep(alarms, tmp_path)
    for number in range(2_000):
        alarms.activate(str(number), Message(""))
        if number % 500 == 0:
            await asyncio.sleep(0)
    await keeper.close()

    assert len(AlarmFile(tmp_path).load()) == 2_000


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"", []),
        (b"not ours\n", []),
        (b'{"format": "rookery-alarms", "version": 1}\n{"name": "a", "mess', []),
        (
            NEWER,
            ["a"],
        ),
    ],
    ids=["empty", "foreign", "cut off", "damaged and newer"],
)
def test_a_damaged_file_gives_what_can_be_read(
    content: bytes, names: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ALARMS_FILE).write_bytes(content)

    assert [alarm.name for alarm in AlarmFile(tmp_path).load()] == names
    assert ALARMS_FILE in caplog.text


async def test_a_file_that_cannot_be_written_is_told_and_counted(
    clock: ManualClock, published: Published, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alarms = registry(clock, published, actions=())
    keeper = AlarmKeeper(alarms, AlarmFile(tmp_path / "missing"))
    keeper.open()
    alarms.activate("a", Message(""))
    await keeper.close()

    assert keeper.metrics()["alarms.not_written"] > 0
    assert "cannot be written" in caplog.text


# -- counters -----------------------------------------------------------------------------


def test_an_alarm_lasts_while_a_counter_rises(clock: ManualClock, published: Published) -> None:
    alarms = registry(clock, published)
    counters = {"events.dropped": 0}
    watch = CounterWatch(alarms, lambda: counters)

    watch.check()
    assert not alarms.active()
    counters["events.dropped"] = 7
    watch.check()
    (alarm,) = alarms.active()
    assert (alarm.name, alarm.details["dropped"]) == ("events_dropped", 7)

    for _ in range(QUIET_CHECKS - 1):
        watch.check()
    counters["events.dropped"] = 8
    watch.check()
    for _ in range(QUIET_CHECKS - 1):
        watch.check()
    assert alarms.active() == [alarm]
    watch.check()
    assert not alarms.active()


def test_a_store_that_refuses_is_an_alarm_until_it_accepts(
    clock: ManualClock, published: Published
) -> None:
    alarms = registry(clock, published)
    watch = StoreWatch(alarms).watch

    watch([("log", "error", "x"), ("store", False, "disk quota exceeded")])
    watch([("store", False, "disk full")])
    assert [(a.name, dict(a.details)) for a in alarms.active()] == [
        (STORE_FULL, {"reason": "disk quota exceeded"})
    ]
    watch([("store", True, "")])
    assert not alarms.active()
    assert [levels for levels, _ in published.notices] == ["alarms/activate", "alarms/deactivate"]
