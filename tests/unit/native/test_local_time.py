"""The core knows beforehand when local time changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from rookery.native.local_time import HORIZON_S, offset_changes


def unix_s(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


def test_summer_time_is_known_to_the_second_for_years(zone: pytest.MonkeyPatch) -> None:
    zone.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()

    changes = offset_changes(unix_s("2026-01-15T12:00:00"))

    assert changes[:3] == [
        (unix_s("2026-03-29T01:00:00"), 7200),
        (unix_s("2026-10-25T01:00:00"), 3600),
        (unix_s("2027-03-28T01:00:00"), 7200),
    ]
    assert len(changes) == 20
    assert changes[-1][0] - changes[0][0] < HORIZON_S


def test_a_zone_without_summer_time_never_changes(zone: pytest.MonkeyPatch) -> None:
    zone.setenv("TZ", "<+0530>-5:30")
    time.tzset()

    assert offset_changes(unix_s("2026-01-15T12:00:00")) == []
