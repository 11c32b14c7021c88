"""What a node answers on its own socket, and what it tells everybody."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.cluster.alone import Alone
from rookery.broker.management.api import ManagementApi
from rookery.broker.management.context import NodeContext
from rookery.broker.management.status import Status
from rookery.clock import ManualClock
from rookery.observability.metrics import MetricRegistry, StatsRegistry
from rookery.web.sockets import Port
from rookery.words import Words


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


async def ask(app: Any, method: str, target: str, body: Any = None) -> Answer:
    """Send one request."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("node", 80),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(sent[0]["status"], headers, body.decode())


class World:
    def __init__(self) -> None:
        self.stopped = 0
        clock = ManualClock()
        metrics, stats = MetricRegistry(), StatsRegistry()
        metrics.register("core", lambda: {"messages.received": 3})
        stats.register("core", lambda: {"connections.count": 1})
        self.alarms = AlarmRegistry(
            clock, actions=(), size_limit=5, validity_period_s=60, publish=lambda *_: None
        )
        native: Any = None
        alone = Alone("n@h", "c", Words("alone", "单独"), "1.2.3")
        services: Any = SimpleNamespace(cluster=alone)
        self.context = context = NodeContext(
            node_name="n@h",
            version="1.2.3",
            clock=clock,
            started_at_ms=clock.now_ms() - 5000,
            services=services,
            native=native,
            metrics=metrics,
            stats=stats,
            alarms=self.alarms,
            ports=lambda: [Port("tcp:default", "127.0.0.1:1883", "MQTT")],
            stop=self.stop,
        )
        self.status = Status(context)
        self.app = ManagementApi(context, self.status).app()
        self.public = Starlette(routes=[Route("/status", self.status.get)])

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def world() -> World:
    return World()


async def test_status_is_answered_in_emqx_words(world: World) -> None:
    for app in (world.app, world.public):
        text = await ask(app, "GET", "/status")
        as_json = await ask(app, "GET", "/status?format=json")

        assert (text.status, text.text) == (200, "Node n@h is started\nrookery is running")
        assert as_json.json == {
            "node_name": "n@h",
            "broker_status": "started",
            "app_status": "running",
        }


async def test_a_stopping_node_says_come_back_later(world: World) -> None:
    world.context.state.is_running = False

    answer = await ask(world.public, "GET", "/status")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "15"


async def test_node_and_ports(world: World) -> None:
    assert (await ask(world.app, "GET", "/ports")).json == [
        {"listener": "tcp:default", "address": "127.0.0.1:1883", "purpose": "MQTT"}
    ]
    node = (await ask(world.app, "GET", "/node")).json
    assert (node["node"], node["version"], node["uptime"]) == ("n@h", "1.2.3", 5000)


async def test_stop_is_answered_before_it_happens(world: World) -> None:
    answer = await ask(world.app, "POST", "/stop")

    assert answer.status == 202
    assert world.stopped == 1
    assert (await ask(world.app, "GET", "/stop")).status == 405
