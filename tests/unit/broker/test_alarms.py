"""Alarms are told once when they begin and once when they end."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest

from rookery.broker.alarms import STORE_FULL, AlarmRegistry, StoreWatch
from rookery.broker.alarms import service as service_module
from rookery.clock import ManualClock


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

    assert alarms.activate("disk_full", "the disk is full", {"free": 0})
    assert not alarms.activate("disk_full", "still")
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
        alarms.activate(name, "")
    alarms.deactivate("b")

    assert [alarm.name for alarm in alarms.active()] == ["c", "a"]
    assert [alarm.name for alarm in alarms.history()] == ["b"]
    alarms.clear_history()
    assert alarms.history() == []


def test_the_history_is_bounded_in_number_and_age(clock: ManualClock, published: Published) -> None:
    alarms = registry(clock, published, size_limit=2, validity_period_s=60)
    for name in ("a", "b", "c"):
        alarms.activate(name, "")
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
    registry(clock, published, actions=actions).activate("a", "why")

    assert published.notices == []
    assert ("why" in caplog.text) == ("log" in actions)


def test_too_many_conditions_are_counted(
    clock: ManualClock, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "ACTIVE_MAX", 1)
    alarms = registry(clock, published)
    alarms.activate("a", "")

    assert not alarms.activate("b", "")

    assert alarms.metrics() == {"alarms.left_out": 1}
    assert alarms.stats() == {"alarms.active.count": 1}


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
