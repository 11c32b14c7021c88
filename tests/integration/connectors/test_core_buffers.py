"""Actions on the buffers of the core: outages, deadlines, disks, fallbacks, changes, under traffic."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import rookery
from harness.action_buffer import adds_up
from harness.connector_manager import Managed, managed
from harness.http_service import HttpServer, http_server
from harness.ports import free_port
from rookery.connectors.status import State

QUICK = {"health_check_interval": "100ms"}
TTL_S = 0.3


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Managed]:
    async with rookery.Broker() as broker, managed(tmp_path, core=broker.actions) as made:
        yield made


async def begin(it: Managed, url: str, more: Any = None, **options: Any) -> None:
    action = {
        "connector": "web",
        "parameters": {"body": "[${client},${number}]"},
        "resource_opts": {**QUICK, "retry_interval": "100ms", **options},
        **(more or {}),
    }
    await it.apply({"http:web": {"url": url, "resource_opts": QUICK}}, {"http:out": action})


def offer(it: Managed, numbers: range, clients: int = 7) -> None:
    for number in numbers:
        client = number % clients
        it.offer("http:out", {"client": client, "number": number}, 1 + client)


def in_order(server: HttpServer) -> int:
    """How many different rows came; those of each client in their order."""
    came: dict[int, list[int]] = defaultdict(list)
    for asked in server.asked:
        client, number = asked.json()
        if number not in came[client]:  # one whose connection broke may come twice
            came[client].append(number)
    assert all(numbers == sorted(numbers) for numbers in came.values())
    return sum(map(len, came.values()))


async def test_an_outage_under_traffic_loses_nothing_and_keeps_order(it: Managed) -> None:
    buffer_of = it.real
    async with http_server() as server:
        await begin(it, server.url, inflight_window=16)
        await it.until("action", "http:out", State.CONNECTED)
        for start in range(0, 500, 50):
            offer(it, range(start, start + 50))
            await asyncio.sleep(0)
            assert adds_up(buffer_of["http:out"].counters())
    for start in range(500, 2000, 50):
        offer(it, range(start, start + 50))
        await asyncio.sleep(0)
        assert adds_up(buffer_of["http:out"].counters())
    await it.until("connector", "http:web", State.DISCONNECTED)
    async with http_server(server):
        counters = await it.until_counted("http:out", success=2000, queuing=0, inflight=0)
    assert (counters.failed, counters.dropped) == (0, 0)
    assert in_order(server) == 2000


async def test_answers_of_all_kinds_under_traffic_add_up(it: Managed) -> None:
    async with http_server() as server:
        statuses = [200, 503, 200, 400, 429, 200]

        def decide(_asked: object) -> object:
            server.status = statuses[len(server.asked) % len(statuses)]
            return {}

        server.decide = decide
        await begin(it, server.url, retry_interval="1ms")
        offer(it, range(300))
        while True:
            counters = it.real["http:out"].counters()
            assert adds_up(counters), counters
            if not counters.queuing + counters.inflight:
                break
            await asyncio.sleep(0.005)
    assert counters.success + counters.failed == 300
    assert counters.failed > 0
    assert counters.retried > 0


async def test_what_the_memory_does_not_hold_waits_on_disk_and_comes_in_order(
    it: Managed, tmp_path: Path
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    options = {"max_buffer_bytes": "16KB", "buffer_mode": "volatile_offload"}
    await begin(it, nowhere, **options)
    await it.until("connector", "http:web", State.DISCONNECTED)
    offer(it, range(2000))
    await it.until_counted("http:out", queuing=2000)
    assert list((tmp_path / "actions").rglob("*"))
    async with http_server() as server:
        await begin(it, server.url, **options)
        counters = await it.until_counted("http:out", success=2000)
        assert in_order(server) == 2000
    assert counters.dropped == 0


async def test_a_full_buffer_drops_and_counts(it: Managed) -> None:
    await begin(it, f"http://127.0.0.1:{free_port()}", max_buffer_bytes="16KB")
    await it.until("connector", "http:web", State.DISCONNECTED)
    offer(it, range(2000))
    counters = it.real["http:out"].counters()
    assert adds_up(counters)
    assert counters.dropped_queue_full == counters.dropped > 0
    assert counters.matched == 2000


async def test_what_expires_goes_to_the_fallback_with_its_row(it: Managed) -> None:
    async with http_server() as server:
        nowhere = f"http://127.0.0.1:{free_port()}"
        fallbacks = [{"kind": "reference", "type": "http", "name": "other"}]
        options = {"resource_opts": {**QUICK, "request_ttl": f"{round(TTL_S * 1000)}ms"}}
        parameters = {"path": "/${client}", "body": "${.}"}
        await it.apply(
            {"http:web": {"url": nowhere, "resource_opts": QUICK}, "http:up": {"url": server.url}},
            {
                "http:out": {"connector": "web", "fallback_actions": fallbacks, **options},
                "http:other": {"connector": "up", "parameters": parameters},
            },
        )
        offer(it, range(20), clients=4)
        await it.until_counted("http:out", dropped_expired=20, queuing=0, inflight=0)
        await it.until_counted("http:other", success=20)
        assert sorted(asked.json()["number"] for asked in server.asked) == list(range(20))
        assert {asked.path for asked in server.asked} == {"/0", "/1", "/2", "/3"}


async def test_without_a_fallback_what_expires_is_counted(it: Managed) -> None:
    await begin(it, f"http://127.0.0.1:{free_port()}", request_ttl=f"{round(TTL_S * 1000)}ms")
    offer(it, range(50))
    await it.until_counted("http:out", dropped_expired=50, dropped=50, queuing=0)


async def test_at_the_end_what_waits_is_sent_and_a_batch_waits_for_no_more(it: Managed) -> None:
    async with http_server() as server:
        server.gate = asyncio.Event()
        await begin(it, server.url, inflight_window=2, batch_time="1m")
        await it.until("action", "http:out", State.CONNECTED)
        offer(it, range(100))
        draining = asyncio.create_task(it.manager.drain(60))
        await server.until_under_way(1)
        assert not draining.done()
        server.gate.set()
        await draining
        counters = it.real["http:out"].counters()
        assert (counters.success, counters.queuing, counters.inflight) == (100, 0, 0)


async def test_the_end_waits_for_no_service_longer_than_it_may(
    it: Managed, caplog: pytest.LogCaptureFixture
) -> None:
    async with http_server() as server:
        server.gate = asyncio.Event()
        await begin(it, server.url, inflight_window=2)
        await it.until("action", "http:out", State.CONNECTED)
        offer(it, range(100))
        await server.until_under_way(2)
        await it.manager.drain(0.01)
        it.manager.say_what_waits()
        counters = it.real["http:out"].counters()
    assert adds_up(counters)
    assert (counters.queuing, counters.inflight) == (98, 2)
    assert "action http:out: 98 messages that waited are dropped" in caplog.text
    assert "action http:out: 2 messages are under way" in caplog.text


async def test_what_had_its_time_gets_no_more_when_all_stops(
    it: Managed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rookery.connectors.running.GRACE_S", 3600.0)
    async with http_server() as server:
        server.gate = asyncio.Event()
        await begin(it, server.url)
        await it.until("action", "http:out", State.CONNECTED)
        offer(it, range(1))
        await server.until_under_way(1)
        await it.manager.drain(0.01)
        it.manager.say_what_waits()
        await it.manager.stop()  # the service never answers


async def test_the_end_waits_for_no_service_that_is_away(it: Managed) -> None:
    await begin(it, f"http://127.0.0.1:{free_port()}")
    await it.until("connector", "http:web", State.DISCONNECTED)
    offer(it, range(5))
    await it.manager.drain(60)
    assert it.real["http:out"].counters().queuing == 5


async def test_at_the_end_a_fallback_gets_what_fails(it: Managed) -> None:
    async with http_server() as server:
        server.status = 400
        fallbacks = [{"kind": "reference", "type": "http", "name": "other"}]
        connectors = {"http:web": {"url": server.url}, "http:up": {"url": server.url}}
        actions: dict[str, dict[str, Any]] = {
            "http:out": {"connector": "web", "fallback_actions": fallbacks},
            "http:other": {"connector": "up"},
        }
        await it.apply(connectors, actions)
        await it.until("action", "http:out", State.CONNECTED)
        await it.until("action", "http:other", State.CONNECTED)
        offer(it, range(30))
        await it.manager.drain(60)
        for name in ("http:out", "http:other"):
            counters = it.real[name].counters()
            assert (counters.failed, counters.queuing + counters.inflight) == (30, 0), name


async def test_a_core_that_ends_first_makes_no_noise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with http_server() as server:
        broker = rookery.Broker()
        await broker.start()
        async with managed(tmp_path, core=broker.actions) as it:
            await begin(it, server.url)
            offer(it, range(1))
            await it.until_counted("http:out", success=1)
            await broker.stop()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_template_that_is_none_is_refused_before_anything_changes(it: Managed) -> None:
    async with http_server() as server:
        await begin(it, server.url)
        with pytest.raises(rookery.RookeryError, match="http:out"):
            await begin(it, server.url, {"parameters": {"body": "${never closed"}})
        offer(it, range(1))
        await it.until_counted("http:out", success=1)
