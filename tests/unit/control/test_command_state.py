"""How a command goes on, as tables."""

from __future__ import annotations

import pytest

from rookery.control.commands.kinds import KINDS, is_object_id, subject_of
from rookery.control.commands.state import (
    KNOWN,
    OPEN,
    RESEND_MS,
    RETRY,
    UNDER_WAY,
    WAIT_MAX_MS,
    Pending,
    State,
    heard,
    may_cancel,
    next_one,
    wait_ms,
)
from rookery.control.commands.texts import REASONS, reason_of

Q, S, A, R = State.QUEUED, State.SENT, State.ACKNOWLEDGED, State.RUNNING
DONE, FAILED, EXPIRED, CANCELLED = (
    State.SUCCEEDED,
    State.FAILED,
    State.EXPIRED,
    State.CANCELLED,
)


@pytest.mark.parametrize(
    ("state", "said", "after"),
    [
        (S, "acknowledged", A),
        (A, "running", R),
        (R, "succeeded", DONE),
        (R, "failed", FAILED),
        # Some of it got lost, or control died before it had written it.
        (Q, "acknowledged", A),
        (S, "running", R),
        (S, "succeeded", DONE),
        (Q, "succeeded", DONE),
        # Late and twice.
        (R, "acknowledged", None),
        (R, "running", None),
        (DONE, "running", None),
        (DONE, "acknowledged", None),
        (DONE, "succeeded", None),
        (DONE, "failed", None),
        (FAILED, "succeeded", None),
        # The cluster did not answer.
        (R, RETRY, Q),
        (S, RETRY, Q),
        (Q, RETRY, None),
        (DONE, RETRY, None),
        (CANCELLED, RETRY, None),
        (EXPIRED, RETRY, None),
        # What happened, happened.
        (EXPIRED, "succeeded", DONE),
        (EXPIRED, "failed", FAILED),
        (CANCELLED, "succeeded", DONE),
        (EXPIRED, "running", None),
        (CANCELLED, "acknowledged", None),
        # A word of a later version.
        (S, "paused", None),
    ],
)
def test_what_an_agent_says_moves_it_on_and_never_back(
    state: State, said: str, after: State | None
) -> None:
    assert heard(state, said) is after


def test_every_state_is_open_or_over() -> None:
    assert OPEN | KNOWN | {EXPIRED, CANCELLED} == set(State)
    assert UNDER_WAY < OPEN


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("is_connected", [True, False])
def test_what_the_agent_may_have_begun_is_not_taken_back(state: State, is_connected: bool) -> None:
    wanted = state is Q or (state is S and not is_connected)
    assert may_cancel(state, is_connected=is_connected) is wanted


def test_the_wait_grows_and_is_bounded() -> None:
    waits = [wait_ms(attempts) for attempts in range(1, 30)]
    assert waits == sorted(waits)
    assert (waits[0], waits[1], waits[-1]) == (5_000, 10_000, WAIT_MAX_MS)


@pytest.mark.parametrize(
    ("pending", "sent", "chosen"),
    [
        ([], (), None),
        ([Pending("a", Q), Pending("b", Q)], (), "a"),
        # One at a time.
        ([Pending("a", R, 90), Pending("b", Q)], ("a",), None),
        ([Pending("a", Q), Pending("b", S, 90)], ("b",), None),
        # The connection is another one: it is sent again.
        ([Pending("a", R, 90), Pending("b", Q)], (), "a"),
        # It says nothing.
        ([Pending("a", A, 100 - RESEND_MS), Pending("b", Q)], ("a",), "a"),
        # What waits for its time holds up nobody.
        ([Pending("a", Q, not_before_ms=101), Pending("b", Q)], (), "b"),
        ([Pending("a", Q, not_before_ms=101)], (), None),
        ([Pending("a", Q, not_before_ms=100)], (), "a"),
    ],
)
def test_whose_turn_it_is(
    pending: list[Pending], sent: tuple[str, ...], chosen: str | None
) -> None:
    assert next_one(pending, 100, sent) == chosen


def test_what_is_about_the_same_has_one_subject() -> None:
    assert subject_of("rule.start", "r1") == subject_of("rule.stop", "r1")
    assert subject_of("rule.start", "r1") != subject_of("rule.start", "r2")
    assert subject_of("quota.set", "") == subject_of("quota.release", "")
    assert len({subject_of(kind, "x") for kind in KINDS}) == 6


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("rule_1", True), ("http:plant.1", True), ("", False), ("../x", False), ("a/b", False),
     ("a b", False), ("x" * 256, True), ("x" * 257, False), ("a\n", False)],
)  # fmt: skip
def test_names_of_objects(text: str, is_one: bool) -> None:
    assert is_object_id(text) is is_one


def test_reasons_are_told_in_both_languages() -> None:
    assert (
        reason_of("UNREACHABLE", "refused", "en") == "The agent cannot reach the cluster: refused"
    )
    assert reason_of("UNREACHABLE", "refused", "zh") == "代理无法访问集群：refused"
    assert reason_of("", "", "en") == ""
    assert reason_of("NEW_CODE", "words", "zh") == "NEW_CODE: words"
    assert all(text.en and text.zh for text in REASONS.values())
