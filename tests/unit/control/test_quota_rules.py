"""What limit a cluster may have, and what follows from its reports, as tables."""

from __future__ import annotations

import pytest

from rookery.control.quota.rules import (
    ASSERT_AGAIN_MS,
    MOST,
    Held,
    Hold,
    Pool,
    Seen,
    Step,
    adopted,
    is_short,
    proposal,
    reported,
)
from rookery.control.quota.texts import HOLDS


@pytest.mark.parametrize(
    ("connections", "most", "proposed"),
    [
        (None, MOST, 10),
        (0, MOST, 10),
        (8, MOST, 10),
        (9, MOST, 11),
        (100, MOST, 120),
        (101, MOST, 122),
        (100, 110, 110),
        (0, 4, 4),
        (50, 0, 1),
    ],
)
def test_a_fifth_more_than_there_is_and_ten_at_least(
    connections: int | None, most: int, proposed: int
) -> None:
    assert proposal(connections, most) == proposed


@pytest.mark.parametrize(
    ("pool", "used", "left", "most"),
    [
        (Pool(), 10**9, None, MOST),
        (Pool(total=100), 30, 70, 70),
        (Pool(total=100), 130, 0, 0),
        (Pool(total=100, per_cluster=50), 30, 70, 50),
        (Pool(per_cluster=50), 30, None, 50),
    ],
)
def test_what_is_left(pool: Pool, used: int, left: int | None, most: int) -> None:
    assert (pool.left(used), pool.most(used)) == (left, most)


def test_less_than_is_used() -> None:
    assert is_short(9, 10)
    assert not is_short(10, 10)
    assert not is_short(1, None)


GIVEN = Step(Hold.APPLYING, 10, is_set=True)


@pytest.mark.parametrize(
    ("seen", "pool", "used", "step"),
    [
        (Seen(0, None, True), Pool(), 0, GIVEN),
        (Seen(10, None, True), Pool(), 0, GIVEN),
        # Nobody decided that the eleventh may not come back.
        (Seen(11, None, True), Pool(), 0, Step(Hold.UNDECIDED)),
        (Seen(None, None, True), Pool(), 0, Step(Hold.UNDECIDED)),
        (Seen(0, None, False), Pool(), 0, Step(Hold.NOT_PERMITTED)),
        # It has not said.
        (Seen(0), Pool(), 0, None),
        (Seen(0, None, True), Pool(initial=None), 0, Step(Hold.UNMANAGED)),
        (Seen(0, None, True), Pool(initial=25), 0, Step(Hold.APPLYING, 25, is_set=True)),
        (Seen(0, None, True), Pool(total=12), 5, Step(Hold.APPLYING, 7, is_set=True)),
        (Seen(8, None, True), Pool(total=12), 5, Step(Hold.UNDECIDED)),
        (Seen(0, None, True), Pool(total=12), 12, Step(Hold.NONE_LEFT)),
        (Seen(0, None, True), Pool(per_cluster=5), 0, Step(Hold.APPLYING, 5, is_set=True)),
    ],
)
def test_a_cluster_that_is_adopted(seen: Seen, pool: Pool, used: int, step: Step | None) -> None:
    assert adopted(seen, pool, used) == step


AGAIN = Step(Hold.APPLYING, 50, is_set=True)
DRIFT = Step(Hold.APPLYING, 50, is_set=True, is_drift=True)


def held(hold: Hold, *, at: int = 100, is_under_way: bool = False) -> Held:
    return Held(hold, 50, at, is_under_way)


def seen(setting: int | None, *, at: int = 200, is_settable: bool | None = True) -> Seen:
    return Seen(5, setting, is_settable, at)


@pytest.mark.parametrize(
    ("before", "report", "step"),
    [
        (held(Hold.IN_FORCE), seen(50), None),
        (held(Hold.IN_FORCE), seen(40), DRIFT),
        (held(Hold.IN_FORCE), seen(None), DRIFT),
        # Older than what was done last.
        (held(Hold.IN_FORCE, at=200), seen(40), None),
        (held(Hold.IN_FORCE, is_under_way=True), seen(40), None),
        (held(Hold.APPLYING, is_under_way=True), seen(40), None),
        # The command was lost with its agent.
        (held(Hold.APPLYING), seen(40), AGAIN),
        (held(Hold.APPLYING), seen(50), Step(Hold.IN_FORCE, 50)),
        (held(Hold.FAILED), seen(40), None),
        (held(Hold.FAILED), seen(40, at=100 + ASSERT_AGAIN_MS), AGAIN),
        (held(Hold.FAILED), seen(50), Step(Hold.IN_FORCE, 50)),
        # Another licence.
        (held(Hold.IN_FORCE), seen(50, is_settable=False), Step(Hold.NOT_PERMITTED)),
        (held(Hold.IN_FORCE), seen(None, is_settable=None), None),
        (Held(Hold.UNMANAGED), seen(40), None),
        (Held(Hold.UNDECIDED), seen(40), None),
        (Held(Hold.NONE_LEFT), seen(40), None),
    ],
)
def test_what_follows_from_a_report(before: Held, report: Seen, step: Step | None) -> None:
    assert reported(before, report) == step


def test_every_hold_has_its_words() -> None:
    assert set(HOLDS) == set(Hold)
