"""What a rule has for an action comes to whoever sends it, in order, and is counted for the rule."""

from __future__ import annotations

import asyncio

import pytest

import rookery
from harness.client import DEADLINE_S
from rookery.errors import UnavailableError
from rookery.native.action_fields import Row, Text, Value
from rookery.native.actions import ActionBuffer, ActionItem, BufferSpec, Outcome
from rookery.native.rules import ActionOutput, RuleSpec

FIELDS = (Text("${clientid}: ${t}"), Value("${t}"), Row())
RULE = RuleSpec(
    "hot",
    'SELECT clientid, payload.t AS t FROM "line/#" WHERE payload.t > 80',
    outputs=(ActionOutput("http:a", FIELDS),),
)


async def take(buffer: ActionBuffer, count: int) -> list[ActionItem]:
    items: list[ActionItem] = []
    while len(items) < count:
        await asyncio.wait_for(buffer.wait(), DEADLINE_S)
        items += buffer.take(count - len(items))
    return items


async def test_results_of_a_rule_come_in_order_and_their_end_is_counted_for_it() -> None:
    outcomes: tuple[Outcome, ...] = ("success", "failed", "dropped.expired")
    async with rookery.Broker() as broker:
        buffer = broker.actions.open("http:a", BufferSpec())
        await broker.rules.put(RULE)
        for t in (81, 20, 82, 83):
            await broker.publish("line/3", f'{{"t":{t}}}', client_id="press-7")

        items: list[ActionItem] = []
        # An item comes only when no other of its client is on its way: each is settled as it comes.
        for outcome in outcomes:
            (item,) = await take(buffer, 1)
            buffer.settle([item.number], outcome)
            items.append(item)
        counters = (await broker.rules.counters())["hot"]

    assert [item.fields[:2] for item in items] == [
        ("press-7: 81", 81),
        ("press-7: 82", 82),
        ("press-7: 83", 83),
    ]
    assert items[0].fields[2] == '{"clientid":"press-7","t":81}'
    assert len({item.key for item in items}) == 1
    assert {item.rule for item in items} == {"hot"}
    assert (counters.matched, counters.passed, counters.failed_no_result) == (4, 3, 1)
    assert counters.actions_total == 3
    assert (counters.actions_success, counters.actions_failed_unknown) == (1, 1)
    assert counters.actions_discarded == 1


async def test_what_waits_is_sent_before_a_broker_stops() -> None:
    """By the task that serves it, which goes on while the broker stops."""
    sent: list[ActionItem] = []

    async def serve(buffer: ActionBuffer) -> None:
        while True:
            await buffer.wait()
            for item in buffer.take(1):
                await asyncio.sleep(0)
                sent.append(item)
                buffer.settle([item.number], "success")

    broker = rookery.Broker()
    await broker.start()
    buffer = broker.actions.open("http:a", BufferSpec())
    await broker.rules.put(RULE)
    for t in range(100, 150):
        await broker.publish("line/3", f'{{"t":{t}}}', client_id="press-7")
    serving = asyncio.create_task(serve(buffer))
    await broker.stop(30)

    with pytest.raises(UnavailableError):
        await serving
    assert [item.fields[1] for item in sent] == list(range(100, 150))


async def test_who_waits_in_a_task_of_its_own_serves_all_the_same() -> None:
    sent: list[ActionItem] = []

    async def serve(buffer: ActionBuffer) -> None:
        while True:
            await asyncio.create_task(buffer.wait())
            for item in buffer.take(1):
                await asyncio.sleep(0)
                sent.append(item)
                buffer.settle([item.number], "success")
                is_serving.set()

    is_serving = asyncio.Event()
    broker = rookery.Broker()
    await broker.start()
    buffer = broker.actions.open("http:a", BufferSpec())
    await broker.rules.put(RULE)
    for t in range(100, 150):
        await broker.publish("line/3", f'{{"t":{t}}}', client_id="press-7")
    serving = asyncio.create_task(serve(buffer))
    await is_serving.wait()
    await broker.stop(30)

    with pytest.raises(UnavailableError):
        await serving
    assert [item.fields[1] for item in sent] == list(range(100, 150))


async def test_a_stop_that_is_given_up_closes_the_broker() -> None:
    """Nobody could close it afterwards: for its owner it does not run any more."""
    taken = asyncio.Event()

    async def serve(buffer: ActionBuffer) -> None:
        await buffer.wait()
        buffer.take(1)
        taken.set()
        await asyncio.Event().wait()

    broker = rookery.Broker()
    await broker.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    buffer = broker.actions.open("http:a", BufferSpec())
    await broker.rules.put(RULE)
    await broker.publish("line/3", '{"t":90}')
    serving = asyncio.create_task(serve(buffer))
    await taken.wait()
    stopping = asyncio.create_task(broker.stop(3600))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping

    assert not broker.is_running
    assert await asyncio.wait_for(reader.read(), DEADLINE_S) == b""
    writer.close()
    serving.cancel()


async def test_an_action_that_was_closed_and_opened_again_gets_what_its_rules_have() -> None:
    async with rookery.Broker() as broker:
        broker.actions.open("http:a", BufferSpec()).close()
        buffer = broker.actions.open("http:a", BufferSpec())
        await broker.rules.put(RULE)
        buffer.close()
        await broker.publish("line/3", '{"t":90}')
        refused = (await broker.rules.counters())["hot"]

        buffer = broker.actions.open("http:a", BufferSpec())
        await broker.publish("line/3", '{"t":91}')
        (item,) = await take(buffer, 1)

    assert refused.actions_failed_out_of_service == 1
    assert item.fields[1] == 91
