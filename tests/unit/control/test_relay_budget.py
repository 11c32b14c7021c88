"""How much of its own accord an agent may say."""

from __future__ import annotations

from rookery.clock import SystemClock
from rookery.contracts.agent_v1 import REPORT_BYTES_MAX
from rookery.control.relay.budget import CONNECTS_BURST, CONNECTS_PER_S, Budgets, Connects


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


def connected(connects: Connects, agent_id: str, count: int) -> int:
    """How often it got in."""
    got_in = 0
    for _ in range(count):
        if connects.allows(agent_id):
            connects.count(agent_id)
            got_in += 1
    return got_in


def test_who_connects_over_and_over_waits_and_nobody_else_does() -> None:
    clock = Hand()
    connects = Connects(clock)
    assert connected(connects, "a", 100) == CONNECTS_BURST
    assert connected(connects, "b", 1) == 1
    clock.now_s += 10
    assert connected(connects, "a", 100) == 10 * CONNECTS_PER_S


def test_an_agent_whose_line_comes_and_goes_is_let_in_each_time() -> None:
    clock = Hand()
    connects = Connects(clock)
    for _ in range(1000):
        assert connected(connects, "a", 1) == 1
        clock.now_s += 2.5


def test_asking_costs_an_agent_nothing_as_long_as_nobody_gets_in() -> None:
    connects = Connects(Hand())
    assert all(connects.allows("a") for _ in range(100))
    assert connected(connects, "a", 100) == CONNECTS_BURST


def test_who_has_not_connected_for_long_is_forgotten() -> None:
    clock = Hand()
    connects = Connects(clock)
    for number in range(1000):
        connected(connects, f"agent-{number}", 1)
        clock.now_s += 1
    assert len(connects) < 10
