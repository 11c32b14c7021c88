"""Nobody waits for a process that hangs but those who asked it first."""

from __future__ import annotations

from rookery.broker.plugins.trust import Trust

DEADLINE_S = 5.0


def doubted() -> Trust:
    """Asked at 0, and waited for in vain."""
    trust = Trust()
    assert trust.patience_s(0.0, DEADLINE_S) == DEADLINE_S
    trust.asked(1)
    trust.missed(0.0)
    return trust


def test_after_one_deadline_there_is_one_question_per_deadline() -> None:
    trust = doubted()
    assert trust.patience_s(5.0, DEADLINE_S) == 0.5
    assert trust.patience_s(5.0, DEADLINE_S) == 0.0
    assert trust.patience_s(9.9, DEADLINE_S) == 0.0
    assert trust.patience_s(10.0, DEADLINE_S) == 0.5


def test_an_answer_ends_the_doubt() -> None:
    trust = doubted()
    trust.patience_s(5.0, DEADLINE_S)
    trust.asked(2)
    trust.answered(5.2)
    assert trust.patience_s(5.3, DEADLINE_S) == DEADLINE_S


def test_the_answer_that_nobody_waits_for_any_more_ends_it_before_its_deadline() -> None:
    for at_s, patience_s in ((9.0, DEADLINE_S), (11.0, 0.5)):
        trust = doubted()
        trust.patience_s(5.0, DEADLINE_S)
        trust.asked(2)
        trust.answered_late(1, 6.0)
        assert trust.patience_s(6.0, DEADLINE_S) == 0.0, "that of the first question says nothing"
        trust.answered_late(2, at_s)
        assert trust.patience_s(12.0, DEADLINE_S) == patience_s


def test_one_late_answer_among_others_is_no_reason_to_doubt() -> None:
    trust = Trust()
    trust.answered(3.0)
    trust.missed(0.0)
    assert trust.patience_s(5.0, DEADLINE_S) == DEADLINE_S
