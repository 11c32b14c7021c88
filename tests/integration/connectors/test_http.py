"""HTTP actions against a real server: what is asked, outages, slowness, refusals."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.connector_manager import Managed, managed
from harness.http_service import Asked, HttpServer, http_server
from harness.ports import free_port
from rookery.access.errors import SettingError
from rookery.connectors.base import ConnectorError
from rookery.connectors.registry import parse_action, parse_connector
from rookery.connectors.status import State

QUICK = {"health_check_interval": "100ms"}


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    async with http_server() as running:
        yield running


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Managed]:
    async with managed(tmp_path) as made:
        yield made


async def begin(it: Managed, url: str, connector: Any = None, **action: Any) -> None:
    """One connector with one action; ``action`` are its parameters or ``resource_opts``."""
    options = {**QUICK, "retry_interval": "100ms", **action.pop("resource_opts", {})}
    await it.apply(
        {"http:web": {"url": url, "resource_opts": QUICK, **(connector or {})}},
        {"http:out": {"connector": "web", "parameters": action, "resource_opts": options}},
    )


async def test_the_row_is_posted_as_json(it: Managed, server: HttpServer) -> None:
    await begin(it, f"{server.url}/in?key=1", path="/row")
    it.buffers["http:out"].offer('{"a":1}')
    await it.until_counted("http:out", success=1)
    [asked] = server.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/in/row", {"key": "1"})
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"] == "rookery"
    assert asked.json() == {"a": 1}


async def test_what_clients_sent_is_encoded_where_it_stands(
    it: Managed, server: HttpServer
) -> None:
    await begin(
        it,
        server.url + "/${topic}",
        {"headers": {"authorization": "Bearer key", "x-client": "${clientid}"}},
        path="?who=${clientid}",
        method="put",
        headers={"content-type": "text/plain"},
        body="${payload}",
    )
    # topic, clientid, payload: in the order of the URL, then headers and body
    it.buffers["http:out"].offer("a/b c?x#y", "m&n=1/ü", b"\xff\x00")
    await it.until_counted("http:out", success=1)
    [asked] = server.asked
    assert asked.path == "/a/b%20c%3Fx%23y"
    assert asked.query == {"who": "m&n=1/ü"}
    assert asked.headers["x-client"] == "m&n=1/ü"
    assert asked.headers["authorization"] == "Bearer key"
    assert asked.headers["content-type"] == "text/plain"
    assert asked.body == b"\xff\x00"


@pytest.mark.parametrize("value", ["../admin", "a/../../b", "..", "."])
async def test_a_value_cannot_lead_out_of_the_path(
    it: Managed, server: HttpServer, value: str
) -> None:
    await begin(it, server.url + "/public/${topic}", body="x")
    it.buffers["http:out"].offer(value, "x")
    await it.until_counted("http:out", failed=1)
    assert not server.asked


async def test_a_value_cannot_add_a_header(it: Managed, server: HttpServer) -> None:
    await begin(it, server.url, headers={"x-a": "${a}"}, body="x")
    it.buffers["http:out"].offer("1\r\nx-evil: 1", "x")
    await it.until_counted("http:out", failed=1)
    assert not server.asked


@pytest.mark.parametrize(
    ("status", "outcome"), [(204, "success"), (302, "failed"), (400, "failed"), (404, "failed")]
)
async def test_an_answer_is_final(
    it: Managed, server: HttpServer, status: int, outcome: str
) -> None:
    server.status = status
    await begin(it, server.url)
    it.buffers["http:out"].offer("{}")
    await it.until_counted("http:out", **{outcome: 1, "inflight": 0})
    assert len(server.asked) == 1
    assert it.manager.status("action", "http:out").is_connected


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_answer_that_may_change_is_asked_for_again_in_order(
    it: Managed, server: HttpServer, status: int
) -> None:
    server.status = status
    answered = asyncio.Event()

    def decide(_asked: Asked) -> object:
        if len(server.asked) >= 3:
            server.status = 200
            answered.set()
        return {}

    server.decide = decide
    await begin(it, server.url, resource_opts={"query_mode": "sync"})
    for number in range(3):
        it.buffers["http:out"].offer(f"{number}", key=1)
    counters = await it.until_counted("http:out", success=3)
    assert counters.retried == 2
    assert [asked.json() for asked in server.asked] == [0, 0, 0, 1, 2]
    error = it.manager.last_error("http:out")
    assert error is not None
    assert f"answered {status}" in error.words.en


async def test_a_server_that_hangs_is_asked_again_and_nothing_is_lost(
    it: Managed, server: HttpServer
) -> None:
    server.gate = asyncio.Event()
    await begin(it, server.url, request_timeout="50ms")
    it.buffers["http:out"].offer("1")
    while not it.buffers["http:out"].counters().retried:
        await asyncio.sleep(0.01)
    server.gate.set()
    await it.until_counted("http:out", success=1, inflight=0)
    error = it.manager.last_error("http:out")
    assert error is not None
    assert "did not answer within 0.05 s" in error.words.en


async def test_a_slow_server_is_asked_by_as_many_as_there_are_connections(
    it: Managed, server: HttpServer
) -> None:
    server.gate = asyncio.Event()
    await begin(it, server.url, {"pool_size": 3}, resource_opts={"inflight_window": 10})
    for number in range(50):
        it.buffers["http:out"].offer(f"{number}")
    await server.until_under_way(3)
    await it.until_counted("http:out", inflight=10, queuing=40)
    server.gate.set()
    await it.until_counted("http:out", success=50)
    assert server.most_under_way == 3


async def test_what_comes_while_the_server_is_down_arrives_in_order(it: Managed) -> None:
    arrived: dict[int, list[int]] = defaultdict(list)
    async with http_server() as server:
        await begin(it, server.url, resource_opts={"inflight_window": 8})
        await it.until("action", "http:out", State.CONNECTED)
        buffer = it.buffers["http:out"]
        for number in range(100):
            buffer.offer(json.dumps([number % 7, number]), key=1 + number % 7)
            await asyncio.sleep(0)
    # It is down now, in the middle of the traffic.
    for number in range(100, 300):
        buffer.offer(json.dumps([number % 7, number]), key=1 + number % 7)
        await asyncio.sleep(0)
    status = await it.until("connector", "http:web", State.DISCONNECTED)
    assert status.reason is not None
    assert status.reason.en.startswith(f"connect to {server.url.removeprefix('http://')} refused:")
    assert status.reason.zh != status.reason.en
    assert it.manager.status("action", "http:out").state is State.DISCONNECTED
    async with http_server(server):
        await it.until("action", "http:out", State.CONNECTED)
        for number in range(300, 320):
            buffer.offer(json.dumps([number % 7, number]), key=1 + number % 7)
        counters = await it.until_counted("http:out", success=320, queuing=0, inflight=0)
    assert counters.failed == counters.dropped == 0
    for asked in server.asked:
        client, number = asked.json()
        if number not in arrived[client]:  # a request that broke may have been taken already
            arrived[client].append(number)
    assert sum(map(len, arrived.values())) == 320
    for numbers in arrived.values():
        assert numbers == sorted(numbers)


async def test_a_connection_that_the_server_closed_meanwhile_is_no_failure(it: Managed) -> None:
    async with http_server() as server:
        await begin(it, server.url, connector={"resource_opts": {"health_check_interval": "1h"}})
        it.buffers["http:out"].offer("1")
        await it.until_counted("http:out", success=1)
    async with http_server(server):
        it.buffers["http:out"].offer("2")
        counters = await it.until_counted("http:out", success=2)
    assert counters.retried == 0


async def test_queued_messages_survive_a_change_of_settings(
    it: Managed, server: HttpServer
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    await begin(it, nowhere)
    await it.until("connector", "http:web", State.DISCONNECTED)
    for number in range(5):
        it.buffers["http:out"].offer(f"{number}", key=1)
    await begin(it, server.url)
    await it.until_counted("http:out", success=5)
    assert [asked.json() for asked in server.asked] == list(range(5))


async def test_what_rules_made_for_other_settings_is_not_sent(
    it: Managed, server: HttpServer
) -> None:
    await begin(it, server.url, body="${payload}")
    it.buffers["http:out"].offer("old")
    await it.until_counted("http:out", success=1)
    await begin(it, server.url, path="/${clientid}", body="${payload}")
    it.buffers["http:out"].offer("old")  # by rules that were not told yet
    await it.until_counted("http:out", dropped_resource_stopped=1)
    it.manager.rules_are_put()
    it.buffers["http:out"].offer("c1", "new")
    await it.until_counted("http:out", success=2, inflight=0)
    assert [(asked.path, asked.body) for asked in server.asked] == [("/", b"old"), ("/c1", b"new")]


async def test_a_disabled_action_takes_nothing_and_counts_what_it_does_not_take(
    it: Managed, server: HttpServer
) -> None:
    connectors = {"http:web": {"url": server.url}}
    action = {"connector": "web", "enable": False}
    await it.apply(connectors, {"http:out": action})
    it.buffers["http:out"].offer("1")
    await it.until_counted("http:out", dropped_resource_stopped=1)
    status = await it.manager.settled("action", "http:out")
    assert (status.state, status.reason and status.reason.en) == (State.DISCONNECTED, "disabled")
    await it.apply(connectors, {"http:out": {**action, "enable": True}})
    it.buffers["http:out"].offer("2")
    await it.until_counted("http:out", success=1)
    assert [asked.json() for asked in server.asked] == [2]


async def test_what_waits_for_an_action_that_is_switched_off_is_sent_later(
    it: Managed, server: HttpServer
) -> None:
    connectors = {"http:web": {"url": server.url}}
    off = {"http:web": {"url": server.url, "enable": False}}
    actions = {"http:out": {"connector": "web"}}
    await it.apply({"http:web": {"url": f"http://127.0.0.1:{free_port()}"}}, actions)
    it.buffers["http:out"].offer("1")
    await it.apply(off, actions)
    it.buffers["http:out"].offer("2")
    await it.until_counted("http:out", queuing=1, dropped_resource_stopped=1)
    await it.apply(connectors, actions)
    await it.until_counted("http:out", success=1)
    assert [asked.json() for asked in server.asked] == [1]


async def test_what_did_not_change_goes_on(it: Managed, server: HttpServer) -> None:
    await begin(it, server.url)
    await it.until("action", "http:out", State.CONNECTED)
    heard = list(it.heard)
    await begin(it, server.url, {"description": "ours", "tags": ["a"]})
    assert it.heard == heard


async def test_a_connector_can_be_halted_and_started(it: Managed, server: HttpServer) -> None:
    await begin(it, server.url)
    await it.until("action", "http:out", State.CONNECTED)
    await it.manager.halt("connector", "http:web")
    assert it.manager.status("connector", "http:web").state is State.DISCONNECTED
    it.buffers["http:out"].offer("1")
    await it.until_counted("http:out", queuing=1)
    await it.manager.start("connector", "http:web")
    await it.until_counted("http:out", success=1)
    await it.manager.halt("action", "http:out")
    it.buffers["http:out"].offer("2")
    await it.until_counted("http:out", dropped_resource_stopped=1)
    await it.manager.restart("action", "http:out")
    it.buffers["http:out"].offer("3")
    await it.until_counted("http:out", success=2)


async def test_settings_that_do_not_fit_together_change_nothing(
    it: Managed, server: HttpServer
) -> None:
    await begin(it, server.url)
    with pytest.raises(SettingError, match="there is no connector nowhere"):
        await it.apply({}, {"http:out": {"connector": "nowhere"}})
    circle = [{"kind": "reference", "type": "http", "name": "out"}]
    with pytest.raises(SettingError, match="lead back"):
        await it.apply(
            {"http:web": {"url": server.url}},
            {"http:out": {"connector": "web", "fallback_actions": circle}},
        )
    it.buffers["http:out"].offer("1")
    await it.until_counted("http:out", success=1)


async def test_what_one_service_refuses_another_gets(it: Managed, server: HttpServer) -> None:
    def decide(asked: Asked) -> object:
        server.status = 400 if asked.path == "/first" else 200
        return {}

    server.decide = decide
    other = [{"kind": "reference", "type": "http", "name": "second"}]
    again = [{"kind": "republish", "args": {"topic": "failed", "payload": "${.}"}}]
    first = {"connector": "web", "parameters": {"path": "/first"}, "fallback_actions": other}
    second = {"connector": "web", "parameters": {"path": "/second"}}
    await it.apply({"http:web": {"url": server.url}}, {"http:first": first, "http:second": second})
    row = '{"t": 81}'
    it.buffers["http:first"].offer(row, row)  # the body, and the row for the fallback
    await it.until_counted("http:first", failed=1)
    await it.until_counted("http:second", success=1)
    assert [(asked.path, asked.json()) for asked in server.asked] == [
        ("/first", {"t": 81}),
        ("/second", {"t": 81}),
    ]
    await it.apply(
        {"http:web": {"url": server.url}}, {"http:first": {**first, "fallback_actions": again}}
    )
    it.buffers["http:first"].offer(row, row)
    await it.until_counted("http:first", failed=2)
    while not it.published:
        await asyncio.sleep(0.01)
    assert it.published == [("failed", row.encode())]


async def test_a_probe_says_what_is_wrong_before_anything_is_made(
    it: Managed, server: HttpServer
) -> None:
    action = parse_action("http", {"connector": "web", "parameters": {"body": "x"}})
    good = parse_connector("http", {"url": server.url})
    await it.manager.probe_connector("http", good)
    await it.manager.probe_action("http", action, good)
    port = free_port()
    bad = parse_connector("http", {"url": f"http://127.0.0.1:{port}"})
    with pytest.raises(ConnectorError, match=f"connect to 127.0.0.1:{port} refused"):
        await it.manager.probe_connector("http", bad)
    with pytest.raises(ConnectorError, match="refused"):
        await it.manager.probe_action("http", action, bad)
    assert not server.asked


async def test_no_secret_is_logged(
    it: Managed, caplog: pytest.LogCaptureFixture, server: HttpServer
) -> None:
    caplog.set_level("DEBUG")
    server.status = 500
    url = f"{server.url}/x?token=s3cr3t"
    await begin(it, url, {"headers": {"authorization": "Bearer s3cr3t"}})
    it.buffers["http:out"].offer("1")
    while not it.buffers["http:out"].counters().retried:
        await asyncio.sleep(0.01)
    assert "answered 500" in caplog.text
    assert "s3cr3t" not in caplog.text


async def test_stopping_does_not_wait_for_a_server_that_hangs(
    tmp_path: Path, server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rookery.connectors.running.GRACE_S", 0.05)
    server.gate = asyncio.Event()
    async with managed(tmp_path) as it:
        await begin(it, server.url)
        it.buffers["http:out"].offer("1")
        await server.until_under_way(1)
    counters = it.buffers["http:out"].counters()
    assert (counters.queuing, counters.inflight) == (0, 0)
    assert counters.dropped_resource_stopped == 1
