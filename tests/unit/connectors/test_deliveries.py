"""An action on a service that is there and takes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from harness.connector_world import Service, World, world
from rookery.clock import Clock
from rookery.connectors.base import ItemFailure, Recoverable, Unrecoverable
from rookery.connectors.deliveries import ATTEMPTS_MIN, Deliveries
from rookery.connectors.status import State
from rookery.native.action_fields import ActionItem
from rookery.words import Words

REASON = Words("it answered 500", "返回 500")


class Hands(Clock):
    """A clock that tests move."""

    def __init__(self) -> None:
        self.s = 100.0

    def now_ms(self) -> int:
        return 1_769_860_800_000 + round((self.s - 100) * 1000)

    def monotonic_s(self) -> float:
        return self.s


class Set(Hands):
    """One whose time of day somebody sets meanwhile."""

    set_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.set_ms


@pytest.fixture
def clock() -> Hands:
    return Hands()


def refuse(deliveries: Deliveries, clock: Hands, *, after_s: float) -> None:
    began_s = clock.s
    clock.s += after_s
    deliveries.refused(REASON, began_s)


def test_it_takes_a_while_and_some_attempts_until_an_action_is_not_well(clock: Hands) -> None:
    told: list[Words | None] = []
    deliveries = Deliveries(15.0, clock, lambda: told.append(deliveries.trouble))
    for _ in range(80):
        refuse(deliveries, clock, after_s=0.125)
    assert not told  # many, and for a moment only
    refuse(deliveries, clock, after_s=5)
    (trouble,) = told
    assert trouble == Words(
        "nothing was taken since 2026-01-31 12:00:00 UTC; the next message that is taken ends this:"
        " it answered 500",
        "自 2026-01-31 12:00:00 UTC 起没有消息被接受，下一条被接受的消息将解除此状态：返回 500",
    )
    refuse(deliveries, clock, after_s=5)
    assert deliveries.trouble == trouble  # the same text, so that nobody is told again
    assert len(told) == 1
    deliveries.taken()
    assert told == [trouble, None]


def test_one_bad_message_says_nothing_about_a_service(clock: Hands) -> None:
    told: list[None] = []
    deliveries = Deliveries(15.0, clock, lambda: told.append(None))
    for _ in range(ATTEMPTS_MIN - 1):
        refuse(deliveries, clock, after_s=60)
    assert not told
    refuse(deliveries, clock, after_s=60)
    assert told


def test_attempts_that_began_before_the_last_success_do_not_count_from_then(clock: Hands) -> None:
    deliveries = Deliveries(15.0, clock, lambda: None)
    began_s = clock.s
    clock.s += 14
    deliveries.taken()
    clock.s += 6
    for _ in range(ATTEMPTS_MIN):
        deliveries.refused(REASON, began_s)
    assert deliveries.trouble is None


async def until(it: World, state: State) -> None:
    while it.standing.status.state is not state:
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", ["recoverable", "unrecoverable", "defect", "each item"])
async def test_a_service_that_only_fails_is_seen_and_its_recovery_too(kind: str) -> None:
    async def answer(items: Sequence[ActionItem]) -> Sequence[ItemFailure] | None:
        match kind:
            case "recoverable":
                raise Recoverable(REASON, is_connection=False)
            case "unrecoverable":
                raise Unrecoverable(REASON)
            case "defect":
                raise ZeroDivisionError
        return [ItemFailure(item.number, REASON, is_recoverable=True) for item in items]

    service = Service(answer=answer)
    async with world(service, retry_interval="10ms") as it:
        await until(it, State.CONNECTED)
        offered = 0
        while it.standing.status.state is State.CONNECTED:
            it.buffer.offer(offered)
            offered += 1
            await asyncio.sleep(0.01)
        status = it.standing.status
        assert status.state is State.CONNECTING
        assert status.reason is not None
        assert status.reason.en.startswith("nothing was taken since 20")
        assert ("内部错误" if kind == "defect" else "返回 500") in status.reason.zh
        assert it.link.status.is_connected
        service.answer = None
        it.buffer.offer(offered)
        await until(it, State.CONNECTED)
        assert it.standing.status.reason is None


async def test_a_connection_that_is_made_anew_is_judged_anew() -> None:
    async def answer(_items: Sequence[ActionItem]) -> None:
        raise Recoverable(REASON, is_connection=False)

    service = Service(answer=answer)
    async with world(service, retry_interval="10ms", request_ttl="100ms") as it:
        for value in range(5):
            it.buffer.offer(value)
        await until(it, State.CONNECTING)
        await it.until_counted(queuing=0, inflight=0)
        service.is_up = False
        await until(it, State.DISCONNECTED)
        service.is_up = True
        await until(it, State.CONNECTED)


async def test_what_a_look_at_the_service_found_ends_with_a_look_that_finds_it_well() -> None:
    """The table was gone: messages failed, then nothing more came; it is there again."""

    async def answer(_items: Sequence[ActionItem]) -> None:
        raise Unrecoverable(REASON)

    service = Service(answer=answer)
    async with world(service, retry_interval="10ms") as it:
        await until(it, State.CONNECTED)
        offered = 0
        while it.standing.status.state is State.CONNECTED:
            it.buffer.offer(offered)
            offered += 1
            await asyncio.sleep(0.01)
        await it.until_counted(queuing=0, inflight=0)
        service.has_table = False
        await until(it, State.DISCONNECTED)
        service.has_table = True
        await until(it, State.CONNECTED)
        assert it.standing.status.reason is None
        assert service.taken == []


def test_a_clock_that_is_set_makes_no_other_trouble() -> None:
    clock = Set()
    deliveries = Deliveries(1.0, clock, lambda: None)
    for _ in range(ATTEMPTS_MIN):
        refuse(deliveries, clock, after_s=1)
    trouble = deliveries.trouble
    clock.set_ms = 3_600_000
    refuse(deliveries, clock, after_s=1)
    assert trouble is not None
    assert deliveries.trouble == trouble
