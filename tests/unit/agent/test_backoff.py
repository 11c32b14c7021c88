"""Waits between tries."""

from __future__ import annotations

from rookery.agent.backoff import Backoff


def test_waits_grow_up_to_a_bound_and_begin_anew() -> None:
    most = Backoff(5, 60, draw=lambda low, high: high)
    assert [most.next_s() for _ in range(7)] == [5, 10, 20, 40, 60, 60, 60]
    most.succeeded()
    assert most.next_s() == 5

    least = Backoff(5, 60, draw=lambda low, high: low)
    assert [least.next_s() for _ in range(5)] == [0, 5, 10, 20, 30]


def test_a_year_of_failures_is_no_overflow() -> None:
    backoff = Backoff(5, 60)
    waits = [backoff.next_s() for _ in range(5000)]

    assert all(30 <= wait <= 60 for wait in waits[10:])


def test_agents_do_not_come_back_together() -> None:
    firsts = sorted(Backoff(5, 60).next_s() for _ in range(1000))

    # A thousand agents within five seconds: no tenth of that sees half as many again as its share.
    for tenth in range(10):
        count = sum(tenth * 0.5 <= wait < (tenth + 1) * 0.5 for wait in firsts)
        assert 40 <= count <= 160
