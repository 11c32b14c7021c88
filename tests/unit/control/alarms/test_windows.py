"""Maintenance windows: when nobody is told."""

from __future__ import annotations

import pytest

from rookery.control.alarms.windows import DAY_MS, Repeat, Window, held_until

H = 3_600_000
TABLE: dict[str, tuple[Window, int, int | None]] = {
    "before": (Window(10 * H, 12 * H), 10 * H - 1, None),
    "at its beginning": (Window(10 * H, 12 * H), 10 * H, 12 * H),
    "at its end": (Window(10 * H, 12 * H), 12 * H, None),
    "the next day": (Window(10 * H, 12 * H), 10 * H + DAY_MS, None),
    "daily, the next day": (
        Window(10 * H, 12 * H, Repeat.DAILY),
        11 * H + DAY_MS,
        12 * H + DAY_MS,
    ),
    "daily, between": (Window(10 * H, 12 * H, Repeat.DAILY), 13 * H + DAY_MS, None),
    "daily, before the first": (Window(10 * H, 12 * H, Repeat.DAILY), 11 * H - DAY_MS, None),
    "over midnight": (
        Window(23 * H, 25 * H, Repeat.DAILY),
        DAY_MS * 3 + H // 2,
        DAY_MS * 3 + H,
    ),
    "weekly, another day": (Window(10 * H, 12 * H, Repeat.WEEKLY), 11 * H + DAY_MS, None),
    "weekly": (
        Window(10 * H, 12 * H, Repeat.WEEKLY),
        11 * H + 14 * DAY_MS,
        12 * H + 14 * DAY_MS,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_window_holds_when_the_table_says(name: str) -> None:
    window, now_ms, end_ms = TABLE[name]
    assert window.end_at(now_ms) == end_ms


def test_the_longest_of_those_that_are_about_a_cluster_holds() -> None:
    windows = [
        Window(0, 2 * H),
        Window(0, 3 * H, clusters=("a",)),
        Window(0, 9 * H, clusters=("b",)),
    ]
    assert held_until(windows, "a", H) == 3 * H
    assert held_until(windows, "c", H) == 2 * H
    assert held_until(windows, None, H) == 2 * H
    assert held_until(windows[1:], None, H) is None
