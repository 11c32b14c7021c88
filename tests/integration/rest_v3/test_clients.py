"""Connections, clients, sessions, subscriptions and routes, of real clients."""

from __future__ import annotations

import pytest

from harness.node import fresh_name
from integration.rest_v3.conftest import V3, V3Node

NODE = "rookery@127.0.0.1"


@pytest.mark.parametrize(
    ("noun", "member", "address"),
    [("connections", "client_id", "ipaddress"), ("clients", "clientid", "ip_address")],
)
def test_a_connected_client_is_listed(
    v3: V3Node, app: V3, noun: str, member: str, address: str
) -> None:
    name, user = fresh_name("c"), fresh_name("u")
    with v3.client(name, user):
        for place in ("", f"/nodes/{NODE}"):
            rows = app.data(f"{place}/{noun}/")
            found = [row for row in rows if row[member] == name]
            assert len(found) == 1
            assert (found[0][address], found[0]["username"]) == ("127.0.0.1", user)
            assert app.data(f"{place}/{noun}/{name}")[0][member] == name
            assert [row[member] for row in app.data(f"{place}/{noun}/username/{user}")] == [name]
    assert app.data(f"/{noun}/{fresh_name('nobody')}") == []


def test_lists_have_pages(v3: V3Node, app: V3) -> None:
    user = fresh_name("u")
    with v3.client(fresh_name("c"), user), v3.client(fresh_name("c"), user):
        whole = app.whole("GET", f"/clients?username={user}&_page=2&_limit=1")

    assert whole["meta"] == {"page": 2, "limit": 1, "count": 2}
    assert len(whole["data"]) == 1
    for wrong in ("_page=0", "_limit=10001", "_limit=x", "_page=99999999999"):
        assert app.code("GET", f"/clients?{wrong}") == 108


def test_clients_are_filtered(v3: V3Node, app: V3) -> None:
    name = fresh_name("filtered-")
    with v3.node.connect(name, level=5):
        for said in (f"_like_clientid={name}", f"clientid={name}&proto_ver=5&conn_state=connected"):
            assert [row["clientid"] for row in app.data(f"/clients?{said}")] == [name]
        assert app.data(f"/clients?clientid={name}&proto_ver=4") == []
    for wrong in ("proto_ver=9", "conn_state=gone", "clean_start=maybe"):
        assert app.code("GET", f"/clients?{wrong}") == 108


def test_a_client_is_kicked_out(v3: V3Node, app: V3) -> None:
    name = fresh_name("c/")
    path = "/connections/" + name.replace("/", "%2F")
    client = v3.node.connect(name, level=5)

    assert app.whole("DELETE", path) == {"code": 0}
    client.expect_closed([0x98])
    assert app.code("DELETE", path) == 112


def test_a_session_that_is_away_is_seen_and_ended(v3: V3Node, app: V3) -> None:
    name = fresh_name("s")
    with v3.node.durable(name, 4) as client:
        client.subscribe("away/#", qos=1)

    row = app.data(f"/sessions/{name}")[0]
    assert (row["client_id"], row["subscriptions_count"]) == (name, 1)
    assert name in [row["client_id"] for row in app.data("/sessions/")]
    assert name in [row["client_id"] for row in app.data(f"/nodes/{NODE}/sessions")]
    assert app.data(f"/connections/{name}") == []
    assert app.whole("DELETE", f"/sessions/persistent/{name}") == {"code": 0}
    assert app.data(f"/sessions/{name}") == []


def test_subscriptions_and_routes(v3: V3Node, app: V3) -> None:
    name, topic = fresh_name("c"), fresh_name("plant/") + "/#"
    with v3.node.connect(name) as client:
        client.subscribe(topic, qos=1)
        wanted = {"node": NODE, "topic": topic, "client_id": name, "clientid": name, "qos": 1}
        for place in ("", f"/nodes/{NODE}"):
            assert app.data(f"{place}/subscriptions/{name}") == [wanted]
            assert wanted in app.data(f"{place}/subscriptions")
        route = {"topic": topic, "node": NODE}
        assert route in app.data("/routes")
        assert app.data("/routes/" + topic.replace("#", "%23")) == [route]
        assert app.data("/routes/" + topic.replace("/", "%2F").replace("#", "%23")) == [route]
    assert app.data("/routes/nobody/wants/this") == []
