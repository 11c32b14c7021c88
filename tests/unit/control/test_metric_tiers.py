"""Figures get coarser as they get older, and stay true."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from rookery.control.metrics.codec import pack, pack_sample, unpack
from rookery.control.metrics.series import BY_CODE, BY_NAME, EDGE_BY_NAME, OF_CLUSTER, OF_NODE
from rookery.control.metrics.summary import Summaries, Summary, joined
from rookery.control.metrics.tiers import (
    MINUTE_MS,
    POINTS_MAX,
    SAMPLE_MS,
    Plan,
    lines,
    plan,
    rolled,
    tiers,
)

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
TIERS = tiers((6 * HOUR_MS, 2 * DAY_MS, 8 * DAY_MS))
NOW_MS = 1_700_000_000_000
# What 32 bits hold exactly.
VALUES = st.integers(-(1 << 23), 1 << 23).map(float)
TIMES = st.integers(0, 4 * HOUR_MS // SAMPLE_MS).map(lambda at: NOW_MS + at * SAMPLE_MS)
CODES = st.sampled_from([1, 2, 8, 40])
NODES = st.sampled_from(["", "n@1", "节点@2"])
SAMPLES = st.dictionaries(NODES, st.dictionaries(CODES, VALUES, max_size=3), max_size=3)
ROWS = st.dictionaries(TIMES, SAMPLES, max_size=30)


def summaries(sample: dict[str, dict[int, float]]) -> Summaries:
    return {
        node: {code: Summary.of(value) for code, value in figures.items()}
        for node, figures in sample.items()
    }


def is_close(one: Summary, other: Summary) -> bool:
    same_bounds = (one.number, one.least, one.most) == (other.number, other.least, other.most)
    # As relative to the values as a float of 32 bits is.
    size = max(abs(one.least), abs(one.most), 1e-9)
    return same_bounds and abs(one.mean - other.mean) <= 1e-6 * size


@given(ROWS)
def test_rolling_up_in_two_steps_is_rolling_up_in_one(
    rows: dict[int, dict[str, dict[int, float]]],
) -> None:
    samples = sorted((at, summaries(sample)) for at, sample in rows.items())
    direct = rolled(samples, 10 * MINUTE_MS)
    # Packed in between, as it is stored.
    minutes = [(at, unpack(pack(part))) for at, part in rolled(samples, MINUTE_MS).items()]
    in_two = rolled(minutes, 10 * MINUTE_MS)

    assert direct.keys() == in_two.keys()
    for at, part in direct.items():
        found = in_two[at]
        assert {node: set(items) for node, items in part.items()} == {
            node: set(items) for node, items in found.items()
        }
        for node, items in part.items():
            assert all(is_close(item, found[node][code]) for code, item in items.items())


@given(ROWS)
def test_no_value_is_lost_and_none_is_made_up(
    rows: dict[int, dict[str, dict[int, float]]],
) -> None:
    coarse = rolled([(at, summaries(sample)) for at, sample in rows.items()], MINUTE_MS)
    given_values: dict[tuple[int, str, int], list[float]] = {}
    for at, sample in rows.items():
        for node, figures in sample.items():
            for code, value in figures.items():
                key = (at // MINUTE_MS * MINUTE_MS, node, code)
                given_values.setdefault(key, []).append(value)
    found = {
        (at, node, code): item
        for at, part in coarse.items()
        for node, figures in part.items()
        for code, item in figures.items()
    }
    assert found.keys() == given_values.keys()  # a gap stays one
    for key, values in given_values.items():
        item = found[key]
        assert (item.number, item.least, item.most) == (len(values), min(values), max(values))
        assert math.isclose(item.mean, math.fsum(values) / len(values), rel_tol=1e-9, abs_tol=1e-6)


@given(SAMPLES)
def test_a_sample_is_stored_and_read(sample: dict[str, dict[int, float]]) -> None:
    assert unpack(pack_sample(sample)) == summaries(sample)


@given(st.binary(max_size=80))
def test_whatever_is_stored_nothing_breaks(data: bytes) -> None:
    for figures in unpack(data).values():
        assert all(item.number >= 0 for item in figures.values())


def test_a_row_is_small() -> None:
    for names in (BY_NAME, EDGE_BY_NAME):
        sample = {"": {item.code: 1234.5 for item in names.values()}}
        assert len(pack_sample(sample)) < 160
        assert len(pack({"": {code: Summary(4, 2, 1, 3) for code in sample[""]}})) < 450


def test_codes_are_never_given_twice() -> None:
    assert len({item.name for item in BY_CODE.values()}) == len(BY_CODE)
    shared = {item.code for item in OF_CLUSTER} & {item.code for item in OF_NODE}
    assert shared == {2, 8, 9, 10}


@given(st.integers(1, 40 * DAY_MS), st.integers(0, 9 * DAY_MS), st.none() | st.integers(1, DAY_MS))
def test_an_answer_is_bounded_and_covers_what_was_asked(
    span_ms: int, age_ms: int, step_ms: int | None
) -> None:
    to_ms = NOW_MS - age_ms
    found = plan(TIERS, to_ms - span_ms, to_ms, NOW_MS, step_ms)
    assert found.points <= POINTS_MAX + 1
    assert found.from_ms <= to_ms - span_ms < found.from_ms + found.step_ms
    assert found.to_ms >= to_ms
    assert found.step_ms % found.tier.step_ms == 0
    assert found.step_ms >= (step_ms or 0)


def test_the_last_hour_day_and_week() -> None:
    hour = plan(TIERS, NOW_MS - HOUR_MS, NOW_MS, NOW_MS, SAMPLE_MS)
    day = plan(TIERS, NOW_MS - DAY_MS, NOW_MS, NOW_MS)
    week = plan(TIERS, NOW_MS - 7 * DAY_MS, NOW_MS, NOW_MS)
    assert [(found.tier.number, found.step_ms) for found in (hour, day, week)] == [
        (0, SAMPLE_MS),
        (1, MINUTE_MS),
        (2, 10 * MINUTE_MS),
    ]


def chart(times_s: list[float], hold_s: float = 22.5) -> list[float | None]:
    rows = [(round(at * 1000), {"": {1: Summary.of(at)}}) for at in times_s]
    found = lines(rows, Plan(TIERS[0], SAMPLE_MS, 0, 90_000), None, round(hold_s * 1000))
    return [None if item is None else item.mean for item in found[0].points]


def test_a_missing_report_is_a_gap_and_an_unsteady_beat_is_none() -> None:
    # One report falls just behind the end of its point.
    assert chart([0.1, 14.9, 30.1, 45, 60, 75]) == [7.5, 14.9, 30.1, 45, 60, 75]
    assert chart([0.1, 15.1, 60.1, 75.1]) == [0.1, 15.1, None, None, 60.1, 75.1]
    # What was said before the first point holds, too.
    assert chart([-5, 16, 31, 46, 61, 76])[:2] == [-5, 16]


def test_nothing_joins_to_nothing() -> None:
    assert joined([]) is None
    assert joined([Summary(1, 2.0, 2.0, 2.0), Summary(3, 4.0, 1.0, 9.0)]) == Summary(4, 3.5, 1, 9)
