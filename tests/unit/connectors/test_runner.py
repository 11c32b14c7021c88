"""How the items of an action are sent: order, retries, deadlines, counters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from harness.action_buffer import adds_up
from harness.connector_world import Service, ServiceConnector, world
from rookery.connectors.base import ItemFailure, Recoverable, Unrecoverable
from rookery.connectors.settings import FallbackReference, FallbackRepublish
from rookery.connectors.status import State
from rookery.native.action_fields import ActionItem, JsonText

OTHER = FallbackReference(kind="reference", type="http", name="other")
REPUBLISH = FallbackRepublish.model_validate(
    {"kind": "republish", "args": {"topic": "failed/it", "payload": "${.}"}}
)


async def test_what_is_offered_is_sent_and_counted() -> None:
    async with world() as it:
        for value in range(20):
            it.buffer.offer(value)
        await it.until_counted(success=20, queuing=0, inflight=0)
        assert {item.fields[0] for item in it.service.taken} == set(range(20))
        assert it.standing.status.is_connected


async def test_no_more_requests_are_under_way_than_the_window_has_places() -> None:
    free = asyncio.Event()

    async def answer(_items: Sequence[ActionItem]) -> None:
        await free.wait()

    service = Service(answer=answer)
    async with world(service, inflight_window=3) as it:
        for value in range(10):
            it.buffer.offer(value)
        await service.until(lambda: service.under_way == 3)
        await it.until_counted(inflight=3, queuing=7)
        free.set()
        await it.until_counted(success=10)
        assert service.most_under_way == 3


async def test_sync_has_one_request_under_way() -> None:
    async with world(query_mode="sync") as it:
        for value in range(10):
            it.buffer.offer(value)
        await it.until_counted(success=10)
        assert it.service.most_under_way == 1
        assert [item.fields[0] for item in it.service.taken] == list(range(10))


async def test_a_client_s_items_keep_their_order_through_failures() -> None:
    calls = 0

    async def answer(_items: Sequence[ActionItem]) -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        if calls % 3:
            raise Recoverable("busy", is_connection=False)

    async with world(Service(answer=answer), retry_interval="2ms") as it:
        for value in range(60):
            it.buffer.offer(value, key=1 + value % 4)
        await it.until_counted(success=60)
        for key, values in it.service.by_key().items():
            assert values == [value for value in range(60) if 1 + value % 4 == key]
        assert it.buffer.counters().retried > 0


async def test_a_batch_takes_what_is_there_and_waits_for_more() -> None:
    sizes: list[int] = []

    async def answer(items: Sequence[ActionItem]) -> None:
        sizes.append(len(items))

    async with world(Service(answer=answer), batch_size=5, batch_time="1m") as it:
        for value in range(10):
            it.buffer.offer(value)
        await it.until_counted(success=10)
        assert sizes == [5, 5]
        it.buffer.offer(10)
        it.buffer.offer(11)
        await asyncio.sleep(0)
        assert sizes == [5, 5]


async def test_nothing_is_taken_while_the_connector_is_down_and_all_is_sent_afterwards() -> None:
    service = Service(is_up=False)
    async with world(service) as it:
        await it.link.settled.wait()
        assert it.link.status.state is State.DISCONNECTED
        assert it.link.status.reason is not None
        assert it.link.status.reason.en == "connect to the.service:1 refused"
        for value in range(30):
            it.buffer.offer(value, key=1 + value % 3)
        await it.until_counted(queuing=30, inflight=0)
        assert not service.taken
        service.is_up = True
        await it.until_counted(success=30)
        for values in service.by_key().values():
            assert values == sorted(values)
        assert [status.state for status in it.statuses] == [
            State.CONNECTING,
            State.DISCONNECTED,
            State.CONNECTED,
        ]


async def test_while_it_connects_for_the_first_time_nothing_is_wrong() -> None:
    free = asyncio.Event()

    class Slow(ServiceConnector):
        async def start(self) -> None:
            await free.wait()

    async with world(connector=Slow) as it:
        while it.standing.status.state is not State.CONNECTING:
            await asyncio.sleep(0)
        assert it.standing.status.reason is None
        free.set()
        it.buffer.offer(1)
        await it.until_counted(success=1)


async def test_a_request_that_fails_makes_the_connection_be_checked_at_once() -> None:
    service = Service()

    async def answer(_items: Sequence[ActionItem]) -> None:
        if not service.is_up:
            raise Recoverable("reset")

    service.answer = answer
    async with world(service) as it:
        await it.link.settled.wait()
        service.is_up = False
        for value in range(5):
            it.buffer.offer(value, key=7)
        while it.link.status.state is not State.DISCONNECTED:
            await asyncio.sleep(0.005)
        assert adds_up(it.buffer.counters())
        assert it.standing.status.state is State.DISCONNECTED
        service.is_up = True
        await it.until_counted(success=5)
        assert [item.fields[0] for item in service.taken] == list(range(5))


async def test_what_waits_for_longer_than_its_ttl_is_dropped_while_down() -> None:
    async with world(Service(is_up=False), request_ttl="20ms") as it:
        for value in range(5):
            it.buffer.offer(value)
        await it.until_counted(dropped_expired=5, dropped=5)


async def test_what_is_sent_again_and_again_ends_with_its_ttl() -> None:
    async def answer(_items: Sequence[ActionItem]) -> None:
        raise Recoverable("busy", is_connection=False)

    async with world(Service(answer=answer), request_ttl="100ms", retry_interval="20ms") as it:
        it.buffer.offer(1)
        await it.until_counted(dropped_expired=1, inflight=0)
        assert it.buffer.counters().retried >= 1
        assert it.runner.last_error is not None
        assert it.runner.last_error.words.en == "busy"


async def test_what_the_service_refuses_is_failed_and_the_next_is_sent() -> None:
    async def answer(items: Sequence[ActionItem]) -> None:
        if items[0].fields[0] == 1:
            raise Unrecoverable("400")

    async with world(Service(answer=answer)) as it:
        for value in range(3):
            it.buffer.offer(value, key=9)
        await it.until_counted(success=2, failed=1)
        assert [item.fields[0] for item in it.service.taken] == [0, 2]


async def test_a_defect_of_a_client_library_fails_the_item_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = "-".join(["hunter", "2"])  # the line that raises is part of the log

    async def answer(_items: Sequence[ActionItem]) -> None:
        raise KeyError(secret)

    async with world(Service(answer=answer)) as it:
        it.buffer.offer(1)
        await it.until_counted(failed=1)
    assert "KeyError" in caplog.text
    assert secret not in caplog.text


async def test_of_a_batch_only_the_item_fails_that_the_client_library_breaks_over() -> None:
    calls: list[Sequence[object]] = []

    async def answer(items: Sequence[ActionItem]) -> None:
        values = [item.fields[0] for item in items]
        calls.append(values)
        if "bad" in values:
            raise KeyError
        if values == ["busy"] and calls.count(values) == 1:
            raise Recoverable("busy", is_connection=False)

    async with world(Service(answer=answer), batch_size=10, retry_interval="2ms") as it:
        for value, key in (("a", 1), ("bad", 2), ("busy", 3), ("behind", 3), ("b", 2)):
            it.buffer.offer(value, key=key)
        await it.until_counted(success=4, failed=1, inflight=0)
        assert it.service.by_key() == {1: ["a"], 2: ["b"], 3: ["busy", "behind"]}


async def test_of_a_batch_each_item_ends_as_the_service_says() -> None:
    seen: set[int] = set()

    async def answer(items: Sequence[ActionItem]) -> list[ItemFailure]:
        failures = []
        for item in items:
            if item.fields[0] == "bad":
                failures.append(ItemFailure(item.number, "400"))
            elif item.fields[0] == "later" and item.number not in seen:
                seen.add(item.number)
                failures.append(ItemFailure(item.number, "429", is_recoverable=True))
        return failures

    async with world(Service(answer=answer), batch_size=10) as it:
        for value in ("good", "bad", "later", "good"):
            it.buffer.offer(value)
        await it.until_counted(success=3, failed=1, inflight=0)
        taken = [item.fields[0] for item in it.service.taken]
        assert taken == ["good", "good", "later"]


async def test_what_failed_goes_to_the_fallbacks_with_its_row() -> None:
    async def answer(items: Sequence[ActionItem]) -> None:
        assert [item.fields for item in items] == [("x",)]
        raise Unrecoverable("no")

    async with world(Service(answer=answer), [OTHER, REPUBLISH]) as it:
        row = json.dumps({"x": "x", "y": 1})
        it.buffer.offer("x", JsonText(row), key=5, rule="warm")
        await it.until_counted(failed=1)
        await it.others["http:other"].wait()
        [item] = it.others["http:other"].take(10, 1 << 20)
        assert (item.rule, item.key) == ("warm", 5)
        while not it.published:
            await asyncio.sleep(0.005)
        assert it.published == [("failed/it", row.encode())]


async def test_what_expired_while_down_goes_to_the_fallbacks() -> None:
    async with world(Service(is_up=False), [OTHER], request_ttl="20ms") as it:
        for value in range(3):
            it.buffer.offer(value, JsonText(json.dumps({"value": value})), key=1)
        await it.until_counted(dropped_expired=3)
        other = it.others["http:other"]
        while other.counters().matched < 3:
            await asyncio.sleep(0.005)


async def test_stopping_gives_back_what_was_not_sent() -> None:
    started = asyncio.Event()

    async def answer(items: Sequence[ActionItem]) -> None:
        if items[0].fields[0] == "hangs":
            started.set()
            await asyncio.Event().wait()
        raise Recoverable("busy", is_connection=False)

    async with world(Service(answer=answer), retry_interval="1h", request_ttl="infinity") as it:
        it.buffer.offer("hangs")
        it.buffer.offer("rests")
        await started.wait()
        while it.runner.last_error is None:
            await asyncio.sleep(0.005)
        buffer = it.buffer
    counters = buffer.counters()
    assert (counters.queuing, counters.inflight) == (2, 0)
    assert [item.fields[0] for item in buffer.take(9, 1 << 20)] == ["hangs", "rests"]


class Line:
    """A connection that all share; the service ends it over a bad message, under all that is on it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.ends = 0
        self.over = asyncio.Event()

    async def answer(self, items: Sequence[ActionItem]) -> list[ItemFailure]:
        if not self.service.is_up:
            raise Recoverable("not connected")
        over = self.over
        if any(item.fields[0] == "bad" for item in items):
            await asyncio.sleep(0.01)  # others are on their way by then
            self.service.is_up = False
            self.ends += 1
            over.set()
            self.over = asyncio.Event()
        else:
            # Taken some time later, unless it ends before.
            try:
                async with asyncio.timeout(0.02):
                    await over.wait()
            except TimeoutError:
                return []
        return [
            ItemFailure(item.number, "closed", is_recoverable=True, in_company=True)
            for item in items
        ]


@pytest.mark.parametrize("batch", [1, 3])
async def test_one_that_ends_the_connection_each_time_is_given_up_and_holds_up_no_other(
    batch: int, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service()
    line = Line(service)
    service.answer = line.answer

    class Again(ServiceConnector):
        async def start(self) -> None:
            service.is_up = True
            await super().start()

    options: dict[str, Any] = {"batch_size": batch, "request_ttl": "infinity"}
    async with world(service, connector=Again, **options) as it:
        for round_ in range(6):
            for key in range(1, 7):
                is_bad = (round_, key) == (1, 3)
                it.buffer.offer("bad" if is_bad else round_, key=key)
        await it.until_counted(success=35, failed=1, inflight=0, queuing=0)
        for key, values in service.by_key().items():
            assert values == [round_ for round_ in range(6) if (round_, key) != (1, 3)]
        assert line.ends <= 4
    assert "it was sent again alone, and fails each time: closed" in caplog.text
