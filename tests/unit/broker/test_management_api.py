"""What a node answers on its own socket, and what it tells everybody."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.management.api import ManagementApi
from rookery.broker.management.context import NodeContext, Services
from rookery.broker.management.sockets import Port
from rookery.broker.management.status import Status
from rookery.clock import ManualClock
from rookery.native.models import Client, SubscriptionInfo
from rookery.observability.metrics import MetricRegistry, StatsRegistry


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


def client(client_id: str) -> Client:
    return Client(
        client_id, None, True, "[::1]:5000", "tcp:default", 4, 60, True, 0, 1, 2, None, 7,
        1, 0, 0, 0, 0, False,
    )  # fmt: skip


class FakeNative:
    """Clients by name, in pages."""

    def __init__(self, *client_ids: str) -> None:
        self.by_id = {client_id: client(client_id) for client_id in client_ids}

    def clients(self, cursor: int, limit: int) -> tuple[list[Client], int]:
        everybody = list(self.by_id.values())
        following = cursor + limit
        return everybody[cursor:following], following if following < len(everybody) else 0

    def client(self, client_id: str) -> Client | None:
        return self.by_id.get(client_id)

    def subscriptions(self, client_id: str) -> list[SubscriptionInfo] | None:
        known = client_id in self.by_id
        return [SubscriptionInfo("a/#", 1, True, False, 2)] if known else None

    def kick(self, client_id: str) -> bool:
        return self.by_id.pop(client_id, None) is not None


class World:
    def __init__(self) -> None:
        self.native = FakeNative("a", "b/c", "ü")
        self.stopped = 0
        clock = ManualClock()
        metrics, stats = MetricRegistry(), StatsRegistry()
        metrics.register("core", lambda: {"messages.received": 3})
        stats.register("core", lambda: {"connections.count": 1})
        self.alarms = AlarmRegistry(
            clock, actions=(), size_limit=5, validity_period_s=60, publish=lambda *_: None
        )
        native: Any = self.native
        services: Any = Services.__new__(Services)
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


async def test_clients_come_in_pages(world: World) -> None:
    first = (await ask(world.app, "GET", "/clients?limit=2")).json
    rest = (await ask(world.app, "GET", f"/clients?limit=2&cursor={first['meta']['cursor']}")).json

    assert [row["clientid"] for row in first["data"] + rest["data"]] == ["a", "b/c", "ü"]
    assert rest["meta"]["cursor"] is None


async def test_a_client_has_emqx_names(world: World) -> None:
    row = (await ask(world.app, "GET", "/clients/a")).json

    assert row["clientid"] == "a"
    assert (row["ip_address"], row["port"]) == ("::1", 5000)
    assert (row["proto_name"], row["proto_ver"], row["keepalive"]) == ("MQTT", 4, 60)
    assert "disconnected_at" not in row


@pytest.mark.parametrize("client_id", ["b/c", "ü"])
async def test_a_client_id_may_hold_anything(world: World, client_id: str) -> None:
    found = await ask(world.app, "GET", f"/clients/{client_id}")
    subscriptions = await ask(world.app, "GET", f"/clients/{client_id}/subscriptions")
    kicked = await ask(world.app, "DELETE", f"/clients/{client_id}")
    again = await ask(world.app, "DELETE", f"/clients/{client_id}")

    assert found.json["clientid"] == client_id
    assert subscriptions.json == [
        {"node": "n@h", "clientid": client_id, "topic": "a/#", "qos": 1, "nl": 1, "rap": 0, "rh": 2}
    ]
    assert (kicked.status, again.status) == (204, 404)


async def test_who_is_not_there_is_not_found(world: World) -> None:
    for path in ("/clients/nobody", "/clients/nobody/subscriptions"):
        answer = await ask(world.app, "GET", path)
        assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")


async def test_a_wrong_page_is_refused(world: World) -> None:
    answer = await ask(world.app, "GET", "/clients?limit=0")

    assert (answer.status, answer.json["code"]) == (400, "BAD_REQUEST")


async def test_stop_is_answered_before_it_happens(world: World) -> None:
    answer = await ask(world.app, "POST", "/stop")

    assert answer.status == 202
    assert world.stopped == 1
    assert (await ask(world.app, "GET", "/stop")).status == 405
