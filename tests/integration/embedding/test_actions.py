"""What a rule has for an action comes to whoever sends it, in order, and is counted for the rule."""

from __future__ import annotations

import asyncio

import rookery
from rookery.native.action_fields import Row, Text, Value
from rookery.native.actions import ActionBuffer, ActionItem, BufferSpec
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
        await asyncio.wait_for(buffer.wait(), 10)
        items += buffer.take(100)
    return items


async def test_results_of_a_rule_come_in_order_and_their_end_is_counted_for_it() -> None:
    async with rookery.Broker() as broker:
        buffer = broker.actions.open("http:a", BufferSpec())
        await broker.rules.put(RULE)
        for t in (81, 20, 82, 83):
            await broker.publish("line/3", f'{{"t":{t}}}', client_id="press-7")

        items = await take(buffer, 3)
        buffer.settle([items[0].number], "success")
        buffer.settle([items[1].number], "failed")
        buffer.settle([items[2].number], "dropped.expired")
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
