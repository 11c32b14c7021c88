"""From a message through a rule to a service, and what a slow one costs nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path

import rookery
from harness.action_buffer import adds_up
from harness.connector_manager import managed
from harness.http_service import http_server
from rookery.native.rules import ActionOutput, RuleSpec

SQL = 'SELECT payload.t AS t, clientid, topic FROM "line/+" WHERE payload.t > 80'


async def test_a_matching_message_becomes_a_request(tmp_path: Path) -> None:
    async with (
        http_server() as server,
        rookery.Broker() as broker,
        managed(tmp_path, core=broker.actions) as it,
    ):
        action = {"connector": "web", "parameters": {"path": "/${topic}", "body": "${t}"}}
        await it.apply({"http:web": {"url": server.url}}, {"http:out": action})
        output = ActionOutput("http:out", it.manager.fields_of("http:out"))
        await broker.rules.put(RuleSpec("hot", SQL, outputs=(output,)))
        for value in (79, 81, 90):
            await broker.publish(f"line/{value}", f'{{"t":{value}}}')
        await broker.publish("other", '{"t":99}')
        await it.until_counted("http:out", success=2)
        assert [(asked.path, asked.json()) for asked in server.asked] == [
            ("/line/81", 81),
            ("/line/90", 90),
        ]
        counters = (await broker.rules.counters())["hot"]
        assert (counters.matched, counters.passed, counters.failed) == (3, 2, 1)
        assert counters.actions_success == 2


async def test_publishers_do_not_wait_for_a_service_that_hangs(tmp_path: Path) -> None:
    async with (
        http_server() as server,
        rookery.Broker() as broker,
        managed(tmp_path, core=broker.actions) as it,
    ):
        server.gate = asyncio.Event()
        options = {"max_buffer_bytes": "64KB", "inflight_window": 4}
        action = {"connector": "web", "resource_opts": options}
        await it.apply({"http:web": {"url": server.url}}, {"http:out": action})
        output = ActionOutput("http:out", it.manager.fields_of("http:out"))
        await broker.rules.put(RuleSpec("all", 'SELECT * FROM "line/+"', outputs=(output,)))
        for number in range(5000):
            await broker.publish("line/1", f"{number}")
        await server.until_under_way(1)
        # A published message reaches its rule a moment later.
        counters = await it.until_counted("http:out", matched=5000)
        assert adds_up(counters)
        assert counters.dropped == counters.dropped_queue_full > 0
        assert counters.queuing_bytes <= 64 << 10
        server.gate.set()
        last = await it.until_counted("http:out", queuing=0, inflight=0)
        assert last.success + last.dropped == 5000
