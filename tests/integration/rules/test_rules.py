"""Rules of a broker inside a Python program: what they republish, count and refuse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeVar

import pytest

import rookery
from harness.client import RawClient
from harness.packets import Connect
from rookery.errors import BadRequestError, BadRuleError, NotFoundError
from rookery.native.action_fields import ActionItem, Text, Value
from rookery.native.actions import BufferSpec
from rookery.native.rules import (
    ActionOutput,
    Console,
    OutputSpec,
    Republish,
    RuleCounters,
    RuleSpec,
)

T = TypeVar("T")
ALARM = 'SELECT payload.t AS t, clientid FROM "line/3/#" WHERE payload.t > 80'


@pytest.fixture
async def broker() -> AsyncIterator[rookery.Broker]:
    async with rookery.Broker(workers=2) as broker:
        yield broker


async def aside(function: Callable[[], T]) -> T:
    """Run a client that blocks without holding up the broker's loop."""
    return await asyncio.to_thread(function)


def connected(broker: rookery.Broker, client_id: str) -> RawClient:
    client = RawClient(broker.host, broker.port, 5)
    client.connect(Connect(client_id))
    return client


async def counters(broker: rookery.Broker, rule_id: str) -> RuleCounters:
    return (await broker.rules.counters())[rule_id]


async def test_a_client_hears_what_a_rule_makes(broker: rookery.Broker) -> None:
    outputs = [Republish("alarm/${clientid}", payload="${t} degrees")]
    await broker.rules.put(RuleSpec("hot", ALARM, outputs=outputs))
    watcher = await aside(lambda: connected(broker, "watcher"))
    await aside(lambda: watcher.subscribe("alarm/+", qos=1))
    press = await aside(lambda: connected(broker, "press-7"))

    for degrees in (79, 81.5):
        payload = json.dumps({"t": degrees}).encode()
        await aside(partial(press.publish, "line/3/a", payload, qos=1))

    message = await aside(watcher.receive)
    assert (message.topic_name, message.payload) == ("alarm/press-7", b"81.5 degrees")
    counted = await counters(broker, "hot")
    assert (counted.matched, counted.passed, counted.failed) == (2, 1, 1)
    assert (counted.failed_no_result, counted.actions_success) == (1, 1)
    await broker.rules.reset("hot")
    assert await counters(broker, "hot") == RuleCounters(*[0] * len(RuleCounters._fields))


async def test_rules_see_what_the_program_publishes_and_the_row_is_json(
    broker: rookery.Broker,
) -> None:
    sql = 'SELECT topic, payload.n AS n, qos FROM "in/#"'
    await broker.rules.put(RuleSpec("r", sql, outputs=[Republish("out", payload="")]))
    async with broker.subscribe("out") as messages:
        await broker.publish("in/1", '{"n": [1, 2]}', qos=1)
        row = json.loads((await messages.get()).payload)
    assert row == {"topic": "in/1", "n": [1, 2], "qos": 1}


async def test_a_wrong_rule_is_refused_with_its_place_and_changes_nothing(
    broker: rookery.Broker,
) -> None:
    await broker.rules.put(RuleSpec("good", 'SELECT * FROM "t"'))

    with pytest.raises(BadRuleError, match="line 2, column 1") as caught:
        await broker.rules.put(RuleSpec("bad", 'SELECT *\nFORM "t"'))

    error = caught.value
    assert (error.rule, error.line, error.column) == ("bad", 2, 1)
    assert list(await broker.rules.counters()) == ["good"]
    for outputs, words in (
        ([ActionOutput("http:nowhere", ())], "http:nowhere"),
        ([Republish("a/#")], "a/#"),
        ([Republish("a", qos="${")], "qos"),
    ):
        with pytest.raises(BadRuleError, match=words) as caught:
            await broker.rules.put(RuleSpec("bad", 'SELECT * FROM "t"', outputs=outputs))
        assert caught.value.rule == "bad"
    with pytest.raises(BadRuleError, match="twice"):
        await broker.rules.put(*[RuleSpec("r", 'SELECT * FROM "t"')] * 2)


async def test_what_a_rule_counted_outlives_its_change_and_its_rest(
    broker: rookery.Broker,
) -> None:
    await broker.rules.put(RuleSpec("r", 'SELECT * FROM "a/#"'))
    await broker.publish("a/1", b"")
    await broker.rules.put(RuleSpec("r", 'SELECT * FROM "b/#"'))
    await broker.publish("a/1", b"")
    await broker.publish("b/1", b"")
    assert (await counters(broker, "r")).passed == 2
    await broker.rules.put(RuleSpec("r", 'SELECT * FROM "b/#"', enable=False))
    await broker.publish("b/1", b"")
    assert (await counters(broker, "r")).matched == 2
    await broker.rules.put()
    assert await broker.rules.counters() == {}
    with pytest.raises(NotFoundError):
        await broker.rules.reset("r")


async def test_rules_are_replaced_while_messages_flow_and_none_is_missed(
    broker: rookery.Broker,
) -> None:
    filters = ("t/#", "t/+", "#")
    rounds, batch = 20, 25

    async def publish() -> None:
        for number in range(rounds * batch):
            await broker.publish(f"t/{number % 7}", b"")

    async def replace() -> None:
        for number in range(rounds):
            sql = f"SELECT {number} AS n FROM \"{filters[number % 3]}\" WHERE topic <> 'o'"
            await broker.rules.put(RuleSpec("r", sql))

    await broker.rules.put(RuleSpec("r", 'SELECT 0 AS n FROM "t/#"'))
    await asyncio.gather(publish(), replace())
    counted = await counters(broker, "r")
    assert (counted.matched, counted.passed) == (rounds * batch, rounds * batch)


async def test_events_of_clients_reach_rules(broker: rookery.Broker) -> None:
    sql = """
        SELECT event, clientid, reason, topic FROM
        "$events/client_connected", "$events/client_disconnected", "$events/session_subscribed"
    """
    await broker.rules.put(RuleSpec("e", sql, outputs=[Republish("told", payload="")]))
    async with broker.subscribe("told") as messages:
        client = await aside(lambda: connected(broker, "c"))
        await aside(lambda: client.subscribe("a/+"))
        await aside(client.disconnect)
        rows = [json.loads((await messages.get()).payload) for _ in range(3)]
    assert [row["event"] for row in rows] == [
        "client.connected",
        "session.subscribed",
        "client.disconnected",
    ]
    assert rows[1]["topic"] == "a/+"
    assert {row["clientid"] for row in rows} == {"c"}
    assert rows[2]["reason"] == "normal"


async def test_alarms_and_sources_are_told_by_the_program(broker: rookery.Broker) -> None:
    await broker.rules.put(
        RuleSpec(
            "alarm",
            'SELECT name, details.usage AS usage FROM "$events/sys/alarm_activated"',
            outputs=[Republish("told", payload="")],
        ),
        RuleSpec(
            "source",
            'SELECT payload.n AS n, headers.k AS k FROM "$bridges/mqtt:far" WHERE qos = 1',
            outputs=[Republish("told", payload="")],
        ),
    )
    async with broker.subscribe("told") as messages:
        columns = {"name": "disk", "message": "full", "details": {"usage": 97.5}}
        assert await broker.rules.event("$events/sys/alarm_activated", columns) == 1
        arrived = {"topic": "t", "payload": b'{"n": 1}', "qos": 1, "headers": {"k": "v"}}
        assert await broker.rules.ingest("mqtt:far", arrived) == 1
        assert await broker.rules.ingest("mqtt:far", {**arrived, "qos": 0}) == 0
        assert await broker.rules.ingest("mqtt:near", arrived) == 0
        rows = [json.loads((await messages.get()).payload) for _ in range(2)]
    assert rows == [{"name": "disk", "usage": 97.5}, {"n": 1, "k": "v"}]
    with pytest.raises(BadRequestError, match="colour"):
        await broker.rules.ingest("mqtt:far", {"colour": "red"})
    with pytest.raises(BadRequestError, match="nothing"):
        await broker.rules.event("$events/nothing", {})


async def test_an_action_gets_what_it_wants_in_the_order_of_clients(
    broker: rookery.Broker,
) -> None:
    spec = BufferSpec(max_buffer_bytes=1 << 20)
    buffer = broker.actions.open("http:sink", spec)
    fields = (Text("${clientid}: ${payload.n}"), Value("${payload.n}"))
    sql = 'SELECT * FROM "in/#"'
    outputs: list[OutputSpec] = [ActionOutput("http:sink", fields), Console()]
    await broker.rules.put(RuleSpec("r", sql, outputs=outputs))
    press = await aside(lambda: connected(broker, "press"))
    for number in range(3):
        payload = b'{"n": %d}' % number
        await aside(partial(press.publish, "in/1", payload, qos=1))

    await buffer.wait()
    items: list[ActionItem] = []
    while len(items) < 3:
        items += buffer.take(10, 1 << 20)
    assert [item.fields for item in items] == [(f"press: {number}", number) for number in range(3)]
    assert {item.rule for item in items} == {"r"}
    buffer.settle([item.number for item in items], "success")
    counted = await counters(broker, "r")
    # The console counts too.
    assert (counted.actions_total, counted.actions_success, counted.actions_failed) == (6, 6, 0)
