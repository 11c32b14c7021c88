"""What a node tells about itself and its clients below $SYS, to whoever may read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import RawClient
from harness.node import Node, fresh_name
from harness.operator import Operator, operated
from harness.packets import Subscribe, Subscription

SETTINGS = {
    "sys_topics.sys_msg_interval": "1s",
    "sys_topics.sys_heartbeat_interval": "1s",
    "sys_topics.sys_event_messages.client_subscribed": "true",
    "sys_topics.sys_event_messages.client_unsubscribed": "true",
}
PREFIX = "$SYS/brokers/rookery@127.0.0.1"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with operated(tmp_path_factory.mktemp("node"), settings=SETTINGS) as running:
        yield running


@pytest.fixture
def node(operator: Operator) -> Node:
    return operator.node


def watcher(node: Node, client_id: str, *events: str) -> RawClient:
    client = node.connect(level=5)
    client.subscribe(*(f"{PREFIX}/clients/{client_id}/{event}" for event in events or ["+"]))
    return client


def notice(client: RawClient, event: str) -> dict[str, Any]:
    message = client.receive()
    assert message.topic_name.rpartition("/")[2] == event
    told: dict[str, Any] = json.loads(message.payload)
    return told


def test_a_notice_says_who_came_and_how(node: Node) -> None:
    name = fresh_name("device-")
    sys = watcher(node, name)
    node.connect(name, 5, keep_alive=30, properties={"session_expiry_interval": 60}).disconnect()

    came, went = notice(sys, "connected"), notice(sys, "disconnected")

    assert came["clientid"] == went["clientid"] == name
    assert (came["ipaddress"], came["sockport"]) == ("127.0.0.1", node.port)
    assert (came["proto_name"], came["proto_ver"], came["protocol"]) == ("MQTT", 5, "mqtt")
    assert (came["keepalive"], came["clean_start"], came["expiry_interval"]) == (30, True, 60)
    assert came["conn_props"]["Session-Expiry-Interval"] == 60
    assert came["receive_maximum"] == 32
    assert came["client_attrs"] == {}
    assert went["reason"] == "normal"
    assert went["disconn_props"] == {}
    assert came["generation"] == went["generation"]
    assert came["connected_at"] == went["connected_at"] <= went["disconnected_at"]


def test_generations_order_a_client_that_comes_again_and_again(node: Node, level: int) -> None:
    name = fresh_name("device-")
    sys = watcher(node, name)
    for _ in range(3):
        node.connect(name, level).disconnect()

    told = [notice(sys, event)["generation"] for event in ("connected", "disconnected") * 3]

    assert told == sorted(told)
    assert len(set(told)) == 3


@pytest.mark.parametrize("clean_start", [True, False])
def test_a_take_over_is_told_in_order(node: Node, level: int, clean_start: bool) -> None:
    name = fresh_name("device-")
    sys = watcher(node, name)
    node.durable(name, level, clean_start=clean_start)
    node.durable(name, level, clean_start=clean_start)

    first, gone, second = (notice(sys, e) for e in ("connected", "disconnected", "connected"))

    assert gone["reason"] == ("discarded" if clean_start else "takenover")
    assert first["generation"] == gone["generation"] < second["generation"]


def test_a_client_that_dies_or_is_kicked_is_told(operator: Operator) -> None:
    name = fresh_name("device-")
    sys = watcher(operator.node, name, "disconnected")
    operator.node.connect(name).drop()
    assert notice(sys, "disconnected")["reason"] == "tcp_closed"

    operator.node.connect(name)
    operator.rest.delete(f"/clients/{name}")
    assert notice(sys, "disconnected")["reason"] == "kicked"


def test_who_is_refused_is_not_told(node: Node, tmp_path: Path) -> None:
    with operated(
        tmp_path, "authentication = [{mechanism = password_based, backend = built_in_database}]"
    ) as other:
        other.add_user("reader", "secret", is_superuser=True)
        sys = other.login("reader", "secret")
        sys.subscribe(f"{PREFIX}/clients/#")
        assert other.refusal("nobody", "wrong") != 0
        with other.login("reader", "secret", client_id="good"):
            assert notice(sys, "connected")["clientid"] == "good"


def test_generations_rise_over_restarts(tmp_path: Path) -> None:
    told = []
    with operated(tmp_path) as other:
        for _ in range(2):
            sys = watcher(other.node, "device", "connected")
            other.node.connect("device")
            told.append(notice(sys, "connected")["generation"])
            other.node.restart()

    assert told[0] < told[1]


def test_subscriptions_are_told(node: Node) -> None:
    name = fresh_name("device-")
    sys = watcher(node, name, "subscribed", "unsubscribed")
    client = node.connect(name, 5)
    for is_new in (True, False):
        client.send(Subscribe(1, [Subscription("a/+", 1)], {"subscription_identifier": 7}))
        made = notice(sys, "subscribed")
        assert made["topic"] == "a/+"
        assert made["subopts"] == {
            "qos": 1,
            "nl": 0,
            "rap": 0,
            "rh": 0,
            "is_new": is_new,
            "sub_props": {"Subscription-Identifier": 7},
        }
        client.receive_packet()
    client.unsubscribe("a/+")
    assert notice(sys, "unsubscribed")["topic"] == "a/+"


def test_notices_can_be_switched_while_the_node_runs(tmp_path: Path) -> None:
    with operated(tmp_path) as other:
        sys = watcher(other.node, "+")
        other.file.write_text(
            "sys_topics.sys_event_messages {client_connected = false, client_subscribed = true}"
        )
        other.rest.post("/configs_reload")
        client = other.node.connect("device")
        client.subscribe("t")
        assert notice(sys, "subscribed")["clientid"] == "device"
        client.disconnect()
        assert notice(sys, "disconnected")["clientid"] == "device"


def test_the_node_tells_about_itself_again_and_again(node: Node) -> None:
    client = node.connect(level=5)
    names = ("uptime", "datetime", "version", "stats/connections/count", "metrics/bytes/received")
    client.subscribe(*(f"{PREFIX}/{name}" for name in names))
    seen: dict[str, list[bytes]] = {name: [] for name in names}
    while any(len(payloads) < 2 for payloads in seen.values()):
        message = client.receive()
        seen[message.topic_name.removeprefix(f"{PREFIX}/")].append(message.payload)
    assert int(seen["uptime"][0]) < int(seen["uptime"][1])
    assert int(seen["metrics/bytes/received"][0]) <= int(seen["metrics/bytes/received"][1])
    assert seen["version"][0] == seen["version"][1] != b""


def test_what_does_not_change_is_retained(tmp_path: Path) -> None:
    with operated(tmp_path) as other:
        other.api.get("/node")  # the first report was made
        client = other.node.connect(level=5)
        client.subscribe("$SYS/brokers", f"{PREFIX}/version", f"{PREFIX}/sysdescr")
        told = {client.receive(retain=True).topic_name for _ in range(3)}
        assert told == {"$SYS/brokers", f"{PREFIX}/version", f"{PREFIX}/sysdescr"}


def test_intervals_can_be_switched_off(tmp_path: Path) -> None:
    settings = {
        "sys_topics.sys_msg_interval": "disabled",
        "sys_topics.sys_heartbeat_interval": "1s",
    }
    with operated(tmp_path, settings=settings) as other:
        client = other.node.connect(level=5)
        client.subscribe("$SYS/#")
        for _ in range(6):
            message = client.receive()
            name = message.topic_name.removeprefix(f"{PREFIX}/")
            assert name in ("uptime", "datetime") or name.startswith("clients/")
