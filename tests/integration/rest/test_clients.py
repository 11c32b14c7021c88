"""``/clients`` of a real node: lists, one client, and what an operator does to it."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from harness.client import RawClient
from harness.node import HOST, fresh_name
from harness.operator import Operator
from harness.packets import Connect, Disconnect, Publish
from harness.rest import RestSocket
from harness.wire import Properties

LEVELS = {3: "MQIsdp", 4: "MQTT", 5: "MQTT"}


@contextlib.contextmanager
def connected(
    operator: Operator, client_id: str, level: int = 5, *, expiry_s: int = 0, **fields: Any
) -> Iterator[RawClient]:
    """A client that is there; with ``expiry_s`` its session stays when it goes."""
    with RawClient(HOST, operator.node.port, level) as client:
        properties: Properties = {"session_expiry_interval": expiry_s} if expiry_s else {}
        fields.setdefault("keep_alive", 60)
        client.connect(Connect(client_id, not expiry_s, properties=properties, **fields))
        yield client


def leave_session(operator: Operator, client_id: str, *filters: str) -> None:
    """A client that is away and whose session stays."""
    with connected(operator, client_id, expiry_s=3600) as client:
        if filters:
            client.subscribe(*filters, qos=1)
        client.disconnect()


def names(rest: RestSocket, query: str) -> list[str]:
    """Client identifiers of a list."""
    return [row["clientid"] for row in rest.ask("GET", f"/clients?{query}").json["data"]]


def test_a_client_is_shown_whole(shared: Operator, asks: RestSocket) -> None:
    for level, protocol in LEVELS.items():
        client_id = fresh_name("c")
        with connected(shared, client_id, level, username="plant", keep_alive=77) as client:
            client.subscribe("t", qos=0)
            client.publish("t", b"12345", qos=1)
            client.receive("t")
            client.fence()
            row = asks.ask("GET", f"/clients/{client_id}").json
        assert (row["clientid"], row["username"], row["connected"]) == (client_id, "plant", True)
        assert (row["proto_name"], row["proto_ver"], row["keepalive"]) == (protocol, level, 77)
        assert (row["ip_address"], row["listener"]) == (HOST, "tcp:default")
        assert row["clean_start"] is True
        assert row["node"].startswith("rookery@")
        assert (row["subscriptions_cnt"], row["subscriptions_max"]) == (1, "infinity")
        assert (row["inflight_max"], row["mqueue_max"], row["awaiting_rel_max"]) == (32, 1000, 100)
        assert (row["recv_msg"], row["recv_msg.qos1"], row["send_msg"]) == (1, 1, 1)
        assert row["recv_pkt"] >= 4
        assert row["send_oct"] > 20
        assert "disconnected_at" not in row


def test_a_restart_changes_nothing_of_a_client_that_is_away(
    operator: Operator, rest: RestSocket
) -> None:
    leave_session(operator, "away", "a/b")
    before = rest.ask("GET", "/clients/away").json
    operator.node.restart()
    after = rest.ask("GET", "/clients/away").json
    assert after == before
    assert (after["ip_address"], after["keepalive"]) == (HOST, 60)
    assert names(rest, f"ip_address={HOST}&lte_connected_at={after['disconnected_at']}") == ["away"]
    assert names(rest, "ip_address=0.0.0.0") == []


def test_a_client_that_is_away_is_shown_while_its_session_lives(
    shared: Operator, asks: RestSocket
) -> None:
    client_id = fresh_name("away/")
    leave_session(shared, client_id, "a/b")
    row = asks.ask("GET", f"/clients/{quote(client_id, safe='')}").json
    assert (row["connected"], row["subscriptions_cnt"], row["expiry_interval"]) == (False, 1, 3600)
    assert row["disconnected_at"] >= row["connected_at"]
    assert names(asks, f"clientid={quote(client_id, safe='')}&conn_state=disconnected") == [
        client_id
    ]
    assert names(asks, f"clientid={quote(client_id, safe='')}&conn_state=connected") == []
    assert asks.ask("GET", "/clients/nobody").problem == (404, "CLIENTID_NOT_FOUND")


def test_lists_are_filtered_sorted_and_cut(operator: Operator, rest: RestSocket) -> None:
    for number in range(5):
        leave_session(operator, f"away-{number}")
    with contextlib.ExitStack() as clients:
        for number in range(4):
            clients.enter_context(connected(operator, f"v3-{number}", 4, username="u-three"))
            clients.enter_context(connected(operator, f"v5-{number}", 5, username=f"u{number}"))
        page = rest.ask("GET", "/clients?page=2&limit=5").json
        assert page["meta"] == {"page": 2, "limit": 5, "count": 13, "hasnext": True}
        assert len(page["data"]) == 5
        assert len({*names(rest, "limit=100")}) == 13
        assert names(rest, "page=1000000&limit=10000") == []
        assert names(rest, "conn_state=disconnected&sort=clientid&order=desc&limit=2") == [
            "away-4",
            "away-3",
        ]
        assert {*names(rest, "proto_ver=4")} == {f"v3-{n}" for n in range(4)}
        assert {*names(rest, "username=u1&username=u2")} == {"v5-1", "v5-2"}
        assert {*names(rest, "clientid=v5-3&clientid=away-0&clientid=no")} == {"v5-3", "away-0"}
        assert {*names(rest, "like_clientid=way&clean_start=false")} == {
            f"away-{n}" for n in range(5)
        }
        assert len(names(rest, "like_username=three&ip_address=127.0.0.1")) == 4
        assert names(rest, "ip_address=192.0.2.1") == []
        assert names(rest, "conn_state=idle") == []
        assert names(rest, "gte_connected_at=4000000000000") == []
        assert len(names(rest, "lte_created_at=2999-01-01T00:00:00%2B08:00")) == 13
        row = rest.ask("GET", "/clients?clientid=v5-0&fields=clientid,recv_msg.qos1").json["data"]
        assert row == [{"clientid": "v5-0", "recv_msg.qos1": 0}]


def test_a_cursor_passes_every_client_once(operator: Operator, rest: RestSocket) -> None:
    for number in range(7):
        leave_session(operator, f"c{number}")
    seen: list[str] = []
    query = ""
    while True:
        answer = rest.ask("GET", f"/clients_v2?limit=3&fields=clientid{query}").json
        seen += [row["clientid"] for row in answer["data"]]
        assert answer["meta"]["count"] == len(answer["data"])
        if not answer["meta"]["hasnext"]:
            break
        query = f"&cursor={answer['meta']['cursor']}"
    assert sorted(seen) == [f"c{number}" for number in range(7)]
    # A page that is full is the last one where nobody follows.
    for query in ("limit=7", "limit=1&clientid=c3"):
        meta = rest.ask("GET", f"/clients_v2?{query}").json["meta"]
        assert (meta["hasnext"], meta.get("cursor")) == (False, None)


@pytest.mark.parametrize(
    "query",
    ["ip_address=x", "fields=clientid,heap", "proto_ver=6", "gte_created_at=soon", "node=no@one"],
)
def test_parameters_that_make_no_sense_are_refused(asks: RestSocket, query: str) -> None:
    assert asks.ask("GET", f"/clients?{query}").problem == (400, "INVALID_PARAMETER")


@pytest.mark.parametrize("query", ["page=0", "limit=10001", "conn_state=x", "sort=heap_size"])
def test_parameters_of_the_wrong_kind_are_refused(asks: RestSocket, query: str) -> None:
    assert asks.ask("GET", f"/clients?{query}").problem == (400, "BAD_REQUEST")


def test_clients_are_kicked_one_by_one_and_in_bulk(operator: Operator, rest: RestSocket) -> None:
    leave_session(operator, "away")
    with connected(operator, "one") as one, connected(operator, "two", 4) as two:
        assert rest.ask("DELETE", "/clients/one").status == 204
        assert one.expect(Disconnect).reason_code == 0x98
        assert rest.ask("DELETE", "/clients/one").problem == (404, "CLIENTID_NOT_FOUND")
        assert rest.ask("POST", "/clients/kickout/bulk", ["two", "away", "nobody"]).status == 204
        two.expect_closed()
    assert rest.ask("GET", "/clients").json["meta"]["count"] == 0


def test_an_operator_subscribes_for_a_client(shared: Operator, asks: RestSocket) -> None:
    client_id, topic = fresh_name("c"), fresh_name("kept/")
    with connected(shared, client_id) as client:
        client.publish(topic, b"kept", qos=1, retain=True)
        made = asks.ask("POST", f"/clients/{client_id}/subscribe", {"topic": topic, "qos": 1})
        assert (made.status, made.json["qos"], made.json["clientid"]) == (200, 1, client_id)
        client.receive(topic, b"kept", retain=True)
        both = [{"topic": "a/+", "nl": 1, "rap": 1, "rh": 2}, {"topic": "$share/g/b", "qos": 2}]
        rows = asks.ask("POST", f"/clients/{client_id}/subscribe/bulk", both).json
        assert [(row["topic"], row["nl"], row["rap"], row["rh"]) for row in rows] == [
            ("a/+", 1, 1, 2),
            ("$share/g/b", 0, 0, 0),
        ]
        listed = asks.ask("GET", f"/clients/{client_id}/subscriptions").json
        assert {row["topic"] for row in listed} == {topic, "a/+", "$share/g/b"}
        assert asks.ask("POST", f"/clients/{client_id}/unsubscribe", {"topic": topic}).status == 204
        rest_of_them = [{"topic": "a/+"}, {"topic": "never"}]
        ended = asks.ask("POST", f"/clients/{client_id}/unsubscribe/bulk", rest_of_them)
        assert ended.status == 204
        listed = asks.ask("GET", f"/clients/{client_id}/subscriptions").json
        assert [row["topic"] for row in listed] == ["$share/g/b"]
        refused = asks.ask("POST", f"/clients/{client_id}/subscribe", {"topic": "a/#/b"})
        assert refused.problem == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "subscribe", {"topic": "t"}),
        ("POST", "subscribe/bulk", [{"topic": "t"}]),
        ("POST", "unsubscribe", {"topic": "t"}),
        ("POST", "unsubscribe/bulk", []),
        ("GET", "subscriptions", None),
        ("PUT", "keepalive", {"interval": 5}),
        ("GET", "mqueue_messages", None),
        ("GET", "inflight_messages", None),
        ("GET", "authorization/cache", None),
        ("DELETE", "authorization/cache", None),
    ],
)
def test_nothing_is_done_to_a_client_that_is_not_there(
    asks: RestSocket, method: str, path: str, body: Any
) -> None:
    answer = asks.ask(method, f"/clients/nobody/{path}", body)
    assert answer.problem == (404, "CLIENTID_NOT_FOUND")


def test_another_keep_alive_holds_at_once(shared: Operator, asks: RestSocket) -> None:
    client_id = fresh_name("c")
    with connected(shared, client_id, keep_alive=3600) as client:
        row = asks.ask("PUT", f"/clients/{client_id}/keepalive", {"interval": 1}).json
        assert row["keepalive"] == 1
        assert client.expect(Disconnect).reason_code == 0x8D
    answer = asks.ask("PUT", f"/clients/{client_id}/keepalive", {"interval": 65536})
    assert answer.problem == (400, "BAD_REQUEST")


def test_messages_on_their_way_are_shown(shared: Operator, asks: RestSocket) -> None:
    client_id, topic = fresh_name("c"), fresh_name("q/")
    leave_session(shared, client_id, topic)
    with connected(shared, fresh_name("p"), username="sender") as publisher:
        for number in range(5):
            publisher.publish(topic, b"\xff" + bytes([number]), qos=1)
    path = f"/clients/{client_id}/mqueue_messages"
    first = asks.ask("GET", f"{path}?limit=3").json
    assert [base64.b64decode(row["payload"])[1] for row in first["data"]] == [0, 1, 2]
    row = first["data"][0]
    assert (row["topic"], row["qos"], row["from_username"]) == (topic, 1, "sender")
    assert (row["mqueue_priority"], len(row["msgid"])) == (0, 32)
    rest = asks.ask("GET", f"{path}?position={first['meta']['position']}&payload=none").json
    assert [row.get("payload") for row in rest["data"]] == [None, None]
    assert rest["meta"]["position"] == "end_of_data"
    assert len(asks.ask("GET", f"{path}?max_payload_bytes=4").json["data"]) == 2
    plain = asks.ask("GET", f"{path}?payload=plain&limit=1").json["data"][0]["payload"]
    assert plain == "�\x00"
    with connected(shared, client_id, expiry_s=3600) as client:
        # Sent as far as the window reaches, and not acknowledged.
        for _ in range(5):
            client.expect(Publish)
        path = f"/clients/{client_id}/inflight_messages"
        rows = asks.ask("GET", f"{path}?limit=4").json
        assert (len(rows["data"]), "mqueue_priority" in rows["data"][0]) == (4, False)
        rest = asks.ask("GET", f"{path}?position={rows['meta']['position']}").json
        assert (len(rest["data"]), rest["meta"]["position"]) == (1, "end_of_data")
    for query in ("position=x", "max_payload_bytes=x", "max_payload_bytes=1GB"):
        assert asks.ask("GET", f"{path}?{query}").problem == (400, "INVALID_PARAMETER")


def test_a_client_without_questions_has_no_kept_answers(shared: Operator, asks: RestSocket) -> None:
    client_id = fresh_name("c")
    with connected(shared, client_id):
        assert asks.ask("GET", f"/clients/{client_id}/authorization/cache").json == []
        assert asks.ask("DELETE", f"/clients/{client_id}/authorization/cache").status == 204
