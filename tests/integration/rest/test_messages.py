"""Subscriptions, topics, publishing, retained and delayed messages, rewrite, automatic
subscriptions and topic metrics of a real node.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from harness.client import RawClient
from harness.node import HOST, fresh_name
from harness.operator import Operator
from harness.packets import Connect, PubAck, Publish
from harness.rest import RestSocket


@pytest.fixture
def client(operator: Operator) -> Iterator[RawClient]:
    with RawClient(HOST, operator.node.port, 5) as connected:
        connected.connect(Connect("c", True, 60, username="user"))
        yield connected


def part(text: str) -> str:
    return quote(text, safe="")


def rows(rest: RestSocket, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rest.ask("GET", path).json["data"]
    return found


def test_subscriptions_are_filtered(client: RawClient, rest: RestSocket) -> None:
    client.subscribe("plant/+/state", "$share/g/jobs", qos=1)
    client.subscribe("plant/#", qos=2)
    page = rest.ask("GET", "/subscriptions?limit=2").json
    assert page["meta"] == {"page": 1, "limit": 2, "count": 3, "hasnext": True}
    for query, topics in {
        "qos=2": {"plant/#"},
        "share_group=g": {"$share/g/jobs"},
        "match_topic=plant/%2B/%23": {"plant/#", "plant/+/state"},
        "match_topic=plant/%2B": {"plant/#"},
        "match_topic=plant/1/state": {"plant/#", "plant/+/state"},
        f"topic={part('plant/#')}": {"plant/#"},
        "clientid=nobody": set(),
        "durable=true": set(),
        "clientid=c&durable=false&qos=1": {"plant/+/state", "$share/g/jobs"},
    }.items():
        assert {row["topic"] for row in rows(rest, f"/subscriptions?{query}")} == topics, query
    row = rows(rest, "/subscriptions?qos=2")[0]
    assert {name: row[name] for name in ("clientid", "nl", "rap", "rh", "durable")} == {
        "clientid": "c", "nl": 0, "rap": 0, "rh": 0, "durable": False,
    }  # fmt: skip
    assert rest.ask("GET", "/subscriptions?qos=3").problem == (400, "BAD_REQUEST")


def test_topics_are_listed_once(client: RawClient, rest: RestSocket) -> None:
    client.subscribe("a/+", "b/#", "$share/g/c")
    page = rest.ask("GET", "/topics").json
    assert {row["topic"] for row in page["data"]} == {"a/+", "b/#", "c"}
    assert page["meta"]["count"] == 3
    assert len(rows(rest, f"/topics?topic={part('a/+')}")) == 1
    assert rows(rest, "/topics?topic=a") == []
    assert rest.ask("GET", f"/topics/{part('b/#')}").json[0]["topic"] == "b/#"
    assert rest.ask("GET", "/topics/b").problem == (404, "TOPIC_NOT_FOUND")


def test_publishing_answers_as_emqx_does(client: RawClient, rest: RestSocket) -> None:
    client.subscribe("t", qos=2)
    body = {
        "topic": "t",
        "payload": base64.b64encode(b"\x00\xff").decode(),
        "payload_encoding": "base64",
        "qos": 1,
        "properties": {
            "content_type": "x",
            "user_properties": {"a": "b"},
            "correlation_data": "7",
            "message_expiry_interval": 60,
        },
    }
    sent = rest.ask("POST", "/publish", body)
    assert (sent.status, len(sent.json["id"])) == (200, 32)
    message = client.receive("t", b"\x00\xff", qos=1)
    assert message.properties["content_type"] == "x"
    assert message.properties["user_property"] == [("a", "b")]
    assert message.properties["correlation_data"] == b"7"
    nobody = rest.ask("POST", "/publish", {"topic": "nobody", "payload": ""})
    assert (nobody.status, nobody.json) == (
        202,
        {"reason_code": 16, "message": "no_matching_subscribers"},
    )
    for change, reason in (
        ({"topic": "t/#"}, 144),
        ({"topic": ""}, 144),
        ({"payload": "x" * (1 << 20)}, 151),
        ({"payload": "?", "payload_encoding": "base64"}, 131),
    ):
        refused = rest.ask("POST", "/publish", {"topic": "t", "payload": "", **change})
        assert (refused.status, refused.json["reason_code"]) == (400, reason), change
    assert rest.ask("POST", "/publish", {"payload": ""}).problem == (400, "BAD_REQUEST")
    later = rest.ask("POST", "/publish", {"topic": "$delayed/9/nobody", "payload": ""})
    assert later.status == 200
    for topic, reason in (
        ("$delayed/x/y", 144),
        ("$delayed/999999999999/y", 144),
        (f"$delayed/{'9' * 5000}/y", 144),
        ("$delayed/1/$SYS/y", 135),
        ("$SYS/brokers/n/clients/x/connected", 135),
    ):
        refused = rest.ask("POST", "/publish", {"topic": topic, "payload": ""})
        assert (refused.status, refused.json["reason_code"]) == (400, reason), topic


def test_many_messages_are_published_at_once_or_not_at_all(
    client: RawClient, rest: RestSocket
) -> None:
    client.subscribe("t/+", qos=1)
    good = [{"topic": f"t/{n}", "payload": str(n), "qos": 1} for n in range(300)]
    sent = rest.ask("POST", "/publish/bulk", good)
    assert (sent.status, len(sent.json)) == (200, 300)
    for n in range(300):
        client.receive(f"t/{n}", str(n).encode())
    some = rest.ask("POST", "/publish/bulk", [good[0], {"topic": "x", "payload": ""}])
    assert (some.status, [*map(len, some.json)]) == (202, [1, 2])
    client.receive("t/0")
    refused = rest.ask("POST", "/publish/bulk", [good[0], {"topic": "#", "payload": ""}])
    assert (refused.status, refused.json["reason_code"]) == (400, 144)
    client.expect_nothing()
    assert rest.ask("POST", "/publish/bulk", []).status == 200


def test_retained_messages_are_shown_and_deleted(client: RawClient, rest: RestSocket) -> None:
    assert rest.ask("DELETE", "/mqtt/retainer/messages").status == 204
    for n in range(4):
        client.publish(f"r/{n}", b"kept", qos=1, retain=True)
    page = rest.ask("GET", f"/mqtt/retainer/messages?limit=3&topic={part('r/+')}").json
    assert page["meta"] == {"page": 1, "limit": 3, "count": 4, "hasnext": True}
    row = page["data"][0]
    assert (row["from_clientid"], row["from_username"], row["qos"]) == ("c", "user", 1)
    shown = rest.ask("GET", f"/mqtt/retainer/message/{part('r/2')}").json
    assert base64.b64decode(shown["payload"]) == b"kept"
    assert rest.ask("DELETE", f"/mqtt/retainer/message/{part('r/2')}").status == 204
    gone = rest.ask("GET", f"/mqtt/retainer/message/{part('r/2')}")
    assert gone.problem == (404, "NOT_FOUND")
    assert rest.ask("DELETE", f"/mqtt/retainer/message/{part('r/#')}").status == 204
    assert rows(rest, f"/mqtt/retainer/messages?topic={part('r/#')}") == []
    client.subscribe("r/#")
    client.expect_nothing()


def test_settings_of_retained_messages_hold_at_once(client: RawClient, rest: RestSocket) -> None:
    before = rest.ask("GET", "/mqtt/retainer").json
    assert before["enable"] is True
    after = rest.ask("PUT", "/mqtt/retainer", {"max_payload_size": "10B"}).json
    assert (after["max_payload_size"], after["enable"]) == ("10B", True)
    client.publish("r/large", b"x" * 11, qos=1, retain=True)
    gone = rest.ask("GET", f"/mqtt/retainer/message/{part('r/large')}")
    assert gone.problem == (404, "NOT_FOUND")
    for body in ({"enable": "perhaps"}, {"max_payload_size": "much"}, {"colour": "red"}):
        assert rest.ask("PUT", "/mqtt/retainer", body).status == 400


def test_delayed_messages_are_shown_and_taken_back(client: RawClient, rest: RestSocket) -> None:
    for n in (3000, 1000, 2000):
        client.publish(f"$delayed/{n}/d", str(n).encode(), qos=1)
    client.publish("$delayed/4000/other", b"x" * 3000)
    found = rows(rest, "/mqtt/delayed/messages?limit=3")
    assert [row["delayed_interval"] for row in found] == [1000, 2000, 3000]
    row = found[0]
    assert (row["topic"], row["from_clientid"], row["qos"]) == ("d", "c", 1)
    assert 0 < row["delayed_remaining"] <= 1000
    path = f"/mqtt/delayed/messages/{part(row['node'])}/{row['msgid']}"
    assert base64.b64decode(rest.ask("GET", path).json["payload"]) == b"1000"
    assert rest.ask("DELETE", path).status == 204
    for method in ("GET", "DELETE"):
        assert rest.ask(method, path).problem == (404, "MESSAGE_ID_NOT_FOUND")
    bad = f"/mqtt/delayed/messages/{part(row['node'])}/7"
    assert rest.ask("GET", bad).problem == (400, "MESSAGE_ID_SCHEMA_ERROR")
    elsewhere = f"/mqtt/delayed/messages/no@one/{row['msgid']}"
    assert rest.ask("GET", elsewhere).problem == (400, "INVALID_NODE")
    assert rest.ask("DELETE", "/mqtt/delayed/messages/d").status == 204
    assert rest.ask("DELETE", "/mqtt/delayed/messages/d").problem == (404, "MESSAGE_NOT_FOUND")
    invalid = rest.ask("DELETE", f"/mqtt/delayed/messages/{part('#')}")
    assert invalid.problem == (400, "INVALID_TOPIC_NAME")
    (other,) = rows(rest, "/mqtt/delayed/messages")
    path = f"/mqtt/delayed/messages/{part(other['node'])}/{other['msgid']}"
    assert rest.ask("GET", path).json["payload"] == "PAYLOAD_TO_LARGE"


def test_delayed_publish_is_switched_off(client: RawClient, rest: RestSocket) -> None:
    assert rest.ask("GET", "/mqtt/delayed").json == {"enable": True, "max_delayed_messages": 0}
    body = {"enable": False, "max_delayed_messages": 7}
    assert rest.ask("PUT", "/mqtt/delayed", body).json == body
    refused = rest.ask("POST", "/publish", {"topic": "$delayed/1/x", "payload": ""})
    assert (refused.status, refused.json["message"]) == (400, "delayed_publish_is_off")
    client.subscribe("x")
    client.send(Publish("$delayed/0/x", b"later", 1, 1, False, False, {}))
    client.await_packet(PubAck, packet_id=1, reason_code=0x90)
    client.publish("x", b"now", qos=1)
    client.receive("x", b"now", qos=0)
    assert rest.ask("PUT", "/mqtt/delayed", {"enable": 7}).status == 400


def test_rewrite_rules_are_replaced(client: RawClient, rest: RestSocket) -> None:
    rule = {"action": "publish", "source_topic": "x/#", "dest_topic": "z/$1", "re": "^x/(.+)$"}
    assert rest.ask("PUT", "/mqtt/topic_rewrite", [rule]).json == [rule]
    assert rest.ask("GET", "/mqtt/topic_rewrite").json == [rule]
    client.subscribe("z/+")
    client.publish("x/7", b"moved")
    client.receive("z/7", b"moved")
    bad = rest.ask("PUT", "/mqtt/topic_rewrite", [{**rule, "re": "("}])
    assert bad.status == 400
    many = rest.ask("PUT", "/mqtt/topic_rewrite", [rule] * 1001)
    assert many.problem == (413, "EXCEED_LIMIT")
    assert rest.ask("GET", "/mqtt/topic_rewrite").json == [rule]


def test_automatic_subscriptions_hold_for_new_clients(operator: Operator, rest: RestSocket) -> None:
    topic = {"topic": "own/${clientid}", "qos": 1, "rh": 0, "rap": 0, "nl": 0}
    assert rest.ask("PUT", "/mqtt/auto_subscribe", [topic]).json == [topic]
    client_id = fresh_name("c")
    with RawClient(HOST, operator.node.port, 5) as client:
        client.connect(Connect(client_id, True, 60))
        listed = rest.ask("GET", f"/clients/{client_id}/subscriptions").json
        assert [(row["topic"], row["qos"]) for row in listed] == [(f"own/{client_id}", 1)]
    many = rest.ask("PUT", "/mqtt/auto_subscribe", [topic] * 21)
    assert many.problem == (409, "EXCEED_LIMIT")
    assert rest.ask("GET", "/mqtt/auto_subscribe").json == [topic]


def test_messages_of_a_topic_are_counted(client: RawClient, rest: RestSocket) -> None:
    assert rest.ask("POST", "/mqtt/topic_metrics", {"topic": "t/1"}).status == 204
    again = rest.ask("POST", "/mqtt/topic_metrics", {"topic": "t/1"})
    assert again.problem == (400, "BAD_TOPIC")
    assert rest.ask("POST", "/mqtt/topic_metrics", {"topic": "t/+"}).problem == (400, "BAD_TOPIC")
    client.publish("t/1", b"nobody", qos=1)
    client.subscribe("t/1", qos=1)
    client.publish("t/1", b"one", qos=0)
    assert client.receive("t/1").qos == 0
    metrics = rest.ask("GET", f"/mqtt/topic_metrics/{part('t/1')}").json
    counts = metrics["metrics"]
    assert (counts["message.in.count"], counts["message.out.count"]) == (2, 1)
    assert (counts["message.qos1.in.count"], counts["message.dropped.count"]) == (1, 1)
    assert "reset_time" not in metrics
    reset = rest.ask("PUT", "/mqtt/topic_metrics", {"action": "reset", "topic": "t/1"})
    assert reset.status == 204
    (row,) = rest.ask("GET", "/mqtt/topic_metrics").json
    assert row["metrics"]["message.in.count"] == 0
    assert "reset_time" in row
    unknown = rest.ask("PUT", "/mqtt/topic_metrics", {"action": "reset", "topic": "x"})
    assert unknown.problem == (404, "TOPIC_NOT_FOUND")
    assert rest.ask("DELETE", f"/mqtt/topic_metrics/{part('t/1')}").status == 204
    assert rest.ask("GET", "/mqtt/topic_metrics").json == []


def test_counted_topics_survive_a_restart(operator: Operator, rest: RestSocket) -> None:
    rest.ask("POST", "/mqtt/topic_metrics", {"topic": "t"})
    operator.node.restart()
    assert [row["topic"] for row in rest.ask("GET", "/mqtt/topic_metrics").json] == ["t"]


def test_a_client_on_another_worker_gets_what_is_published(
    operator: Operator, rest: RestSocket
) -> None:
    clients = []
    for _ in range(8):
        client = RawClient(HOST, operator.node.port, 4)
        client.connect(Connect(fresh_name("c"), True, 60))
        client.subscribe("all", qos=1)
        clients.append(client)
    sent = rest.ask("POST", "/publish", {"topic": "all", "payload": "x", "qos": 1})
    assert sent.status == 200
    for client in clients:
        assert client.expect(Publish).payload == b"x"
        client.drop()
