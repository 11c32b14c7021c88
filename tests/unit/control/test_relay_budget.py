"""How much of its own accord an agent may say."""

from __future__ import annotations

from rookery.clock import SystemClock
from rookery.contracts.agent_v1 import REPORT_BYTES_MAX
from rookery.control.relay.budget import Budgets


class Hand(SystemClock):
    """A clock that is moved by hand."""

    now_s = 0.0

    def monotonic_s(self) -> float:
        return self.now_s


def allowed(budgets: Budgets, count: int, size: int, agent_id: str = "a") -> int:
    return sum(budgets.allows(agent_id, size) for _ in range(count))


def test_the_longest_reports_pass_at_their_interval_and_a_flood_does_not() -> None:
    clock = Hand()
    budgets = Budgets(clock, 15.0)
    assert allowed(budgets, 100, REPORT_BYTES_MAX) == 8
    for _ in range(20):
        clock.now_s += 15
        # Two in an interval: one that was hurried, too.
        assert allowed(budgets, 100, REPORT_BYTES_MAX) == 2
    assert allowed(budgets, 1, REPORT_BYTES_MAX, "another") == 1


def test_many_small_ones_are_counted() -> None:
    clock = Hand()
    budgets = Budgets(clock, 1.0)
    assert allowed(budgets, 1000, 10) == 200
    clock.now_s += 1
    assert allowed(budgets, 1000, 10) == 20
    budgets.forget("a")
    assert allowed(budgets, 1000, 10) == 200
