"""A service that is slow or dead costs only those who ask it."""

from __future__ import annotations

import asyncio

import pytest

from rookery.access.errors import BackendError
from rookery.access.guard import BusyError, Guard, GuardSettings, OpenError
from rookery.clock import ManualClock
from rookery.words import Words

NO, AWAY = Words("no", "否"), Words("away", "不在")


async def fine() -> str:
    return "fine"


async def broken() -> str:
    raise BackendError(NO)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def guard(clock: ManualClock) -> Guard:
    return Guard(GuardSettings(concurrency_max=2, deadline_s=60, failures_max=3, open_s=5), clock)


async def fail(guard: Guard, times: int) -> None:
    for _ in range(times):
        with pytest.raises(BackendError):
            await guard.run(broken)


async def test_who_finds_it_full_is_told_at_once(guard: Guard) -> None:
    gate = asyncio.Event()
    waiting = [asyncio.create_task(guard.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(BusyError):
        await guard.run(fine)
    gate.set()
    await asyncio.gather(*waiting)

    assert await guard.run(fine) == "fine"
    assert (guard.counters.answered, guard.counters.refused_busy) == (3, 1)


async def test_a_question_has_a_deadline(clock: ManualClock) -> None:
    guard = Guard(GuardSettings(deadline_s=0.01), clock)

    with pytest.raises(TimeoutError):
        await guard.run(asyncio.Event().wait)

    assert (guard.counters.timed_out, guard.under_way) == (1, 0)


async def test_after_many_failures_the_service_is_left_alone(guard: Guard) -> None:
    await fail(guard, 3)

    with pytest.raises(OpenError):
        await guard.run(fine)
    assert (guard.is_open, guard.counters.opened, guard.counters.refused_open) == (True, 1, 1)


async def test_a_success_in_between_starts_the_count_anew(guard: Guard) -> None:
    await fail(guard, 2)
    await guard.run(fine)
    await fail(guard, 2)

    assert not guard.is_open


async def test_one_question_tries_whether_it_is_back(guard: Guard, clock: ManualClock) -> None:
    await fail(guard, 3)
    clock.advance(5)
    gate = asyncio.Event()
    probe = asyncio.create_task(guard.run(gate.wait))
    await asyncio.sleep(0)

    with pytest.raises(OpenError):
        await guard.run(fine)
    gate.set()
    await probe

    assert not guard.is_open
    assert await guard.run(fine) == "fine"


async def test_a_probe_that_fails_keeps_it_open(guard: Guard, clock: ManualClock) -> None:
    await fail(guard, 3)
    clock.advance(5)
    await fail(guard, 1)

    with pytest.raises(OpenError):
        await guard.run(fine)
    assert guard.counters.opened == 1


async def test_a_probe_that_is_given_up_lets_another_try(guard: Guard, clock: ManualClock) -> None:
    await fail(guard, 3)
    clock.advance(5)
    probe = asyncio.create_task(guard.run(asyncio.Event().wait))
    await asyncio.sleep(0)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)

    assert await guard.run(fine) == "fine"


async def test_a_deadline_noticed_late_is_not_the_services_fault(clock: ManualClock) -> None:
    """This process was held up: the answer may lie there unread."""
    guard = Guard(GuardSettings(deadline_s=0.01, failures_max=1), clock)

    async def held_up() -> None:
        clock.advance(1)
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await guard.run(held_up)
    assert (guard.is_open, guard.counters.timed_out) == (False, 1)

    with pytest.raises(TimeoutError):
        await guard.run(asyncio.Event().wait)
    assert guard.is_open


# -- what is said about the service -----------------------------------------------------------


async def away() -> None:
    raise BackendError(AWAY)


def known(guard: Guard) -> tuple[str, Words | None]:
    return guard.health.state, guard.health.reason


async def test_nothing_is_said_about_a_service_before_it_was_looked_at(guard: Guard) -> None:
    assert known(guard) == ("connecting", None)
    await guard.probe(fine)
    assert known(guard) == ("connected", None)


async def test_why_a_service_is_away_is_said_in_its_words(guard: Guard) -> None:
    await guard.probe(away)
    assert known(guard) == ("disconnected", AWAY)
    await guard.probe(fine)
    assert known(guard) == ("connected", None)


async def test_one_failure_is_a_reason_to_look_and_no_fault_yet(guard: Guard) -> None:
    await guard.probe(fine)
    await fail(guard, 1)
    assert known(guard) == ("connected", None)
    assert guard.poked.is_set()

    await fail(guard, 2)
    assert known(guard) == ("disconnected", NO)


async def test_a_service_that_is_back_is_asked_at_once(guard: Guard) -> None:
    await fail(guard, 3)
    await guard.probe(away)
    with pytest.raises(OpenError):
        await guard.run(fine)

    await guard.probe(fine)

    assert await guard.run(fine) == "fine"


async def test_one_that_takes_connections_and_never_answers_stays_a_fault(guard: Guard) -> None:
    await fail(guard, 3)
    await guard.probe(fine)

    assert known(guard) == ("disconnected", NO)
    with pytest.raises(OpenError):
        await guard.run(fine)


async def test_whoever_wants_to_know_is_told_of_changes_alone(guard: Guard) -> None:
    told: list[tuple[str, Words | None]] = []
    guard.health.on_change(lambda: told.append(known(guard)))
    for look in (fine, fine, away, away, fine):
        await guard.probe(look)
    assert told == [("connected", None), ("disconnected", AWAY), ("connected", None)]
