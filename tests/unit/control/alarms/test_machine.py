"""When something becomes an alarm and when that ends: a table, and what holds whatever is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.control.alarms.machine import Check, Counts, Outcome, step

FIRED, RECOVERED, NOTHING = Outcome.FIRED, Outcome.RECOVERED, Outcome.NOTHING
BAD, GOOD = "b", "g"


def run(found: str, counts: Counts) -> list[tuple[int, Outcome]]:
    """What a row of checks leads to, and at which of them."""
    check, told = Check(), []
    for number, each in enumerate(found, 1):
        check, outcome = step(check, counts, is_bad=each == BAD, at_ms=number)
        if outcome is not NOTHING:
            told.append((number, outcome))
    return told


TABLE = {
    "never bad": ("ggg", (1, 1), []),
    "at once": ("b", (1, 1), [(1, FIRED)]),
    "not often enough": ("bb", (3, 1), []),
    "in a row": ("bbb", (3, 1), [(3, FIRED)]),
    "a good one between begins again": ("bbgbbgb", (3, 1), []),
    "once, however long": ("bbbbbbb", (3, 1), [(3, FIRED)]),
    "over at once": ("bg", (1, 1), [(1, FIRED), (2, RECOVERED)]),
    "over after some": ("bgg", (1, 3), [(1, FIRED)]),
    "over after three": ("bggg", (1, 3), [(1, FIRED), (4, RECOVERED)]),
    "a bad one between begins again": ("bggbgg", (1, 3), [(1, FIRED)]),
    "again after it was over": ("bgb", (1, 1), [(1, FIRED), (2, RECOVERED), (3, FIRED)]),
    "again takes as often": ("bbggbb", (2, 2), [(2, FIRED), (4, RECOVERED), (6, FIRED)]),
}


@pytest.mark.parametrize("name", TABLE)
def test_checks_lead_to_what_the_table_says(name: str) -> None:
    found, (triggers, recoveries), told = TABLE[name]
    assert run(found, Counts(triggers, recoveries)) == told


def test_the_same_report_is_counted_once_whoever_counts_it() -> None:
    counts = Counts(2, 1)
    once, _ = step(Check(), counts, is_bad=True, at_ms=100)
    assert step(once, counts, is_bad=True, at_ms=100) == (once, NOTHING)
    assert step(once, counts, is_bad=True, at_ms=99) == (once, NOTHING)
    assert step(once, counts, is_bad=True, at_ms=101)[1] is FIRED


def test_silence_is_counted_no_more_often_than_a_report_was_due() -> None:
    counts = Counts(2, 1)
    once, _ = step(Check(), counts, is_bad=True, at_ms=1000, gap_ms=15_000)
    assert step(once, counts, is_bad=True, at_ms=5000, gap_ms=15_000) == (once, NOTHING)
    assert step(once, counts, is_bad=True, at_ms=16_000, gap_ms=15_000)[1] is FIRED
    # The first sign of life counts whenever it comes.
    active, _ = step(once, counts, is_bad=True, at_ms=16_000)
    assert step(active, counts, is_bad=False, at_ms=16_001, gap_ms=15_000)[1] is RECOVERED


def test_what_stays_bad_is_nothing_to_write() -> None:
    active, _ = step(Check(), Counts(1, 1), is_bad=True, at_ms=1)
    assert step(active, Counts(1, 1), is_bad=True, at_ms=2) == (active, NOTHING)


def test_a_lower_count_holds_from_the_next_check_on() -> None:
    check, _ = step(Check(), Counts(5, 1), is_bad=True, at_ms=1)
    check, _ = step(check, Counts(5, 1), is_bad=True, at_ms=2)
    assert step(check, Counts(1, 1), is_bad=True, at_ms=3)[1] is FIRED


@given(
    found=st.text(alphabet="bg", max_size=60),
    triggers=st.integers(1, 10),
    recoveries=st.integers(1, 10),
)
def test_alarms_begin_and_end_by_turns_each_after_as_many_as_it_takes(
    found: str, triggers: int, recoveries: int
) -> None:
    told = run(found, Counts(triggers, recoveries))
    for place, (number, outcome) in enumerate(told):
        assert outcome is (RECOVERED if place % 2 else FIRED)
        length, kind = (recoveries, GOOD) if place % 2 else (triggers, BAD)
        assert found[number - length : number] == kind * length
    # An oracle that counts in another way: the longest row without an alarm, or without its end.
    rest = found[told[-1][0] :] if told else found
    length, kind = (recoveries, GOOD) if len(told) % 2 else (triggers, BAD)
    assert kind * length not in rest


@given(
    checks=st.lists(st.tuples(st.booleans(), st.integers(1, 50)), max_size=60),
    triggers=st.integers(1, 5),
    recoveries=st.integers(1, 5),
)
def test_two_who_count_the_same_checks_in_any_order_raise_one_alarm(
    checks: list[tuple[bool, int]], triggers: int, recoveries: int
) -> None:
    counts = Counts(triggers, recoveries)
    check, active = Check(), False
    for is_bad, at_ms in checks:
        for _ in range(2):
            check, outcome = step(check, counts, is_bad=is_bad, at_ms=at_ms)
            assert outcome is not (FIRED if active else RECOVERED)
            active = check.is_active
        assert 0 <= check.bad < triggers
        assert 0 <= check.good < recoveries
        assert not (check.bad and check.is_active)
