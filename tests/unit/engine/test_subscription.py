"""A subscription of this process never makes the broker wait and never grows without bound."""

from __future__ import annotations

import asyncio
import gc

import pytest

from rookery.engine.subscription import Subscription, WhenFull
from rookery.errors import BadRequestError, NotAvailableError, UnavailableError
from rookery.native.models import Message


class FakeSubscriptions:
    def __init__(self) -> None:
        self.open: set[int] = set()
        self._next = 0

    def add(self, subscription: Subscription) -> int:
        self._next += 1
        self.open.add(self._next)
        return self._next

    def remove(self, slot: int) -> None:
        self.open.remove(slot)


@pytest.fixture
def subscriptions() -> FakeSubscriptions:
    return FakeSubscriptions()


def subscribe(
    subscriptions: FakeSubscriptions, queue_max: int = 10, when_full: WhenFull = "drop_oldest"
) -> Subscription:
    return Subscription(subscriptions, "a/#", qos=1, queue_max=queue_max, when_full=when_full)


def numbered(*numbers: int) -> list[Message]:
    return [Message("a", str(number).encode()) for number in numbers]


@pytest.mark.parametrize(
    ("when_full", "kept"), [("drop_oldest", (3, 4, 5)), ("drop_new", (1, 2, 3))]
)
async def test_a_full_queue_drops_and_counts(
    subscriptions: FakeSubscriptions, when_full: WhenFull, kept: tuple[int, ...]
) -> None:
    subscription = subscribe(subscriptions, 3, when_full)
    subscription.open()

    for message in numbered(1, 2, 3, 4, 5):
        subscription.put(message)
    subscription.close()

    assert [message async for message in subscription] == numbered(*kept)
    assert subscription.dropped == 2


async def test_it_begins_when_it_is_first_used(subscriptions: FakeSubscriptions) -> None:
    subscription = subscribe(subscriptions)
    assert subscriptions.open == set()

    async with subscription:
        assert len(subscriptions.open) == 1

    assert subscriptions.open == set()


async def test_a_reader_is_woken_by_a_message(subscriptions: FakeSubscriptions) -> None:
    subscription = subscribe(subscriptions)
    reading = asyncio.ensure_future(subscription.get())
    await asyncio.sleep(0)

    subscription.put(numbered(1)[0])

    assert await reading == numbered(1)[0]
    subscription.close()


async def test_the_end_comes_after_what_is_there(subscriptions: FakeSubscriptions) -> None:
    subscription = subscribe(subscriptions)
    subscription.open()
    subscription.put(numbered(1)[0])

    subscription.end()

    assert await subscription.get() == numbered(1)[0]
    with pytest.raises(UnavailableError):
        await subscription.get()


async def test_a_waiting_reader_is_told_of_the_end(subscriptions: FakeSubscriptions) -> None:
    subscription = subscribe(subscriptions)
    reading = asyncio.ensure_future(subscription.get())
    await asyncio.sleep(0)

    subscription.close()

    with pytest.raises(UnavailableError):
        await reading


async def test_one_that_nobody_holds_ends(subscriptions: FakeSubscriptions) -> None:
    subscription = subscribe(subscriptions)
    subscription.open()

    del subscription
    gc.collect()

    assert subscriptions.open == set()


@pytest.mark.parametrize("topic_filter", ["$share/g/a", "$queue/a", "$exclusive/a"])
def test_what_needs_a_session_is_for_clients(
    subscriptions: FakeSubscriptions, topic_filter: str
) -> None:
    with pytest.raises(NotAvailableError):
        Subscription(subscriptions, topic_filter, qos=0, queue_max=1, when_full="drop_new")


@pytest.mark.parametrize(("qos", "queue_max"), [(3, 1), (-1, 1), (0, 0)])
def test_what_makes_no_sense_is_refused(
    subscriptions: FakeSubscriptions, qos: int, queue_max: int
) -> None:
    with pytest.raises(BadRequestError):
        Subscription(subscriptions, "a", qos=qos, queue_max=queue_max, when_full="drop_new")


async def test_it_holds_so_many_bytes_at_most(subscriptions: FakeSubscriptions) -> None:
    subscription = Subscription(
        subscriptions, "a/#", qos=1, queue_max=10, when_full="drop_oldest", queue_bytes_max=10
    )
    subscription.open()
    for payload in (b"aaaa", b"bbbb", b"cccc", b"longer than all of it", b"dd"):
        subscription.put(Message("a/1", payload))
        assert subscription.waiting >= 1
    assert (await subscription.get()).payload == b"dd"
    assert subscription.dropped == 4
    subscription.put(Message("a/1", b"e" * 10))
    assert (await subscription.get()).payload == b"e" * 10
